import { application as metrics } from "../metrics/application.ts";
import { applicationTargets } from "../metrics/targets.ts";
import { above, atLeast, buckets, divide, of, or, quantile, sumBy, times, type Vector } from "../promql/expression.ts";
import { panelRate } from "../promql/panel-window.ts";
import { failedRequests, httpServices, jobOf, requestBuckets, requests, responseBytes } from "../rules/requests.ts";
import type { MonitoredStack } from "../stack.ts";

/** What a panel can tell apart: the services of a stack and the colours of each. */
type By = "service" | "colour";

/** The pods of a stack's HTTP services, in both colours. */
const pods = ({ application, namespace }: MonitoredStack) => ({
  job: {
    like: httpServices(application)
      .map((service) => jobOf(application, service))
      .join("|"),
  },
  namespace,
});

/**
 * 0 for every service and colour that has a pod. What never happened has no series: without it a panel of a service that
 * nobody called, or that never failed, would say `No data` as if it were not watched.
 */
export const none = <const L extends By>(stack: MonitoredStack, by: readonly L[]): Vector<L> =>
  times(sumBy(by, of(applicationTargets.up, pods(stack))), 0);

/** Requests a second. */
export const requestRate = <const L extends By>(stack: MonitoredStack, by: readonly L[]): Vector<L> =>
  or(sumBy(by, panelRate(requests(stack))), none(stack, by));

/** Answers with status 5xx as a share of all, 0 to 1; 0 without requests. */
export function errorRatio<const L extends By>(stack: MonitoredStack, by: readonly L[]): Vector<L> {
  const failed = sumBy(by, panelRate(failedRequests(stack)));
  const all = sumBy(by, panelRate(requests(stack)));
  return or(divide(failed, above(all, 0)), none(stack, by));
}

/** Seconds within which a share `q` of the requests is answered; 0 without requests. */
export const latency = <const L extends By>(stack: MonitoredStack, by: readonly L[], q: number): Vector<L> =>
  or(known(quantile<L>(q, sumBy([...by, "le"], panelRate(requestBuckets(stack))))), none(stack, by));

/** Seconds within which 95 of 100 transactions end, of every colour that has a pod; 0 without transactions. */
export const transactionLatency = (stack: MonitoredStack): Vector<"colour"> =>
  or(
    known(
      quantile<"colour">(0.95, sumBy(["colour", "le"], panelRate(buckets(metrics.transactionDuration, pods(stack))))),
    ),
    none(stack, ["colour"]),
  );

/** Bytes of response bodies a second. */
export const throughput = <const L extends By>(stack: MonitoredStack, by: readonly L[]): Vector<L> =>
  or(sumBy(by, panelRate(responseBytes(stack))), none(stack, by));

/** A quantile of nothing is NaN, which is a series for `or`, and no number for a reader. */
const known = <L extends string>(vector: Vector<L>): Vector<L> => atLeast(vector, 0);
