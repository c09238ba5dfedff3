import { days, hours, minutes } from "../clock.ts";
import { of, type Series } from "../promql/expression.ts";
import type { MonitoredStack } from "../stack.ts";
import { type Recorded, record } from "./recording.ts";
import { windowName } from "./windows.ts";

export const byColour = ["namespace", "service", "colour"] as const;
export const byService = ["namespace", "service"] as const;
export const byRole = ["namespace", "colour"] as const;

/** Twenty scrapes: enough to be smooth, and still about what is now. */
export const now = minutes(5);

/** How far back the baseline goes: a whole week, so that Monday morning is compared with more than Sunday night. */
export const baselineWindow = days(7);
/** The stable colour must have served so long before it is one. */
export const baselineLeast = hours(1);
/** Rules are evaluated so often (S1-50). */
export const evaluation = 15;

/** Of one colour of a service, over 5 minutes. Requests are those of users: probes are left out. */
export const colour = {
  requestsRate: record("golive:requests:rate5m", { unit: "1", help: "Requests a second.", labels: byColour }),
  errorsRate: record("golive:errors:rate5m", {
    unit: "1",
    help: "Requests a second that failed (5xx); 0 where none ever did.",
    labels: byColour,
  }),
  slowRate: record("golive:slow:rate5m", {
    unit: "1",
    help: "Requests a second that took longer than the objective allows.",
    labels: byColour,
  }),
  errorRatio: record("golive:errors:ratio5m", {
    unit: "ratio",
    help: "Share of the requests that failed; nothing without requests.",
    labels: byColour,
  }),
  p50: record("golive:latency:p50_5m", { unit: "seconds", help: "Median time of a request.", labels: byColour }),
  p95: record("golive:latency:p95_5m", {
    unit: "seconds",
    help: "Time within which 95 of 100 requests were answered.",
    labels: byColour,
  }),
  p99: record("golive:latency:p99_5m", {
    unit: "seconds",
    help: "Time within which 99 of 100 requests were answered.",
    labels: byColour,
  }),
  /** S0-71's name and unit. */
  errorPercent: record("error_rate", {
    unit: "percent",
    help: "Percent of the requests that failed.",
    labels: byColour,
  }),
  /** S0-72's name and unit: milliseconds. */
  p95Milliseconds: record("latency_p95", {
    unit: "1",
    help: "Milliseconds within which 95 of 100 requests were answered.",
    labels: byColour,
  }),
};

/** Of a service as its users get it, whichever colour answers. */
export const service = {
  requestsRate: record("golive:service:requests:rate5m", { unit: "1", help: "Requests a second.", labels: byService }),
  errorsRate: record("golive:service:errors:rate5m", {
    unit: "1",
    help: "Requests a second that failed.",
    labels: byService,
  }),
  slowRate: record("golive:service:slow:rate5m", {
    unit: "1",
    help: "Requests a second that took longer than the objective allows.",
    labels: byService,
  }),
  p95: record("golive:service:latency:p95_5m", {
    unit: "seconds",
    help: "Time within which 95 of 100 requests were answered.",
    labels: byService,
  }),
};

/** Share of bad events over a window of real seconds, as the burn rate alerts compare it. */
export const badRatio = {
  availability: (seconds: number) =>
    record(`golive:public_host:failed_ratio${windowName(seconds)}`, {
      unit: "ratio",
      help: `Share of the probes of the public host that failed, over ${windowName(seconds)}.`,
      labels: ["instance"],
    }),
  errors: (seconds: number) =>
    record(`golive:service:errors:ratio${windowName(seconds)}`, {
      unit: "ratio",
      help: `Share of the requests that failed, over ${windowName(seconds)}.`,
      labels: byService,
    }),
  latency: (seconds: number) =>
    record(`golive:service:slow:ratio${windowName(seconds)}`, {
      unit: "ratio",
      help: `Share of the requests that took longer than the objective allows, over ${windowName(seconds)}.`,
      labels: byService,
    }),
};

/** Which colour is on trial and which one it is held against: rules stay as they are while the candidate moves. */
export const candidate = {
  weight: record("golive:candidate:weight_percent", {
    unit: "percent",
    help: "Live share of public requests of the candidate, only while it has any.",
    labels: byRole,
  }),
  errorRatio: record("golive:candidate:errors:ratio5m", {
    unit: "ratio",
    help: "Share of the candidate's requests that failed.",
    labels: byColour,
  }),
  p95: record("golive:candidate:latency:p95_5m", {
    unit: "seconds",
    help: "Time within which 95 of 100 of the candidate's requests were answered.",
    labels: byColour,
  }),
};

export const stable = {
  weight: record("golive:stable:weight_percent", {
    unit: "percent",
    help: "Live share of public requests of the stable colour, only while it has any.",
    labels: byRole,
  }),
  errorRatio: record("golive:stable:errors:ratio5m", {
    unit: "ratio",
    help: "Share of the stable colour's requests that failed.",
    labels: byService,
  }),
  p95: record("golive:stable:latency:p95_5m", {
    unit: "seconds",
    help: "Time within which 95 of 100 of the stable colour's requests were answered.",
    labels: byService,
  }),
};

/** What is normal (S3-52): stays while a candidate has all traffic, since it was stored before. */
export const baseline = {
  errorRatio: record("golive:baseline:errors:ratio", {
    unit: "ratio",
    help: "Share of the stable colour's requests that failed, mean of a week.",
    labels: byService,
  }),
  p95: record("golive:baseline:latency:p95", {
    unit: "seconds",
    help: "95th percentile of the stable colour's answers, median of a week: an hour of trouble does not move it.",
    labels: byService,
  }),
};

/** A record of this stack alone: a Prometheus that watches several has those of all. */
export const own =
  ({ namespace }: MonitoredStack) =>
  <L extends string>(record: Recorded<L | "namespace">): Series<"gauge", L | "namespace", "namespace"> =>
    // The compiler does not see that "namespace" is one of the labels while L is open.
    of(record as Recorded<"namespace">, { namespace }) as Series<"gauge", L | "namespace", "namespace">;
