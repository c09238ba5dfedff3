import type { Policies, ReportViolation, ResourceValidationPolicy, StackValidationPolicy } from "@pulumi/policy";
import { isStackRule, judgeAll } from "./judge.ts";
import type { Rule, RuleText, Subject, Surroundings } from "./rule.ts";
import { type Declared, subjectOf } from "./subject.ts";
import { type Judgement, messageOf, type Undecidable } from "./verdict.ts";

/** What becomes of judgements before they are told: exemptions take some away. */
export type Excuse = (judgements: readonly Judgement[]) => readonly Judgement[];

/** The rules as CrossGuard wants them: one policy for each, under its id, at the level of the environment. */
export function policiesOf(rules: readonly Rule[], surroundings: Surroundings, excuse: Excuse): Policies {
  const judge = (subjects: readonly Subject[], rule: Rule) => excuse(judgeAll(subjects, [rule], surroundings));
  const stack = new SameForAll<readonly Subject[]>();
  const resources = new Map<string, SameForAll<readonly Subject[]>>();
  const resourceOf = (urn: string) => {
    const asked = resources.get(urn) ?? new SameForAll();
    resources.set(urn, asked);
    return asked;
  };
  return rules.map((rule) =>
    isStackRule(rule)
      ? ({
          ...policyText(rule, surroundings),
          validateStack: ({ resources: all }, report) =>
            tell(
              judge(
                stack.for(rule, () => all.map(subjectOf)),
                rule,
              ),
              report,
            ),
        } satisfies StackValidationPolicy)
      : ({
          ...policyText(rule, surroundings),
          validateResource: (declared: Declared, report) =>
            tell(
              judge(
                resourceOf(declared.urn).for(rule, () => [subjectOf(declared)]),
                rule,
              ),
              report,
            ),
        } satisfies ResourceValidationPolicy),
  );
}

/**
 * What all rules are to be asked about, made once: CrossGuard asks one rule after the other and hands each a copy of its own, of which
 * each would have to read the resource, or make the matrix of connections, again. A rule that is asked again is asked about another
 * stack, or another time.
 */
class SameForAll<T> {
  readonly #asked = new Set<Rule>();
  #made: T | undefined;

  for(rule: Rule, make: () => T): T {
    if (this.#made === undefined || this.#asked.has(rule)) {
      this.#asked.clear();
      this.#made = make();
    }
    this.#asked.add(rule);
    return this.#made;
  }
}

function policyText({ id, summary, severity, levels }: RuleText, { environment }: Surroundings) {
  return { name: id, description: summary, severity, enforcementLevel: levels[environment] };
}

/**
 * Tells CrossGuard: first what is wrong, then what could not be decided. The latter it wants to be told by the error that its own view
 * of the inputs threw; it makes an advisory of it, whatever the rule's level is, which is why `./golive policy check` counts them.
 */
function tell(judgements: readonly Judgement[], report: ReportViolation): void {
  for (const judgement of judgements) {
    if (judgement.verdict === "violation") report(messageOf(judgement), judgement.subject.urn);
  }
  const undecidable = judgements.find((judgement) => judgement.verdict === "undecidable");
  if (undecidable !== undefined) throw unknownTo(undecidable);
}

/** CrossGuard's error with our words: which resource, and where in it. */
function unknownTo({ subject, unknown }: Undecidable): unknown {
  const { cause } = unknown;
  if (!(cause instanceof Error)) return unknown;
  return Object.create(cause, { message: { value: `${subject.name}: ${unknown.message}` } });
}
