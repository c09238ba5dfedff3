/** One change of the candidate's traffic that a walk took, tried or left. Percents are of the candidate. */
export interface Step {
  readonly from: number;
  readonly to: number;
  readonly outcome: "success" | "refused" | "rolled back" | "not executed";
  /** Why it was refused or rolled back; of a success, the verdict that it was taken on. */
  readonly reason?: string;
  /** Of its `pulumi up`. */
  readonly seconds?: number;
}

/** How a walk ended. Only `reached` is what was asked for. */
export type Ending = "reached" | "rolled back" | "lowered" | "refused" | "held" | "stopped";

/** What a walk did: a value, so that a script need not read prose. */
export interface WalkResult {
  readonly outcome: Ending;
  readonly reason: string;
  /** What to do now; empty: nothing. */
  readonly next: string;
  /** Percent that is live at the end; undefined: nobody could read it. */
  readonly live: number | undefined;
  readonly steps: readonly Step[];
}

/** A rollback, too, ends with 1: whoever called did not get what was asked for. */
export const exitCodeOf = ({ outcome }: Pick<WalkResult, "outcome">): 0 | 1 => (outcome === "reached" ? 0 : 1);

export function resultText({ outcome, reason, next, live, steps }: WalkResult): string {
  const lines = steps.map(({ from, to, outcome: ended, reason: why, seconds }) =>
    `${`${from} -> ${to} %`.padEnd(12)} ${ended.padEnd(13)}${[
      ...(seconds === undefined ? [] : [`${seconds.toFixed(1)} s`]),
      ...(why === undefined ? [] : [why]),
    ].join("; ")}`.trimEnd(),
  );
  const now = live === undefined ? "" : ` Live: ${live} %.`;
  return [...lines, `${outcome}: ${reason}.${now}`, ...(next === "" ? [] : [`Next: ${next}`])].join("\n");
}
