import type { ResourceRule, Rule, StackRule, Subject, Surroundings } from "./rule.ts";
import { NotKnownYet } from "./unknown.ts";
import type { Judgement } from "./verdict.ts";

/** All that the rules object to in a stack, and what they could not decide. A rule that passes says nothing. */
export function judgeAll(
  subjects: readonly Subject[],
  rules: readonly Rule[],
  surroundings: Surroundings,
): readonly Judgement[] {
  return rules.flatMap((rule) =>
    isStackRule(rule)
      ? judgeStack(subjects, rule, surroundings)
      : subjects.flatMap((subject) => judgeResource(subject, rule, surroundings)),
  );
}

export function isStackRule(rule: Rule): rule is StackRule {
  return "judgeStack" in rule;
}

function judgeResource(subject: Subject, rule: ResourceRule, surroundings: Surroundings): Judgement[] {
  const said: Judgement[] = [];
  const unknown = exhausted(() => {
    for (const finding of rule.judge(subject, surroundings))
      said.push({ rule, subject, verdict: "violation", finding });
  });
  if (unknown !== undefined) said.push({ rule, subject, verdict: "undecidable", unknown });
  return said;
}

function judgeStack(subjects: readonly Subject[], rule: StackRule, surroundings: Surroundings): Judgement[] {
  const said: Judgement[] = [];
  const unknown = exhausted(() => {
    for (const { subject, finding } of rule.judgeStack(subjects, surroundings)) {
      said.push({ rule, subject, verdict: "violation", finding });
    }
  });
  if (unknown !== undefined) {
    const subject = subjects.find(({ urn }) => urn === unknown.urn);
    if (subject === undefined) throw unknown;
    said.push({ rule, subject, verdict: "undecidable", unknown });
  }
  return said;
}

/** Runs a rule until it ends, or until it reads what is not known yet; what it found until then stands. */
function exhausted(run: () => void): NotKnownYet | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof NotKnownYet) return error;
    throw error;
  }
}
