import { certain, incident, surprise } from "./evidence.ts";
import { type Blame, type Finding, hold, rollback, why } from "./finding.ts";
import { besides, count, failed, isEnough, type Look, percent, ratioOf } from "./look.ts";
import type { Thresholds } from "./thresholds.ts";

/** A complete outage needs no sample and no time: no request was answered, and chance cannot explain it. */
export function outage(look: Look, thresholds: Thresholds): Finding | undefined {
  const { requests, errors } = look.candidate;
  if (requests === 0 || errors < requests || blameOf(look, thresholds) !== "release") return undefined;
  return rollback(`${look.service}: none of ${count(requests)} requests to the candidate was answered${besides(look)}`);
}

/** Failures beyond a limit: whether the release is to blame for them, and whether a trigger says that it must go. */
export function errors(look: Look, limit: number, isTriggered: boolean, thresholds: Thresholds): Finding | undefined {
  if (!(ratioOf(look.candidate) > limit)) return undefined;
  const what = `${failed(look)}, more than ${percent(limit)}${besides(look)}`;
  const blame = blameOf(look, thresholds);
  if (blame === "release" && isTriggered) return rollback(what);
  // That there are too few says another finding, and until when.
  if (blame !== "release" && !isEnough(look.candidate, thresholds)) return undefined;
  return hold(`${what}: ${why[blame]}`);
}

/** Within the canary's limits and still plainly worse than stable: for a person to decide. */
export function worseThanStable(look: Look, thresholds: Thresholds): Finding | undefined {
  if (look.atTop || !isEnough(look.candidate, thresholds) || blameOf(look, thresholds) !== "release") return undefined;
  return hold(`${failed(look)}${besides(look)}: at least ${thresholds.timesStable} times as often as stable`);
}

/** Who is to blame for failures: the release only where stable has far fewer and chance cannot explain them. */
function blameOf({ candidate, stable, seconds, atTop }: Look, { timesStable, objective, doubt }: Thresholds): Blame {
  if (!atTop && stable.requests === 0) return "unknown";
  const usual = atTop ? 0 : ratioOf(stable);
  if (ratioOf(candidate) < timesStable * usual) return "both";
  const expected = candidate.requests * Math.max(objective.errorRatio, usual);
  const evidence = surprise(candidate.errors, expected) / incident(candidate.requests, seconds, doubt.burst.inWindow);
  return evidence >= certain(doubt) ? "release" : "chance";
}
