import { flushCompileCache } from "node:module";
import process from "node:process";
import { PolicyPack } from "@pulumi/policy";
import { circumstancesOf } from "./circumstances.ts";
import { policiesOf } from "./crossguard.ts";
import { dayOf, excuseBy, exemptionRules, exemptionsOf } from "./exemptions.ts";
import { rules } from "./rules.ts";

const circumstances = circumstancesOf(process.env);
const exemptions = exemptionsOf(circumstances.exemptions);
const today = dayOf(new Date());

// It serves the engine from here on, and says its port on standard output.
new PolicyPack("golive-policies", {
  description: "What a stack of golive must not be",
  policies: [
    ...policiesOf(rules, circumstances, excuseBy(exemptions, today)),
    // What judges the exemptions is not exempt.
    ...policiesOf(exemptionRules(exemptions, rules, today), circumstances, (judgements) => judgements),
  ],
});

// The engine ends a pack by a kill, at which Node keeps nothing of what it compiled. Where a cache is set, the next start finds it there.
flushCompileCache();
