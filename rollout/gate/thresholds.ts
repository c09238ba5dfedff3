import type { Application } from "../../applications/application.ts";
import { type Clock, minutes } from "../../monitoring/clock.ts";

/**
 * What a candidate is judged by: hook, preview, driver and guard read these values, and the alerts the same data of the
 * application. Ratios 0..1, times in seconds of the stack's clock.
 */
export interface Thresholds {
  /** With fewer requests of a colour nobody can say. */
  readonly sample: number;
  /** Fewer than so many times the failures of stable are chance, or trouble that both share. */
  readonly timesStable: number;
  /** No release is judged by its first moments, except one that is plainly bad (S0-70). */
  readonly settlingSeconds: number;
  /** A newest sample that is older says how it was, not how it is. */
  readonly lateSeconds: number;
  /** Slower by less is nothing that a user notices, and what two pods of one machine differ by. */
  readonly noticeableSeconds: number;
  readonly objective: { readonly errorRatio: number; readonly latencySeconds: number };
  readonly canary: { readonly errorRatio: number; readonly latencySeconds: number };
  readonly immediate: { readonly errorRatio: number; readonly seconds: number };
  readonly planned: { readonly errorRatio: number; readonly seconds: number; readonly timesBaseline: number };
  readonly doubt: Doubt;
}

/** How much of what was counted may be chance. */
export interface Doubt {
  /** A release is blamed only for what chance does once in so many times. */
  readonly oneIn: number;
  /**
   * Failures come in bursts: a pod that dies, a connection that breaks. So many that come at the pace of one second count as
   * one. In a window nobody sees when they came; the fast test, which looks at each second, can do with less.
   */
  readonly burst: { readonly inWindow: number; readonly bySecond: number };
}

export const timesStable = 2;
/** S0-70: the script waited so long before it looked. */
export const settling = minutes(1);
/** Four scrapes. */
const late = minutes(1);
/** Below, an answer of a busy API server alone would look late, however much the clock hurries. */
const leastLateSeconds = 10;

/** These two meet the aims of docs/operations/gate.md, which `golive bench gate` measures. */
const doubt: Doubt = { oneIn: 1e8, burst: { inWindow: 12, bySecond: 8 } };

/** For the gate and the alert alike: 25 ms where the objective is 100 ms. */
export const noticeableSeconds = ({ objectives }: Pick<Application, "objectives">): number =>
  objectives.latencySeconds / 4;

/** @throws RangeError of triggers that contradict each other. */
export function thresholdsOf({ name, objectives, triggers }: Application, clock: Clock): Thresholds {
  const { canary, immediate, planned } = triggers;
  const ratio = (percent: number) => percent / 100;
  const rising = [objectives.errorPercent, canary.errorPercent, planned.errorPercent, immediate.errorPercent];
  if (rising.some((percent, index) => !(percent > (rising[index - 1] ?? 0) && percent < 100)))
    throw new RangeError(
      `error percents of ${name}: got ${rising.join(", ")}; allowed: objective < canary < planned < immediate, each between 0 and 100`,
    );
  return {
    sample: canary.requests,
    timesStable,
    settlingSeconds: clock.seconds(settling),
    lateSeconds: Math.max(clock.seconds(late), leastLateSeconds),
    noticeableSeconds: noticeableSeconds({ objectives }),
    objective: { errorRatio: ratio(objectives.errorPercent), latencySeconds: objectives.latencySeconds },
    canary: { errorRatio: ratio(canary.errorPercent), latencySeconds: canary.latencySeconds },
    immediate: { errorRatio: ratio(immediate.errorPercent), seconds: clock.seconds(minutes(immediate.minutes)) },
    planned: {
      errorRatio: ratio(planned.errorPercent),
      seconds: clock.seconds(minutes(planned.minutes)),
      timesBaseline: planned.timesBaseline,
    },
    doubt,
  };
}
