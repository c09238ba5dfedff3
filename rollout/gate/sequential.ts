import { certain, incident } from "./evidence.ts";
import type { Thresholds } from "./thresholds.ts";

/** Requests that ended in one tick. */
export interface Ended {
  readonly requests: number;
  readonly errors: number;
}

/** What a gateway counted since the tick before it. */
export interface Tick {
  readonly seconds: number;
  readonly candidate: Ended;
  readonly stable: Ended;
}

/** The most of the evidence that a second may bring, and a tick however long: no single incident trips a release. */
const most = { aSecond: 0.4, aTick: 0.8 } as const;

/**
 * Ends a plainly bad release in seconds, from the gateway's own counters, and never a good one up: two sequential tests
 * (Page's CUSUM of likelihood ratios), both of which must be certain.
 * - Absolute: the candidate's failures are those of a release that is to be undone at once, not of one that a canary may be.
 * - Against stable: of all failures more are the candidate's than its share of the requests explains, were it
 *   `timesStable` times as bad. Given how many failed, that needs no guess of how much fails usually.
 * A fault that both share raises the first and sinks the second. With all traffic on the candidate there is nothing to compare
 * with: then it never trips.
 */
export class Sequential {
  readonly #thresholds: Thresholds;
  #absolute = 0;
  #relative = 0;
  #seconds = 0;
  #candidate: Ended = none;
  #stable: Ended = none;

  constructor(thresholds: Thresholds) {
    this.#thresholds = thresholds;
  }

  /** Forgets all: what was counted before a step, or of another release, says nothing of what comes. */
  reset(): void {
    this.#absolute = 0;
    this.#relative = 0;
    this.#begin();
  }

  /** A tick that is no measurement (a counter that went back, no time passed) changes nothing. */
  take(tick: Tick): "continue" | "rollback" {
    if (!isMeasured(tick)) return "continue";
    const limit = certain(this.#thresholds.doubt);
    const atMost = Math.min(most.aSecond * tick.seconds, most.aTick) * limit;
    const add = (sum: number, evidence: number) => Math.min(Math.max(sum + Math.min(evidence, atMost), 0), limit);
    this.#absolute = add(this.#absolute, this.#absoluteOf(tick));
    this.#relative = add(this.#relative, this.#relativeOf(tick));
    if (this.#absolute === 0) this.#begin();
    else this.#count(tick);
    return this.#absolute >= limit && this.#relative >= limit ? "rollback" : "continue";
  }

  /** What was counted since the failures began, as a sentence from a small letter and without a full stop. */
  get reason(): string {
    const { requests, errors } = this.#candidate;
    const stable = this.#stable;
    return `in ${shown(this.#seconds)} s ${shown(errors)} of ${shown(requests)} requests to the candidate failed, and ${shown(stable.errors)} of ${shown(stable.requests)} to stable`;
  }

  #absoluteOf({ seconds, candidate: { requests, errors } }: Tick): number {
    const { canary, immediate, doubt } = this.#thresholds;
    const [tolerated, bad] = [canary.errorRatio, immediate.errorRatio];
    const evidence = errors * Math.log(bad / tolerated) + (requests - errors) * Math.log((1 - bad) / (1 - tolerated));
    return evidence / incident(requests, seconds, doubt.burst.bySecond);
  }

  #relativeOf({ seconds, candidate, stable }: Tick): number {
    if (candidate.requests === 0 || stable.requests === 0) return 0;
    const { timesStable, objective, immediate, doubt } = this.#thresholds;
    const much = timesStable * (immediate.errorRatio / objective.errorRatio);
    /** Part of all failures that are the candidate's when it fails so many times as often. */
    const part = (times: number) => (times * candidate.requests) / (times * candidate.requests + stable.requests);
    const [tolerated, bad] = [part(timesStable), part(much)];
    const evidence =
      candidate.errors * Math.log(bad / tolerated) + stable.errors * Math.log((1 - bad) / (1 - tolerated));
    return evidence / incident(candidate.requests, seconds, doubt.burst.bySecond);
  }

  #begin(): void {
    this.#seconds = 0;
    this.#candidate = none;
    this.#stable = none;
  }

  #count({ seconds, candidate, stable }: Tick): void {
    this.#seconds += seconds;
    this.#candidate = sum(this.#candidate, candidate);
    this.#stable = sum(this.#stable, stable);
  }
}

const none: Ended = { requests: 0, errors: 0 };
const sum = (a: Ended, b: Ended): Ended => ({ requests: a.requests + b.requests, errors: a.errors + b.errors });

const isMeasured = ({ seconds, candidate, stable }: Tick): boolean =>
  Number.isFinite(seconds) && seconds > 0 && [candidate, stable].every(isCount);

const isCount = ({ requests, errors }: Ended): boolean =>
  Number.isFinite(requests) && errors >= 0 && errors <= requests;

const shown = (value: number) => (Math.round(value * 10) / 10).toLocaleString("en");
