/** Until so many seconds after 100 %, the candidate is looked at every so many (S4-78: the watch of the first 24 hours). */
const phases = [
  { until: 3600, every: 60 },
  { until: 4 * 3600, every: 30 * 60 },
  { until: 12 * 3600, every: 3600 },
  { until: 24 * 3600, every: 2 * 3600 },
] as const;

/** How long a release is watched after it has 100 %, in seconds. */
export const watchSeconds = 24 * 3600;

/** The moment of the check after one at `seconds` since 100 %; undefined: the watch is over. Both in seconds of the documents. */
export function nextCheck(seconds: number): number | undefined {
  const phase = phases.find(({ until }) => seconds < until);
  if (phase === undefined) return undefined;
  return Math.min(Math.floor(seconds / phase.every + 1) * phase.every, phase.until);
}
