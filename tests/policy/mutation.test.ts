import { beforeAll, describe, expect, it } from "vitest";
import { excuseBy, exemptionsOf } from "../../policies/exemptions.ts";
import { isStackRule, judgeAll } from "../../policies/judge.ts";
import { resourceOf } from "../../policies/manifest.ts";
import { networkRules } from "../../policies/network/rules.ts";
import type { Rule, StackRule, Subject } from "../../policies/rule.ts";
import { rules } from "../../policies/rules.ts";
import { kindOf } from "../../policies/subject.ts";
import { messageOf } from "../../policies/verdict.ts";
import { stackConfig } from "../support/config.ts";
import { type Mutation, mutationsOf } from "../support/mutations.ts";
import { rendered } from "../support/rendered.ts";
import { survivors } from "./mutation-survivors.ts";

const environment = "production";
const mandatory = rules.filter(({ levels }) => levels[environment] === "mandatory");
const ofResources = mandatory.filter((rule) => !isStackRule(rule));
const ofStacks = mandatory.filter(isStackRule);
const excuse = excuseBy(exemptionsOf(stackConfig(environment).exemptions), "2026-11-21");

const judge = (subjects: readonly Subject[], by: readonly Rule[]) => excuse(judgeAll(subjects, by, { environment }));

let subjects: readonly Subject[];
beforeAll(async () => {
  subjects = await rendered(environment);
}, 5 * 60_000);

/**
 * The first rule that objects to a mutant: those on one resource are asked first, then those on the stack, and those on the network,
 * which are slow, only about what they judge.
 */
function catcher({ subject, mutant }: Mutation): string | undefined {
  const place = subjects.indexOf(subject);
  const alone = mutant === undefined ? [] : judge([mutant], ofResources);
  if (alone[0] !== undefined) return alone[0].rule.id;
  const stack = mutant === undefined ? subjects.toSpliced(place, 1) : subjects.with(place, mutant);
  const ofNetwork = kindOf(subject) === "NetworkPolicy";
  return ofStacks.filter((rule) => networkRules.includes(rule) === ofNetwork).find((rule) => objects(rule, stack))?.id;
}

/** Whether a rule finds anything that is not exempt; it is asked no further than that. */
function objects(rule: StackRule, stack: readonly Subject[]): boolean {
  for (const { subject, finding } of rule.judgeStack(stack, { environment }))
    if (excuse([{ rule, subject, verdict: "violation", finding }]).length > 0) return true;
  return false;
}

describe("the program's own resources", () => {
  it("pass every mandatory rule in production, but for what its config exempts", () => {
    const said = judge(subjects, mandatory).map(
      (judgement) => `${judgement.rule.id} ${resourceOf(judgement.subject)} ${messageOf(judgement)}`,
    );
    expect(said).toEqual([]);
  });

  it("cannot be weakened in any field without a named rule that objects", () => {
    const byRule = new Map<string, number>();
    const survived: string[] = [];
    const used = new Set<string>();
    let count = 0;
    for (const mutation of subjects.flatMap(mutationsOf)) {
      count += 1;
      const first = catcher(mutation);
      if (first !== undefined) {
        byRule.set(first, (byRule.get(first) ?? 0) + 1);
        continue;
      }
      const line = `${resourceOf(mutation.subject)} ${mutation.field} ${mutation.how}`;
      const excused = survivors.find(({ mutation: pattern }) => pattern.test(line));
      if (excused) used.add(excused.reason);
      else survived.push(line);
    }
    const kinds = [...byRule].map(([rule, times]) => `${rule} ${times}`).sort();
    process.stdout.write(`${count} mutations, ${survived.length} unexplained survivors\n${kinds.join("\n")}\n`);
    expect(count).toBeGreaterThan(1_000);
    expect(survived).toEqual([]);
    expect(
      survivors.map(({ reason }) => reason).filter((reason) => !used.has(reason)),
      "stale reasons",
    ).toEqual([]);
  });
});
