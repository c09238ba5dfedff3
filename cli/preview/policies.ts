import type { EngineEvent, PolicyEvent } from "@pulumi/pulumi/automation/index.js";
import type { Level } from "../../policies/rule.ts";
import { resourceOf } from "./changes.ts";
import type { Exemption, Policies, PolicyFinding } from "./model.ts";
import { plain } from "./said.ts";
import { masked } from "./shown.ts";

/** The level of a rule on the stack at hand; undefined for a rule that is not ours. */
export type LevelOf = (rule: string) => Level | undefined;

/** How CrossGuard begins to say that a rule read a value that is not known yet. */
const undecidable = /^can't run policy .+? during preview: /;

/** What the policy packs said; undefined when none was asked. `levelOf`: CrossGuard reports what it could not decide as advisory. */
export function policiesOf(events: readonly EngineEvent[], levelOf: LevelOf, today: string): Policies | undefined {
  const packs = events.flatMap(({ summaryEvent }) => Object.entries(packsOf(summaryEvent)));
  const found = events.flatMap(({ policyEvent }) =>
    policyEvent === undefined ? [] : [findingOf(policyEvent, levelOf)],
  );
  if (packs.length === 0 && found.length === 0) return undefined;
  const sorted = [...new Map(found.map((it) => [JSON.stringify(it), it])).values()].sort(byLevelAndName);
  const of = (wanted: boolean) => sorted.flatMap(({ decided, ...finding }) => (decided === wanted ? [finding] : []));
  return {
    packs: packs.map(([name, version]) => `${name.split("|", 1)[0]} ${version}`.trim()).sort(),
    violations: of(true),
    undecidable: of(false),
    exemptions: expiringSoon(events, today),
  };
}

// The engine writes the field with a capital, its types in TypeScript have it in lower case.
function packsOf(summary: EngineEvent["summaryEvent"]): Readonly<Record<string, string>> {
  if (summary === undefined) return {};
  return (Reflect.get(summary, "PolicyPacks") ?? Reflect.get(summary, "policyPacks") ?? {}) as Record<string, string>;
}

interface Judged extends PolicyFinding {
  readonly decided: boolean;
}

function findingOf(event: PolicyEvent, levelOf: LevelOf): Judged {
  const { policyName: rule, resourceUrn = "", enforcementLevel } = event;
  const text = plain(event.message);
  const decided = !undecidable.test(text);
  // A rule's description stands before what it found: it is in docs/policies.md, and the finding says it in other words.
  const message = decided ? text.replace(/^[^\n]*\n/, "") : text.replace(undecidable, "");
  const { kind, name } = resourceOf(resourceUrn);
  return {
    rule,
    // CrossGuard makes an advisory of what could not be decided. Of a rule that we do not know we assume the worst.
    level: (decided ? enforcementLevel : (levelOf(rule) ?? "mandatory")) === "mandatory" ? "mandatory" : "advisory",
    resource: resourceUrn === "" ? "the stack" : `${kind} ${name}`,
    message: masked(message),
    decided,
  };
}

function byLevelAndName(one: PolicyFinding, other: PolicyFinding): number {
  const key = ({ rule, level, resource, message }: PolicyFinding) =>
    [level === "mandatory" ? "0" : "1", rule, resource, message].join("\0");
  return key(one) < key(other) ? -1 : 1;
}

/** Somebody must act on it while there is time. */
const soonDays = 14;

/** The exemptions in the stack's config that end within two weeks, the first one first. */
function expiringSoon(events: readonly EngineEvent[], today: string): readonly Exemption[] {
  const config = events.map(({ preludeEvent }) => preludeEvent?.config).find((it) => it !== undefined);
  const text = config?.["golive:exemptions"];
  if (text === undefined) return [];
  const last = new Date(Date.parse(today) + soonDays * 86_400_000).toISOString().slice(0, 10);
  return (JSON.parse(text) as readonly Exemption[])
    .filter(({ expires }) => expires <= last)
    .map(({ rule, resource, owner, expires }) => ({ rule, resource, owner, expires }))
    .sort((one, other) => (one.expires < other.expires ? -1 : 1));
}
