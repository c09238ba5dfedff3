import { days, minutes } from "../clock.ts";
import { kubeStateMetrics } from "../metrics/kube-state-metrics.ts";
import { and, below, equal, from, type Matcher, maxBy, of, type Vector } from "../promql/expression.ts";
import type { MonitoredStack } from "../stack.ts";
import type { Story } from "./alert.ts";
import { expectedJobs } from "./jobs.ts";
import { ownNamespaces } from "./namespaces.ts";
import { objectsTarget, stretch, stretches } from "./stories/stretches.ts";

const byJob = ["namespace", "job_name"] as const;

/** Whether something tells of the API's objects: where nothing does, an alert on them would be one that cannot fire. */
export const tellsOfObjects = (stack: MonitoredStack): boolean =>
  expectedJobs(stack).shared.includes("kube-state-metrics");

/**
 * Jobs that failed for good, with the seconds since they began. Only those of the last day: a failed Job is kept until three
 * newer ones have failed, however often its CronJob succeeds meanwhile.
 */
export function failedJobs(stack: MonitoredStack, job_name: Matcher): Vector<(typeof byJob)[number]> {
  const which = { namespace: ownNamespaces(stack), job_name };
  const age = from("time()", maxBy(byJob, of(kubeStateMetrics.jobStartedAt, which)));
  const failed = equal(maxBy(byJob, of(kubeStateMetrics.jobFailed, { ...which, condition: "true" })), 1);
  return and(below(age, { seconds: days(1) }), failed);
}

/** A failed Job lasts until somebody removes it; a minute tells it from one that a person runs and removes at once. */
export const failedJobFor = minutes(1);

/** Stories of a Job that fails, of one that failed long ago, and of one that is not meant. */
export function failedJobStories(
  { namespace }: MonitoredStack,
  job_name: string,
  other: string,
): readonly [Story, ...Story[]] {
  const named = (name: string) => ({ ...objectsTarget, namespace, job_name: name });
  const job = named(job_name);
  const failed = (...values: readonly (0 | 1 | "gone")[]) => ({
    ...stretches(kubeStateMetrics.jobFailed, { ...job, condition: "true" }, ...values),
    ...stretches(
      kubeStateMetrics.jobFailed,
      { ...job, condition: "false" },
      ...values.map((value) => (value === "gone" ? value : 1 - value)),
    ),
  });
  const begun = (at: number) => stretches(kubeStateMetrics.jobStartedAt, job, at, at, at);
  return [
    {
      title: "until it is removed",
      series: { ...begun(3 * stretch - days(1)), ...failed(0, 1, "gone") },
      begins: stretch,
      resolved: 2 * stretch,
      labels: { namespace, job_name },
    },
    { title: "not for one of a day ago", series: { ...begun(-days(1)), ...failed(1, 1, 1) } },
    { title: "not for one that runs", series: { ...begun(0), ...failed(0, 0, 0) } },
    {
      title: "not for a Job that another alert speaks of",
      series: {
        ...stretches(kubeStateMetrics.jobStartedAt, named(other), 0),
        ...stretches(kubeStateMetrics.jobFailed, { ...named(other), condition: "true" }, 1),
      },
    },
  ];
}
