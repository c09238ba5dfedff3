import type { Finding, Rule, Subject } from "./rule.ts";
import type { NotKnownYet } from "./unknown.ts";

/**
 * What a rule says of one resource when it does not pass: `violation`, or `undecidable` when it had to read a value that a preview does
 * not know yet. One rule may say both of one resource.
 */
export type Judgement = Violation | Undecidable;

export interface Violation {
  readonly rule: Rule;
  readonly subject: Subject;
  readonly verdict: "violation";
  readonly finding: Finding;
}

export interface Undecidable {
  readonly rule: Rule;
  readonly subject: Subject;
  readonly verdict: "undecidable";
  readonly finding?: undefined;
  /** Which value was not known, and where. */
  readonly unknown: NotKnownYet;
}

/** A judgement in one line, as previews and pull requests show it: where, what is there, what should be, how to get there. */
export function messageOf(judgement: Judgement): string {
  if (judgement.verdict === "undecidable") return `undecidable: ${judgement.unknown.message}`;
  const { path, found, wanted, fix } = judgement.finding;
  return `${path}: found ${found}; wanted ${wanted}. Fix: ${fix}`;
}
