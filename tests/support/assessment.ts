import { taskflow } from "../../applications/taskflow.ts";
import { Clock } from "../../monitoring/clock.ts";
import type { Assessment } from "../../rollout/gate/assess.ts";
import type { Counts, Measured, Pair, ServiceMeasured } from "../../rollout/gate/measured.ts";
import { thresholdsOf } from "../../rollout/gate/thresholds.ts";
import type { Verdict } from "../../rollout/gate/verdict.ts";
import { now, observed, told } from "./live.ts";

/** What was measured a quarter of an hour after a step to 10, and what is made of it: all is well unless said otherwise. */

const counts = (requests: number, errors = 0): Counts => ({ requests, errors, p95Seconds: 0.045 });
const pair = (candidate: number, stable: number): Pair => ({ candidate: counts(candidate, 1), stable: counts(stable) });

/** One service with so many requests of each colour. */
export const service = (candidate: number, stable: number): ServiceMeasured => ({
  window: pair(candidate, stable),
  immediate: pair(candidate, stable),
  planned: pair(candidate, stable),
  baselineP95Seconds: Number.NaN,
});

export function measured(changes: Partial<Measured> = {}): Measured {
  const at = now.getTime() / 1000;
  return {
    at,
    since: at - 900,
    newest: at - 5,
    services: { backend: service(3000, 27_000), frontend: service(1500, 13_500) },
    queries: [{ promql: "vector(1)", value: 1 }],
    ...changes,
  };
}

export const passing: Verdict = { outcome: "pass", reason: "all is well", numbers: {}, waitSeconds: 0 };
export const holding = (waitSeconds: number | undefined): Verdict => ({
  outcome: "hold",
  reason: "backend has 120 of 500 requests",
  numbers: {},
  waitSeconds,
});
export const failing: Verdict = {
  outcome: "rollback",
  reason: "30 % of 400 requests fail",
  numbers: {},
  waitSeconds: undefined,
};

export const assessment = (changes: Partial<Assessment> = {}): Assessment => ({
  observed: observed({ told: told({ candidateTraffic: 10 }), hoursAgo: 0.25 }),
  from: 10,
  measured: measured(),
  unmeasured: undefined,
  verdict: passing,
  soakSeconds: 900,
  soakLeftSeconds: 0,
  share: { asked: 10, measured: 10 },
  thresholds: thresholdsOf(taskflow, new Clock()),
  ...changes,
});
