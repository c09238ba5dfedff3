import { guardName } from "../../rollout/gate/guard-name.ts";
import type { Settings } from "../../settings.ts";
import type { CustomManifest } from "../cluster/custom-manifest.ts";
import { metricsName } from "../database/names.ts";
import { rolloutMetricsName } from "../traffic/rollout-metrics-manifests.ts";
import { jobIs, limits, metricsPort, oftenScraped, type Relabelling, selectedBy, withoutNoise } from "./scrape.ts";

/** Names of the Deployments of exporters, and the label `component` of their pods. */
export const postgresExporterName = "postgres-exporter";
export const redisExporterName = "redis-exporter";

/** The value of `job` by the label `component` of the pods beside an application, each with a port `metrics`. */
export const exporterJobs: Readonly<Record<string, string>> = {
  [postgresExporterName]: "postgres",
  [redisExporterName]: "redis",
  [metricsName]: "postgres-operations",
  [rolloutMetricsName]: "rollout",
  [guardName]: "guard",
};

const component = "__meta_kubernetes_pod_label_component";

/** Has Prometheus read all that stands beside the application in its namespace: one object, since each costs every run (S1-52, S1-53). */
export function exportersMonitor(settings: Settings): CustomManifest {
  const { application, namespace } = settings;
  const names = Object.entries(exporterJobs).map(
    ([exporter, job]): Relabelling => ({ sourceLabels: [component], regex: exporter, ...jobIs(job) }),
  );
  return {
    apiVersion: "monitoring.coreos.com/v1",
    kind: "PodMonitor",
    metadata: { name: `${application.name}-exporters`, namespace, labels: selectedBy(settings) },
    spec: {
      selector: {
        matchLabels: { app: application.name },
        matchExpressions: [{ key: "component", operator: "In", values: Object.keys(exporterJobs) }],
      },
      podMetricsEndpoints: [{ port: metricsPort, ...oftenScraped(settings), relabelings: [...names, withoutNoise] }],
      ...limits(10_000),
    },
  };
}
