/** One step up that soak and gate would hold: to this percent, for this reason. Spent once, recorded on the route. */
export interface Override {
  /** Integer percent: the candidate traffic that it allows. */
  readonly percent: number;
  readonly reason: string;
}

/** How a route remembers the one that was spent last. */
export const overrideKey = ({ percent, reason }: Override): string => `${percent} ${reason}`;

/** Whether a step to `to` is let off soak and gate: `spent` is what the route remembers from before it. */
export function overrideFor(
  to: number,
  override: Override | undefined,
  spent: string | undefined,
): "none" | "granted" | "spent" {
  if (override?.percent !== to) return "none";
  return overrideKey(override) === spent ? "spent" : "granted";
}
