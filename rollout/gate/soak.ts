import { percent as shown } from "../decision.ts";
import { durationText } from "../duration.ts";
import type { Ladder, Rung } from "../ladder.ts";

/** Where a rollout stands, and since when; seconds since 1970 by the cluster's clock. */
export interface Soaking {
  readonly ladder: Ladder;
  /** Live percent of the candidate. */
  readonly percent: number;
  /** When the route was last written; undefined: nobody knows. */
  readonly steppedAt: number | undefined;
  readonly at: number;
  /** How many seconds of a soak pass in one second: 1, or more to rehearse. */
  readonly speed: number;
}

/** The rung that a live percentage has reached; undefined without traffic. Less than the first rung is on it. */
export function rungAt(ladder: Ladder, percent: number): Rung | undefined {
  if (percent <= 0) return undefined;
  return ladder.rungs.findLast((rung) => rung.percent <= percent) ?? ladder.rungs[0];
}

/** The minimum time on the present rung in real seconds; 0 without traffic. */
export const soakSeconds = ({ ladder, percent, speed }: Pick<Soaking, "ladder" | "percent" | "speed">): number =>
  (60 * (rungAt(ladder, percent)?.soakMinutes ?? 0)) / speed;

/** Seconds until the soak on the present rung is over. Where nobody knows when it began, all of it. */
export function soakLeft(soaking: Soaking): number {
  const soak = soakSeconds(soaking);
  const { steppedAt, at } = soaking;
  if (steppedAt === undefined || !Number.isFinite(steppedAt) || !Number.isFinite(at)) return soak;
  return Math.min(soak, Math.max(0, steppedAt + soak - at));
}

/** What is left of a soak, of how much, on which rung. Seconds. */
export const soakLeftText = ({
  left,
  whole,
  percent,
}: Readonly<Record<"left" | "whole" | "percent", number>>): string =>
  `${durationText(Math.ceil(left))} of the soak of ${durationText(whole)} at ${shown(percent)} % are left`;
