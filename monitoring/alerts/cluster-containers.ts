import { hours, minutes } from "../clock.ts";
import { cadvisor } from "../metrics/cadvisor.ts";
import { kubeStateMetrics } from "../metrics/kube-state-metrics.ts";
import { above, and, atLeast, divide, increase, maxBy, maxOverTime, of } from "../promql/expression.ts";
import type { MonitoredStack } from "../stack.ts";
import type { Alert } from "./alert.ts";
import { ownNamespaces } from "./namespaces.ts";
import { runbook } from "./runbook.ts";
import { nodeOf, objectsTarget, stretch, stretches } from "./stories/stretches.ts";
import { counter, series } from "./stories/timeline.ts";

const byContainer = ["namespace", "pod", "container"] as const;
const example = { pod: "taskflow-backend-blue-7d9f", container: "backend" };

/** That it waits to be started again, not that it once was: a single restart is no loop. */
export function podCrashLooping(stack: MonitoredStack): Alert {
  const name = "PodCrashLooping";
  const { namespace } = stack;
  const which = { namespace: ownNamespaces(stack) };
  const window = minutes(5);
  const waits = maxBy(
    byContainer,
    maxOverTime(of(kubeStateMetrics.containerWaiting, { ...which, reason: "CrashLoopBackOff" }), window),
  );
  const restarts = maxBy(byContainer, increase(of(kubeStateMetrics.containerRestarts, which), hours(1)));
  const labels = { ...objectsTarget, namespace, ...example, uid: "5c4b" };
  const waiting = (...values: readonly (0 | 1 | "gone")[]) =>
    stretches(kubeStateMetrics.containerWaiting, { ...labels, reason: "CrashLoopBackOff" }, ...values);
  return {
    name,
    severity: "warning",
    team: "devops",
    expr: and(restarts, atLeast(waits, 1)),
    for: minutes(10),
    summary: "A container ends again and again.",
    description:
      "{{ $labels.container }} of {{ $labels.pod }} in {{ $labels.namespace }} was started again {{ $value | humanize }} times within an hour.",
    runbook: runbook("node", name),
    source: "S4-79 (no failed jobs), issue 5; kubernetes-mixin",
    stories: [
      {
        title: "while it waits to be started again",
        series: {
          ...waiting(0, 1, 0),
          [series(kubeStateMetrics.containerRestarts.name, labels)]: counter(
            [0, stretch],
            [1 / 300, stretch],
            [0, stretch],
          ),
        },
        begins: stretch,
        resolved: 2 * stretch + window,
        labels: { namespace, ...example },
      },
      {
        title: "not for a container that was started again once",
        series: {
          ...stretches(kubeStateMetrics.containerWaiting, { ...labels, reason: "ContainerCreating" }, 1, 1),
          [series(kubeStateMetrics.containerRestarts.name, labels)]: counter([0, stretch], [1 / 15, 15], [0, stretch]),
        },
      },
    ],
  };
}

/** By the working set, which the limit is held against. Without a limit it is 0. */
export function containerMemoryHigh(stack: MonitoredStack): Alert {
  const name = "ContainerMemoryHigh";
  const { namespace } = stack;
  const which = { namespace: ownNamespaces(stack), container: { not: "" } };
  const limit = above(maxBy(byContainer, of(cadvisor.memoryLimit, which)), 0);
  const labels = {
    ...nodeOf("cadvisor"),
    namespace,
    ...example,
    image: "backend:1.4.0",
    name: "a1",
    id: "/kubepods/a1",
  };
  const story = (max: number, ...used: readonly number[]) => ({
    ...stretches(cadvisor.memory, labels, ...used),
    ...stretches(cadvisor.memoryLimit, labels, ...used.map(() => max)),
    // The pod as a whole, which is no container.
    ...stretches(cadvisor.memory, { ...labels, container: "", id: "/kubepods" }, ...used.map(() => 99)),
    ...stretches(cadvisor.memoryLimit, { ...labels, container: "", id: "/kubepods" }, ...used.map(() => 100)),
  });
  return {
    name,
    severity: "warning",
    team: "devops",
    expr: above(divide(maxBy(byContainer, of(cadvisor.memory, which)), limit), 0.9),
    for: minutes(15),
    summary: "A container is near its memory limit.",
    description:
      "{{ $labels.container }} of {{ $labels.pod }} in {{ $labels.namespace }} uses {{ $value | humanizePercentage }} of its memory limit; at the limit it is killed.",
    runbook: runbook("node", name),
    source: "S4-79 (memory)",
    stories: [
      {
        title: "until it needs less",
        series: story(100, 50, 95, 50),
        begins: stretch,
        resolved: 2 * stretch,
        labels: { namespace, ...example },
        description: `backend of ${example.pod} in ${namespace} uses 95% of its memory limit; at the limit it is killed.`,
      },
      { title: "not at the bound", series: story(100, 90, 90) },
      { title: "not without a limit", series: story(0, 95, 95) },
    ],
  };
}
