import type { Doubt } from "./thresholds.ts";

/**
 * How many failures count as one where requests came at this pace: a burst of them. Where requests are rarer, a burst cannot be
 * larger than what comes in a second.
 */
export const incident = (requests: number, seconds: number, burst: number): number =>
  Math.min(Math.max(requests / seconds, 1), burst);

/** Evidence, in natural logarithms of a chance, beyond which a release is blamed. */
export const certain = ({ oneIn }: Doubt): number => Math.log(oneIn);

/** How unlikely so many failures are where so many were expected: Chernoff's bound on a Poisson tail. 0 when there are not more. */
export function surprise(errors: number, expected: number): number {
  if (!(errors > expected)) return 0;
  if (expected <= 0) return Number.POSITIVE_INFINITY;
  return errors * Math.log(errors / expected) - errors + expected;
}
