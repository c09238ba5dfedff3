import type { Break } from "../../tests/breaks/break.ts";

/** What Vitest's JSON reporter writes, as far as a break is judged by it. */
export interface NamedReport {
  readonly testResults: readonly {
    /** Why the file failed without a test that did: it could not be loaded, or its set-up failed. */
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly title: string;
      readonly fullName: string;
      readonly status: string;
    }[];
  }[];
}

/**
 * What the guarding tests said: `red`, `green`, or neither. Only a failed test is red: a file that cannot be loaded, or a set-up
 * that fails, fails for any reason, and proves nothing about the promise.
 */
export type Outcome =
  | { readonly kind: "red" }
  | { readonly kind: "green" }
  | { readonly kind: "unclear"; readonly reason: string };

/** The outcome of one named test in a run. `name` is the beginning of its title, or of its full name. */
export function outcomeOf(report: NamedReport, { name, test }: Pick<Break, "name" | "test">): Outcome {
  const all = report.testResults.flatMap(({ assertionResults }) => assertionResults);
  const named = all.filter(({ title, fullName }) => title.startsWith(name) || fullName.startsWith(name));
  if (named.some(({ status }) => status === "failed")) return { kind: "red" };
  const why = report.testResults.map(({ message = "" }) => message.trim().split("\n", 1)[0] ?? "").find(Boolean);
  const because = why === undefined ? "" : `: ${why}`;
  if (named.length === 0) return { kind: "unclear", reason: `no test named "${name}" ran in ${test}${because}` };
  if (named.some(({ status }) => status === "passed") && named.every(({ status }) => status === "passed")) {
    return { kind: "green" };
  }
  return { kind: "unclear", reason: `"${name}" did not run${because}` };
}

/** What Vitest's -t is given so that it runs these tests: their names are matched anywhere in the full name. */
export function namePattern(names: readonly string[]): string {
  return [...new Set(names)].map((name) => name.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&")).join("|");
}

/** What became of a break. */
export type Verdict =
  /** The guarding test noticed. */
  | { readonly kind: "noticed" }
  /** The guarding test is green although what it guards is broken. */
  | { readonly kind: "survived" }
  | { readonly kind: "unclear"; readonly reason: string };

/** The verdict on a break from the runs without and with it: a test that is red anyway notices nothing. */
export function verdictOf(without: Outcome, within: Outcome): Verdict {
  if (without.kind === "red") return { kind: "unclear", reason: "the test is red without the break, too" };
  if (without.kind === "unclear") return without;
  if (within.kind === "unclear") return within;
  return { kind: within.kind === "red" ? "noticed" : "survived" };
}
