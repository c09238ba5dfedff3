import { colours, otherColour } from "../../applications/application.ts";
import { probe } from "../metrics/probe.ts";
import { rollout } from "../metrics/rollout.ts";
import {
  above,
  and,
  atLeast,
  avgOverTime,
  countOverTime,
  divide,
  from,
  maxBy,
  of,
  or,
  quantile,
  quantileOverTime,
  rate,
  subtract,
  sumBy,
  sumOverTime,
  times,
  type Vector,
} from "../promql/expression.ts";
import type { MonitoredStack } from "../stack.ts";
import { type Recorded, type Recording, recording } from "./recording.ts";
import {
  badRatio,
  baseline,
  baselineLeast,
  baselineWindow,
  byColour,
  byRole,
  byService,
  candidate,
  colour,
  evaluation,
  now,
  own,
  service,
  stable,
} from "./records.ts";
import { failedRequests, requestBuckets, requests, requestsWithin, timedRequests } from "./requests.ts";
import { objectives, windowsOf } from "./windows.ts";

/** Every recording rule of a stack, each after those that it reads. */
export const recordings = (stack: MonitoredStack): readonly Recording[] => [
  ...ofColours(stack),
  ...ofServices(stack),
  ...ofBudgets(stack),
  ...ofRoles(stack),
  ...ofBaseline(stack),
];

function ofColours(stack: MonitoredStack): readonly Recording[] {
  const mine = own(stack);
  const total = mine(colour.requestsRate);
  const latency = (q: number) =>
    // A quantile of no requests is no number: it must not stand where a person or a gate reads one.
    and(quantile(q, sumBy([...byColour, "le"], rate(requestBuckets(stack), now))), above(total, 0), byColour);
  return [
    recording(colour.requestsRate, sumBy(byColour, rate(requests(stack), now))),
    // A service that never failed has no series with status 5xx: that is 0, not unknown.
    recording(colour.errorsRate, or(sumBy(byColour, rate(failedRequests(stack), now)), times(total, 0))),
    recording(
      colour.slowRate,
      subtract(
        sumBy(byColour, rate(timedRequests(stack), now)),
        sumBy(byColour, rate(requestsWithin(stack, stack.application.objectives.latencySeconds), now)),
      ),
    ),
    recording(colour.errorRatio, divide(mine(colour.errorsRate), above(total, 0))),
    recording(colour.p50, latency(0.5)),
    recording(colour.p95, latency(0.95)),
    recording(colour.p99, latency(0.99)),
    recording(colour.errorPercent, times(mine(colour.errorRatio), 100)),
    recording(colour.p95Milliseconds, times(mine(colour.p95), 1000)),
  ];
}

function ofServices(stack: MonitoredStack): readonly Recording[] {
  const mine = own(stack);
  const p95 = quantile(0.95, sumBy([...byService, "le"], rate(requestBuckets(stack), now)));
  return [
    recording(service.requestsRate, sumBy(byService, mine(colour.requestsRate))),
    recording(service.errorsRate, sumBy(byService, mine(colour.errorsRate))),
    recording(service.slowRate, sumBy(byService, mine(colour.slowRate))),
    recording(service.p95, and(p95, above(mine(service.requestsRate), 0), byService)),
  ];
}

type PerService = Recorded<(typeof byService)[number]>;

function ofBudgets(stack: MonitoredStack): readonly Recording[] {
  const { availability, errors, latency } = objectives(stack);
  const mine = own(stack);
  // Sums of rates that were recorded already: days of requests are not read again every 15 s. 5 minutes are the rates' own.
  const over = (rates: PerService, seconds: number) =>
    seconds <= now ? mine(rates) : sumOverTime(mine(rates), seconds);
  const share = (bad: PerService, seconds: number) =>
    divide(over(bad, seconds), above(over(service.requestsRate, seconds), 0));
  const failedProbes = (seconds: number) => maxBy(["instance"], from(1, avgOverTime(of(probe.success), seconds)));
  return [
    ...windowsOf(availability).map((seconds) => recording(badRatio.availability(seconds), failedProbes(seconds))),
    ...windowsOf(errors).map((seconds) => recording(badRatio.errors(seconds), share(service.errorsRate, seconds))),
    ...windowsOf(latency).map((seconds) => recording(badRatio.latency(seconds), share(service.slowRate, seconds))),
  ];
}

function ofRoles(stack: MonitoredStack): readonly Recording[] {
  const where = { namespace: stack.namespace, application: stack.application.name };
  // Two pods of the exporter say the same for a moment while one replaces the other: hence the aggregations.
  const weight = (each: string) => above(maxBy(byRole, of(rollout.weight, { ...where, colour: each })), 0);
  const isCandidate = (each: string) =>
    maxBy(["namespace"], of(rollout.candidateTraffic, { ...where, candidate: each }));
  const [one, other] = colours;
  const either = (role: (each: (typeof colours)[number]) => Vector<"namespace" | "colour">) =>
    or(role(one), role(other));
  const mine = own(stack);
  const onTrial = mine(candidate.weight);
  const trusted = mine(stable.weight);
  return [
    recording(
      candidate.weight,
      either((each) => and(weight(each), isCandidate(each), ["namespace"])),
    ),
    recording(
      stable.weight,
      either((each) => and(weight(each), isCandidate(otherColour(each)), ["namespace"])),
    ),
    recording(candidate.errorRatio, and(mine(colour.errorRatio), onTrial, byRole)),
    recording(candidate.p95, and(mine(colour.p95), onTrial, byRole)),
    recording(stable.errorRatio, maxBy(byService, and(mine(colour.errorRatio), trusted, byRole))),
    recording(stable.p95, maxBy(byService, and(mine(colour.p95), trusted, byRole))),
  ];
}

function ofBaseline(stack: MonitoredStack): readonly Recording[] {
  const mine = own(stack);
  const least = baselineLeast / evaluation;
  const known = (record: PerService) => atLeast(countOverTime(mine(record), baselineWindow), least);
  return [
    recording(
      baseline.errorRatio,
      and(avgOverTime(mine(stable.errorRatio), baselineWindow), known(stable.errorRatio), byService),
    ),
    recording(baseline.p95, and(quantileOverTime(0.5, mine(stable.p95), baselineWindow), known(stable.p95), byService)),
  ];
}
