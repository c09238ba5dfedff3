/** Whole seconds, in the largest units that are not 0: `1 h 5 min 0 s`. */
export function durationText(seconds: number): string {
  const whole = Math.round(seconds);
  const [h, min, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  if (h > 0) return `${h} h ${min} min ${s} s`;
  return min > 0 ? `${min} min ${s} s` : `${s} s`;
}

/** When it is worth trying again, so many seconds after `now` by the cluster's clock: `try again in 5 min 0 s (2026-11-21T12:05:00Z)`. */
export function tryAgainText(seconds: number, now: Date): string {
  const whole = Math.max(1, Math.ceil(seconds));
  const at = new Date(now.getTime() + whole * 1000).toISOString().replace(/\.\d+Z$/, "Z");
  return `try again in ${durationText(whole)} (${at})`;
}
