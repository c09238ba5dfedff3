import { taskflow } from "../../applications/taskflow.ts";
import { Clock } from "../../monitoring/clock.ts";
import { type GateAsked, judge } from "../../rollout/gate/gate.ts";
import type { Counts, Measured, Pair, ServiceMeasured } from "../../rollout/gate/measured.ts";
import { thresholdsOf } from "../../rollout/gate/thresholds.ts";
import type { Verdict } from "../../rollout/gate/verdict.ts";

export const thresholds = thresholdsOf(taskflow, new Clock());

export const counts = (requests: number, errors = 0, p95Seconds = 0.04): Counts => ({ requests, errors, p95Seconds });

/** The same counts in every window. */
export const everywhere = (pair: Pair, baselineP95Seconds = 0.04): ServiceMeasured => ({
  window: pair,
  immediate: pair,
  planned: pair,
  baselineP95Seconds,
});

/** A candidate with a tenth of the traffic, and what stable did beside it. */
export const beside = (candidate: Counts, stable = counts(candidate.requests * 9, 0)): ServiceMeasured =>
  everywhere({ candidate, stable });

/** What was measured of one service since a step `seconds` ago. */
export const measured = (backend: ServiceMeasured, seconds = 900, late = 5): Measured => ({
  at: 1_800_000_000,
  since: 1_800_000_000 - seconds,
  newest: 1_800_000_000 - late,
  services: { backend },
  queries: [],
});

export const bothReady = { candidate: true, stable: true } as const;

/** Asks the gate of TaskFlow at a tenth, with both colours ready. */
export const judged = (asked: Partial<GateAsked>): Verdict =>
  judge({ measured: undefined, from: 10, ready: bothReady, ...asked }, thresholds);

export const judgedOf = (backend: ServiceMeasured, seconds?: number, asked: Partial<GateAsked> = {}): Verdict =>
  judged({ measured: measured(backend, seconds), ...asked });
