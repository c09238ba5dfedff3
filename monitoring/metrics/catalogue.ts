import { alertmanager } from "./alertmanager.ts";
import { application } from "./application.ts";
import { cadvisor } from "./cadvisor.ts";
import { cloudnativePg } from "./cloudnative-pg.ts";
import { gateway } from "./gateway.ts";
import { guard } from "./guard.ts";
import { kubeStateMetrics } from "./kube-state-metrics.ts";
import { kubelet } from "./kubelet.ts";
import type { Metric } from "./metric.ts";
import { node } from "./node.ts";
import { postgres } from "./postgres.ts";
import { postgresOperations } from "./postgres-operations.ts";
import { probe } from "./probe.ts";
import { prometheus } from "./prometheus.ts";
import { redis } from "./redis.ts";
import { rollout } from "./rollout.ts";
import { applicationTargets, podTargets, ruleSeries, targets } from "./targets.ts";

/** All metrics of these sources as one list; two of one name and source are refused. */
export function catalogueOf(...sources: readonly Readonly<Record<string, Metric>>[]): readonly Metric[] {
  const all = sources.flatMap((source) => Object.values(source));
  const seen = new Set<string>();
  for (const { name, source } of all) {
    const key = `${name} of ${source.exporter}`;
    if (seen.has(key)) throw new TypeError(`metric ${key} is in the catalogue twice`);
    seen.add(key);
  }
  return all;
}

/** Every metric that rules and panels may be made of, beside what rules record. */
export const catalogue: readonly Metric[] = catalogueOf(
  alertmanager,
  application,
  applicationTargets,
  cadvisor,
  cloudnativePg,
  gateway,
  guard,
  kubeStateMetrics,
  kubelet,
  node,
  podTargets,
  postgres,
  postgresOperations,
  probe,
  prometheus,
  redis,
  rollout,
  ruleSeries,
  targets,
);
