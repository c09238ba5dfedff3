import { minutes } from "../clock.ts";
import { kubeStateMetrics } from "../metrics/kube-state-metrics.ts";
import type { Metric } from "../metrics/metric.ts";
import { above, and, atMost, changes, equal, exceeds, maxBy, of, subtract, type Vector } from "../promql/expression.ts";
import type { MonitoredStack } from "../stack.ts";
import type { Alert, Story } from "./alert.ts";
import { ownNamespaces } from "./namespaces.ts";
import { runbook } from "./runbook.ts";
import { objectsTarget, stretch, stretches } from "./stories/stretches.ts";
import { gauge, series } from "./stories/timeline.ts";

/** Whether as many pods run as should. */
export const workloadAlerts = (stack: MonitoredStack): readonly Alert[] => [
  deploymentNotAvailable(stack),
  statefulSetNotReady(stack),
  daemonSetNotReady(stack),
  autoscalerAtMaximum(stack),
];

/** Pods that are missing. What was scaled to 0, such as a retired colour, lacks none. */
const lacking = <L extends string>(wanted: Vector<L>, there: Vector<L>): Vector<L> => above(subtract(wanted, there), 0);

/** A rollout in progress is no fault: as long as pods are still being replaced, it waits. */
const rollout = minutes(10);
const settled = <L extends string>(changed: Vector<L>): Vector<L> => equal(changed, 0);

function deploymentNotAvailable(stack: MonitoredStack): Alert {
  const { deploymentReplicas: wanted, deploymentAvailable: there, deploymentUpdated: updated } = kubeStateMetrics;
  const by = ["namespace", "deployment"] as const;
  const which = { namespace: ownNamespaces(stack) };
  return tooFew(stack, {
    name: "DeploymentNotAvailable",
    kind: "Deployment",
    expr: and(
      lacking(maxBy(by, of(wanted, which)), maxBy(by, of(there, which))),
      settled(maxBy(by, changes(of(updated, which), rollout))),
    ),
    metrics: { wanted, there, updated },
  });
}

function statefulSetNotReady(stack: MonitoredStack): Alert {
  const { statefulSetReplicas: wanted, statefulSetReady: there, statefulSetUpdated: updated } = kubeStateMetrics;
  const by = ["namespace", "statefulset"] as const;
  const which = { namespace: ownNamespaces(stack) };
  return tooFew(stack, {
    name: "StatefulSetNotReady",
    kind: "StatefulSet",
    expr: and(
      lacking(maxBy(by, of(wanted, which)), maxBy(by, of(there, which))),
      settled(maxBy(by, changes(of(updated, which), rollout))),
    ),
    metrics: { wanted, there, updated },
  });
}

function daemonSetNotReady(stack: MonitoredStack): Alert {
  const { daemonSetDesired: wanted, daemonSetReady: there } = kubeStateMetrics;
  const by = ["namespace", "daemonset"] as const;
  const which = { namespace: ownNamespaces(stack) };
  return tooFew(stack, {
    name: "DaemonSetNotReady",
    kind: "DaemonSet",
    expr: lacking(maxBy(by, of(wanted, which)), maxBy(by, of(there, which))),
    metrics: { wanted, there },
  });
}

interface Workloads {
  readonly name: string;
  readonly kind: "Deployment" | "StatefulSet" | "DaemonSet";
  readonly expr: Alert["expr"];
  /** What its stories tell of. `updated`: pods of the newest template, where that is known. */
  readonly metrics: Readonly<Record<"wanted" | "there", Metric<"gauge">>> & { readonly updated?: Metric<"gauge"> };
}

