import { isStackRule, judgeAll } from "./judge.ts";
import { always } from "./levels.ts";
import { at, resourceOf, textOf, treesOf } from "./manifest.ts";
import type { Finding, Rule, RuleText, StackRule, Subject } from "./rule.ts";
import type { Judgement } from "./verdict.ts";

/** What the stack's config lets pass: one rule on one resource, for a reason that somebody answers for, until a day. */
export interface Exemption {
  readonly rule: string;
  /** `<Kind>/<namespace>/<name>`, or Pulumi's name. */
  readonly resource: string;
  /** Only what the rule finds at this path or below it; undefined: all that it finds there. */
  readonly path: string | undefined;
  readonly reason: string;
  readonly owner: string;
  /** The last day that it holds, `YYYY-MM-DD` in UTC. */
  readonly expires: string;
}

/**
 * The exemptions of a stack's config, which settings/exemptions.ts has checked.
 * @throws Error for what is none: a pack that passed over it would exempt something else than was meant.
 */
export function exemptionsOf(config: unknown): readonly Exemption[] {
  if (config !== undefined && !Array.isArray(config)) throw new Error("golive:exemptions is no list");
  return treesOf(config).map((entry, index) => {
    const field = (name: string): string => {
      const value = textOf(at(entry, name));
      if (value === undefined || value === "") throw new Error(`golive:exemptions[${index}].${name} is missing`);
      return value;
    };
    const [rule, resource, reason] = [field("rule"), field("resource"), field("reason")];
    return { rule, resource, path: textOf(entry.path), reason, owner: field("owner"), expires: field("expires") };
  });
}

/** Today in UTC, as an exemption writes a day. */
export const dayOf = (time: Date): string => time.toISOString().slice(0, 10);

const isOver = ({ expires }: Exemption, today: string) => expires < today;

const concerns = ({ resource }: Exemption, subject: Subject): boolean =>
  resource === resourceOf(subject) || resource === subject.name;

/** Whether a judgement is what an exemption means, day or no day. */
function covers(exemption: Exemption, judgement: Judgement): boolean {
  const { path } = judgement.verdict === "violation" ? judgement.finding : judgement.unknown;
  return (
    exemption.rule === judgement.rule.id &&
    concerns(exemption, judgement.subject) &&
    (exemption.path === undefined || isWithin(path, exemption.path))
  );
}

/** `spec.a` holds `spec.a.b` and `spec.a[b]`, and not `spec.ab`. */
const isWithin = (path: string, place: string) =>
  path.startsWith(place) && !/^[\w-]/.test(path.slice(place.length)) && place !== "";

/**
 * Leaves out what an exemption covers that still holds. Of what was not decided only that whose every finding would be exempt: a rule on
 * the whole stack, or on more than the path, has not looked at what else there is.
 */
export const excuseBy =
  (exemptions: readonly Exemption[], today: string) =>
  (judgements: readonly Judgement[]): readonly Judgement[] =>
    judgements.filter(
      (judgement) =>
        !exemptions.some(
          (exemption) =>
            !isOver(exemption, today) &&
            covers(exemption, judgement) &&
            (judgement.verdict === "violation" || (exemption.path === undefined && !isStackRule(judgement.rule))),
        ),
    );

/** The rules on the exemptions themselves: one that is over, and one that nothing needs. */
export function exemptionRules(
  exemptions: readonly Exemption[],
  rules: readonly Rule[],
  today: string,
): readonly StackRule[] {
  const told = (subjects: readonly Subject[], found: readonly (readonly [Exemption, Finding])[]) =>
    found.flatMap(([exemption, finding]) => {
      // What exempts nothing may name nothing: then it is the stack's own fault.
      const subject = subjects.find((each) => concerns(exemption, each)) ?? subjects[0];
      return subject === undefined ? [] : [{ subject, finding }];
    });
  return [
    {
      ...expired,
      judgeStack: (subjects) =>
        told(
          subjects,
          exemptions
            .filter((exemption) => isOver(exemption, today))
            .map((exemption) => [exemption, overFinding(exemption)] as const),
        ),
    },
    {
      ...unused,
      judgeStack: (subjects, surroundings) => {
        const named = rules.filter(({ id }) => exemptions.some(({ rule }) => rule === id));
        const judgements = judgeAll(subjects, named, surroundings);
        return told(
          subjects,
          exemptions
            .filter((exemption) => !judgements.some((judgement) => covers(exemption, judgement)))
            .map((exemption) => [exemption, unusedFinding(exemption, rules)] as const),
        );
      },
    },
  ];
}

const pathOf = ({ rule, resource }: Exemption) => `golive:exemptions[${rule} on ${resource}]`;

const overFinding = (exemption: Exemption): Finding => ({
  path: pathOf(exemption),
  found: `an end on ${exemption.expires}`,
  wanted: "a day that is not over, or no exemption",
  fix: `repair the resource, or ask ${exemption.owner} for another date and its reason`,
});

const unusedFinding = (exemption: Exemption, rules: readonly Rule[]): Finding => ({
  path: pathOf(exemption),
  found: rules.some(({ id }) => id === exemption.rule)
    ? "nothing that the rule objects to there"
    : "no rule of that id",
  wanted: "an exemption that exempts something",
  fix: "remove it from the stack's config",
});

/** What the two say of themselves. */
const expired: RuleText = {
  id: "exemption-expired",
  summary: "No exemption is over.",
  why: "An exemption without an end is a rule that somebody switched off and forgot.",
  severity: "high",
  sources: ["monitoring-security.md 3.10"],
  levels: always,
  example: {
    bad: "expires: 2020-01-01",
    good: "expires: 2027-05-21",
  },
};

const unused: RuleText = {
  id: "exemption-unused",
  summary: "Every exemption exempts something.",
  why: "One that is left behind lets the next fault of its kind pass, for a reason that is long gone.",
  severity: "medium",
  sources: ["monitoring-security.md 3.10"],
  levels: always,
  example: {
    bad: "- {rule: read-only-root, resource: Deployment/production/gone, …}",
    good: "- {rule: read-only-root, resource: Logstash/logging/logstash, …}",
  },
};

export const exemptionTexts: readonly RuleText[] = [expired, unused];
