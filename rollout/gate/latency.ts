import { type Finding, hold, rollback, why } from "./finding.ts";
import { isEnough, type Look, ratioOf, type Trial, time } from "./look.ts";
import type { Pair } from "./measured.ts";
import type { Thresholds } from "./thresholds.ts";

/** Slow beyond a limit: a reason to go back on the way up, unless stable is about as slow. */
export function slow(look: Look, limit: number, onTheWay: boolean, thresholds: Thresholds): Finding | undefined {
  const { service, candidate, stable, atTop } = look;
  if (!isEnough(candidate, thresholds)) return undefined;
  const p95 = candidate.p95Seconds;
  if (!Number.isFinite(p95)) return hold(`${service}: the p95 of candidate is ${p95}; only a finite number passes`);
  if (p95 <= limit) return undefined;
  const what = `${service}: 5 of 100 requests to the candidate take longer than ${time(p95)}, allowed: ${time(limit)}`;
  if (!onTheWay) return hold(what);
  if (atTop || !Number.isFinite(stable.p95Seconds)) return hold(`${what}: ${why.unknown}`);
  return suffersToo(look, limit, thresholds)
    ? hold(`${what}; with stable than ${time(stable.p95Seconds)}: ${why.both}`)
    : rollback(`${what}; with stable than ${time(stable.p95Seconds)}`);
}

/**
 * Stable is about as slow, by the bound of the baseline: what counts as slower does not depend on what it is held against. Where
 * stable is over the limit itself it takes more to blame the release, and where it is far over it nothing does: of two colours
 * that wait for a database which is down, one may well hang twice as long as the other. Or one hangs while the other gives up at
 * once: where stable fails more than a candidate may, how long either takes says nothing of the release.
 */
function suffersToo({ candidate, stable }: Pair, limit: number, { canary, planned, timesStable }: Thresholds): boolean {
  if (ratioOf(stable) > canary.errorRatio) return true;
  if (stable.p95Seconds > timesStable * limit) return true;
  const times = stable.p95Seconds > limit ? timesStable * planned.timesBaseline : planned.timesBaseline;
  return candidate.p95Seconds < times * stable.p95Seconds;
}

/** S3-71: against what was stored as normal, where something was. */
export function slowerThanUsual({ counts, atTop }: Trial, look: Look, thresholds: Thresholds): Finding | undefined {
  const { service, candidate, stable, isWhole } = look;
  const { baselineP95Seconds: usual } = counts;
  const { planned } = thresholds;
  if (!isEnough(candidate, thresholds) || !isSlower(candidate.p95Seconds, usual, thresholds)) return undefined;
  const what = `${service}: 5 of 100 requests to the candidate take longer than ${time(candidate.p95Seconds)}, more than ${planned.timesBaseline} times the usual ${time(usual)}`;
  if (!atTop && !Number.isFinite(stable.p95Seconds)) return hold(`${what}: ${why.unknown}`);
  if (!atTop && suffersToo(look, planned.timesBaseline * usual, thresholds)) return hold(`${what}: ${why.both}`);
  return isWhole ? rollback(what) : hold(`${what}: ${why.release}`);
}

const isSlower = (p95: number, than: number, { planned, noticeableSeconds }: Thresholds) =>
  p95 > planned.timesBaseline * than && p95 - than > noticeableSeconds;

export function slowerThanStable(
  { service, atTop, candidate, stable }: Look,
  thresholds: Thresholds,
): Finding | undefined {
  if (atTop || !isEnough(candidate, thresholds) || !isEnough(stable, thresholds)) return undefined;
  if (!Number.isFinite(stable.p95Seconds))
    return hold(`${service}: the p95 of stable is ${stable.p95Seconds}; only a finite number passes`);
  if (!isSlower(candidate.p95Seconds, stable.p95Seconds, thresholds)) return undefined;
  return hold(
    `${service}: 5 of 100 requests to the candidate take longer than ${time(candidate.p95Seconds)}, more than ${thresholds.planned.timesBaseline} times the ${time(stable.p95Seconds)} of stable`,
  );
}