function tooFew(
  { namespace }: MonitoredStack,
  { name, kind, expr, metrics: { wanted, there, updated } }: Workloads,
): Alert {
  const label = kind.toLowerCase();
  const example = { [label]: "taskflow-backend-blue" };
  const labels = { ...objectsTarget, namespace, ...example };
  const pods = (metric: Metric<"gauge"> | undefined, ...values: readonly number[]) =>
    metric === undefined ? {} : stretches(metric, labels, ...values);
  return {
    name,
    severity: "warning",
    team: "devops",
    expr,
    for: minutes(15),
    summary: `A ${kind} has fewer pods than it should.`,
    description: `${kind} {{ $labels.${label} }} in {{ $labels.namespace }} lacks {{ $value }} pods.`,
    runbook: runbook("node", name),
    source: "S4-78, issue 5; kubernetes-mixin",
    covers: [{ kind }],
    stories: [
      {
        title: "until they are back",
        series: { ...pods(wanted, 3, 3, 3), ...pods(there, 3, 1, 3), ...pods(updated, 3, 3, 3) },
        begins: stretch,
        resolved: 2 * stretch,
        labels: { namespace, ...example },
        description: `${kind} taskflow-backend-blue in ${namespace} lacks 2 pods.`,
      },
      {
        title: "not for what was scaled to 0",
        series: { ...pods(wanted, 3, 0), ...pods(there, 3, 0), ...pods(updated, 3, 0) },
      },
      ...(updated === undefined ? [] : [inARollout(labels, { wanted, there, updated })]),
    ],
  };
}

/** One pod less than wanted for an hour and twenty minutes, while one after the other is replaced. */
const inARollout = (
  labels: Readonly<Record<string, string>>,
  { wanted, there, updated }: Required<Workloads["metrics"]>,
): Story => ({
  title: "not while a rollout goes on",
  series: {
    ...stretches(wanted, labels, 16, 16),
    ...stretches(there, labels, 15, 15),
    [series(updated.name, labels)]: gauge(...Array.from({ length: 16 }, (_, pod) => [pod, minutes(5)] as const)),
  },
});

function autoscalerAtMaximum(stack: MonitoredStack): Alert {
  const name = "AutoscalerAtMaximum";
  const { namespace } = stack;
  const by = ["namespace", "horizontalpodautoscaler"] as const;
  const ofEach = (metric: typeof kubeStateMetrics.autoscalerMax) =>
    maxBy(by, of(metric, { namespace: ownNamespaces(stack) }));
  const current = ofEach(kubeStateMetrics.autoscalerCurrent);
  const most = ofEach(kubeStateMetrics.autoscalerMax);
  const labels = { ...objectsTarget, namespace, horizontalpodautoscaler: "taskflow-backend-blue" };
  const story = (least: number, ...now: readonly number[]) => ({
    ...stretches(kubeStateMetrics.autoscalerMin, labels, ...now.map(() => least)),
    ...stretches(kubeStateMetrics.autoscalerMax, labels, ...now.map(() => 10)),
    ...stretches(kubeStateMetrics.autoscalerCurrent, labels, ...now),
  });
  return {
    name,
    severity: "warning",
    team: "devops",
    // One that cannot scale at all is at its maximum by intent.
    expr: and(and(current, atMost(subtract(most, current), 0)), exceeds(most, ofEach(kubeStateMetrics.autoscalerMin))),
    for: minutes(15),
    summary: "An autoscaler cannot add pods any more.",
    description:
      "{{ $labels.horizontalpodautoscaler }} in {{ $labels.namespace }} is at its maximum of {{ $value }} pods: more load makes answers slow.",
    runbook: runbook("node", name),
    source: "S4-79 (auto-scaling)",
    stories: [
      {
        title: "until it has room again",
        series: story(3, 5, 10, 5),
        begins: stretch,
        resolved: 2 * stretch,
        labels: { namespace, horizontalpodautoscaler: "taskflow-backend-blue" },
        description: `taskflow-backend-blue in ${namespace} is at its maximum of 10 pods: more load makes answers slow.`,
      },
      { title: "not for one of a fixed size", series: story(10, 10, 10) },
    ],
  };
}
