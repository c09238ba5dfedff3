import { minutes } from "../clock.ts";
import type { Metric } from "../metrics/metric.ts";
import { absent, equal, maxBy, of, or } from "../promql/expression.ts";
import { now } from "../rules/records.ts";
import type { MonitoredStack } from "../stack.ts";
import type { Alert } from "./alert.ts";
import { exporterOf, stretch, stretches } from "./stories/stretches.ts";

/** A store, and the word of its exporter on whether it can be reached. */
export interface Watched {
  readonly up: Metric<"gauge", "job" | "instance" | "namespace" | "pod">;
  readonly job: string;
  /** Its name for people. */
  readonly server: string;
}

/** What the alerts share that say that nothing reaches a store of a stack: its exporter says so, or is gone itself (V13). */
export function serverGone(
  stack: MonitoredStack,
  { up: metric, job, server }: Watched,
): Pick<Alert, "expr" | "for" | "keepFiringFor" | "description" | "stories"> {
  const { namespace } = stack;
  const up = of(metric, { job, namespace });
  const exporter = exporterOf(stack, job);
  const labels = { job, namespace };
  const says = (where: string, what: string) => `Nothing reaches ${server} of ${where}; ${metric.name}: ${what}.`;
  return {
    // The same labels on both sides: an exporter that goes with its server is one alert, not two in turn.
    expr: or(equal(maxBy(["job", "namespace"], up), 0), absent(up)),
    for: minutes(1),
    keepFiringFor: now,
    description: says(
      "{{ $labels.namespace }}",
      "{{ if eq $value 0.0 }}{{ $value }}{{ else }}not measured, its exporter is gone{{ end }}",
    ),
    stories: [
      {
        title: "when the server is gone",
        series: stretches(metric, exporter, 1, 0, 1),
        begins: stretch,
        resolved: 2 * stretch,
        labels,
        description: says(namespace, "0"),
      },
      {
        title: "when its exporter is gone",
        series: stretches(metric, exporter, 1, "gone", 1),
        begins: stretch,
        resolved: 2 * stretch,
        labels,
        description: says(namespace, "not measured, its exporter is gone"),
      },
      {
        title: "when the only one is another namespace's",
        series: stretches(metric, { ...exporter, namespace: "elsewhere" }, 1),
        begins: 0,
        labels,
      },
      {
        title: "not while one exporter takes the place of another",
        series: {
          ...stretches(metric, exporter, 1, 0),
          ...stretches(metric, { ...exporter, instance: "10.0.0.6:9100" }, "gone", 1),
        },
      },
    ],
  };
}
