import type { types } from "@pulumi/kubernetes";
import type { Settings } from "../../settings.ts";
import type { Reader } from "./access.ts";
import { exporterDeployment } from "./exporter.ts";

export const kubeStateMetricsName = "kube-state-metrics";

/** Of which objects it tells, by API group: those that rules and panels ask for (monitoring/metrics/kube-state-metrics.ts). */
const objects: Readonly<Record<string, readonly string[]>> = {
  "": ["nodes", "persistentvolumeclaims", "pods"],
  apps: ["daemonsets", "deployments", "statefulsets"],
  batch: ["cronjobs", "jobs"],
  autoscaling: ["horizontalpodautoscalers"],
  policy: ["poddisruptionbudgets"],
};

export const kubeStateReader: Reader = {
  name: kubeStateMetricsName,
  rules: Object.entries(objects).map(([group, resources]) => ({
    apiGroups: [group],
    resources: [...resources],
    verbs: ["list", "watch"],
  })),
};

/** Tells of the API's objects what no kubelet knows: how many pods there should be, and whether a Job failed. */
export function kubeStateMetrics(settings: Settings, image: string): types.input.apps.v1.Deployment {
  return exporterDeployment(settings, {
    name: kubeStateMetricsName,
    namespace: settings.monitoring.namespace,
    image,
    port: { name: "objects", port: 8080 },
    healthPath: "/healthz",
    memoryMiB: 256,
    args: [
      `--resources=${Object.values(objects).flat().sort().join(",")}`,
      // Its own metrics, on another port: nobody reads them.
      "--telemetry-host=127.0.0.1",
    ],
    serviceAccountName: kubeStateMetricsName,
  });
}
