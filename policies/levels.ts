import type { RuleText } from "./rule.ts";

/** What could hurt somebody: nowhere allowed but on one's own machine, where it is told. */
export const everywhere: RuleText["levels"] = { local: "advisory", staging: "mandatory", production: "mandatory" };

/** What only production is big or public enough to need. */
export const inProduction: RuleText["levels"] = { local: "disabled", staging: "advisory", production: "mandatory" };

/** What would be wrong on any machine, too: it could not work. */
export const always: RuleText["levels"] = { local: "mandatory", staging: "mandatory", production: "mandatory" };
