import type { Outcome } from "./verdict.ts";

/** One thing that was found, as part of a verdict. */
export interface Finding {
  readonly outcome: Outcome;
  readonly reason: string;
  readonly waitSeconds: number | undefined;
}

export const hold = (reason: string, waitSeconds?: number): Finding => ({ outcome: "hold", reason, waitSeconds });
export const rollback = (reason: string): Finding => ({ outcome: "rollback", reason, waitSeconds: undefined });

export type Blame = "release" | "both" | "chance" | "unknown";

export const why: Readonly<Record<Blame, string>> = {
  release: "it is not yet time to undo it for that",
  both: "the release is not to blame for what stable suffers as well",
  chance: "so few may be chance",
  unknown: "there is nothing to compare it with",
};
