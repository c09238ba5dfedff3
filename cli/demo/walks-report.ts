import type { Ending, Step } from "../rollout/result.ts";
import { table } from "../table.ts";

/** One walk of the demo, as its users saw it. */
export interface Walk {
  readonly release: "good" | "bad";
  readonly outcome: Ending;
  readonly reason: string;
  /** Percent of the candidate at the end. */
  readonly live: number | null;
  readonly steps: readonly Step[];
  readonly seconds: number;
  readonly requests: number;
  readonly failed: number;
  readonly written: number;
  readonly lost: number;
  readonly p95Ms: number;
  /** From the first bad answer to the candidate's last one; null: there was none. */
  readonly backSeconds: number | null;
}

/** All walks together must take less than this. */
const mostSeconds = 600;

/**
 * A good release must arrive without a failed request, a bad one must be at 0 again by itself. No task may be lost in either, and
 * both must be done in ten minutes.
 */
export function walkProblems(walks: readonly Walk[]): readonly string[] {
  const seconds = walks.reduce((sum, walk) => sum + walk.seconds, 0);
  const problems = walks.flatMap(({ release, outcome, reason, live, requests, failed, written, lost }) => {
    const [wanted, end] = release === "good" ? (["reached", 100] as const) : (["rolled back", 0] as const);
    return [
      ...(outcome === wanted && live === end
        ? []
        : [`the ${release} release: ${outcome} at ${live} % (${reason}); it must be ${wanted} at ${end} %`]),
      ...(release === "good" && failed > 0
        ? [`the good release: ${failed} of ${requests} requests failed; none may`]
        : []),
      ...(lost > 0 ? [`the ${release} release: ${lost} of ${written} tasks that were written are lost; none may`] : []),
    ];
  });
  if (seconds < mostSeconds) return problems;
  return [...problems, `the walks took ${seconds.toFixed(0)} s together; they must take less than ${mostSeconds} s`];
}

/** Both walks as a table for a terminal. */
export function walksText(walks: readonly Walk[]): string {
  const header = ["release", "steps", "ended", "live", "requests", "failed", "p95", "back at 0 after", "took"];
  const rows = walks.map((walk) => [
    walk.release,
    walk.steps
      .filter(({ outcome }) => outcome !== "not executed")
      .map(({ from, to }) => `${from}→${to}`)
      .join(" "),
    walk.outcome,
    `${walk.live} %`,
    `${walk.requests}`,
    `${walk.failed}`,
    `${walk.p95Ms.toFixed(0)} ms`,
    walk.backSeconds === null ? "-" : `${walk.backSeconds.toFixed(1)} s`,
    `${walk.seconds.toFixed(0)} s`,
  ]);
  const why = walks.map(({ release, reason }) => `${release}: ${reason}`);
  const tasks = walks.map(
    ({ release, written, lost }) => `${release}: ${written} tasks written meanwhile, ${lost} lost`,
  );
  return [table(header, rows, 3), "", ...why, "", ...tasks].join("\n");
}
