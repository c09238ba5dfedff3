import { errors, outage, worseThanStable } from "./errors.ts";
import { type Finding, hold } from "./finding.ts";
import { slow, slowerThanStable, slowerThanUsual } from "./latency.ts";
import {
  besides,
  count,
  failed,
  isEnough,
  type Look,
  type Looks,
  looksOf,
  numbersOf,
  type Trial,
  time,
} from "./look.ts";
import type { Thresholds } from "./thresholds.ts";

/** What one service has to say about the next step, with every number that was looked at. */
export function judgeService(trial: Trial, thresholds: Thresholds) {
  const looks = looksOf(trial, thresholds);
  const odd = Object.values(looks).flatMap(oddNumber);
  const findings = odd.length > 0 ? odd : findingsOf(trial, looks, thresholds);
  return { findings, numbers: numbersOf(trial, looks) };
}

/** Only finite numbers decide: NaN is neither above nor below a limit, infinity is above every one that should be reached. */
function oddNumber({ service, atTop, candidate, stable }: Look): readonly Finding[] {
  const counted = { candidate, ...(atTop ? {} : { stable }) };
  return Object.entries(counted).flatMap(([role, { requests, errors }]) =>
    Object.entries({ requests, errors }).flatMap(([what, value]) =>
      Number.isFinite(value) && value >= 0
        ? []
        : [hold(`${service}: the ${what} of ${role} are ${value}; only a number from 0 says anything`)],
    ),
  );
}

function findingsOf(trial: Trial, looks: Looks, thresholds: Thresholds): readonly Finding[] {
  const { window, immediate, planned } = looks;
  const { canary, objective, settlingSeconds } = thresholds;
  const isSettled = trial.seconds >= settlingSeconds;
  const onTheWay = !trial.atTop && isSettled;
  const limit = trial.atTop ? objective : canary;
  const recent = [window, immediate];
  const findings = [
    ...recent.map((look) => outage(look, thresholds)),
    errors(immediate, thresholds.immediate.errorRatio, immediate.isWhole, thresholds),
    errors(planned, thresholds.planned.errorRatio, planned.isWhole, thresholds),
    ...recent.map((look) =>
      errors(look, limit.errorRatio, onTheWay && isEnough(look.candidate, thresholds), thresholds),
    ),
    ...recent.map((look) => slow(look, limit.latencySeconds, onTheWay, thresholds)),
    slowerThanUsual(trial, planned, thresholds),
    ...tooEarly(trial, window, thresholds),
    worseThanStable(window, thresholds),
    slowerThanStable(window, thresholds),
  ].filter((finding) => finding !== undefined);
  return findings.length > 0 ? findings : [passed(trial, window)];
}

/** Too little time or too few requests to say anything, and when there will be enough at the present rate. */
function tooEarly({ seconds, atTop }: Trial, look: Look, thresholds: Thresholds): readonly Finding[] {
  const { sample, settlingSeconds } = thresholds;
  const left = Math.ceil(settlingSeconds - seconds);
  const early =
    left > 0
      ? [
          hold(
            `the last step was ${Math.floor(seconds)} s ago, and is judged after ${Math.ceil(settlingSeconds)} s`,
            left,
          ),
        ]
      : [];
  const few = Object.entries({ candidate: look.candidate, ...(atTop ? {} : { stable: look.stable }) })
    .filter(([, counts]) => !isEnough(counts, thresholds))
    .map(([role, { requests }]) => {
      const wait = requests > 0 ? Math.ceil(((sample - requests) * seconds) / requests) : undefined;
      return hold(
        `${look.service}: ${count(requests)} requests to ${role} since the last step; it takes ${count(sample)}`,
        wait,
      );
    });
  return [...early, ...few];
}

function passed({ counts: { baselineP95Seconds }, atTop }: Trial, look: Look): Finding {
  const unknown = atTop && !Number.isFinite(baselineP95Seconds) ? ", and no baseline is stored to compare with" : "";
  return {
    outcome: "pass",
    reason: `${failed(look)}${besides(look)}, and 95 of 100 take at most ${time(look.candidate.p95Seconds)}${unknown}`,
    waitSeconds: 0,
  };
}
