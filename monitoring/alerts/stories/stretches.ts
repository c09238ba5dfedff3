import { minutes } from "../../clock.ts";
import type { Metric } from "../../metrics/metric.ts";
import type { MonitoredStack } from "../../stack.ts";
import { gauge, type Phase, series } from "./timeline.ts";

/** Real seconds of one part of a story that goes well, then wrong, then well again: longer than any alert waits. */
export const stretch = minutes(40);

type Labels = Readonly<Record<string, string>>;

/** A gauge that has each of these values for one stretch. */
export const stretches = (
  metric: Metric<"gauge">,
  labels: Labels,
  ...values: readonly Phase[0][]
): Readonly<Record<string, string>> => ({
  [series(metric.name, labels)]: gauge(...values.map((value): Phase => [value, stretch])),
});

/** Labels of the one pod of an exporter in a stack's own namespace, in a story. */
export const exporterOf = ({ namespace }: MonitoredStack, job: string): Labels => ({
  job,
  instance: "10.0.0.5:9100",
  namespace,
  pod: `${job}-exporter-6b8d`,
});

/** Labels of a node's target, in a story. */
export const nodeOf = (job: "node" | "kubelet" | "cadvisor", node = "node-1"): Labels => ({
  job,
  instance: node,
  node,
});

/** Labels of kube-state-metrics' target, in a story: namespaces are those of the objects. */
export const objectsTarget: Labels = { job: "kube-state-metrics", instance: "10.0.0.6:8080" };
