import type { Settings } from "../../settings.ts";
import { serverName } from "./address.ts";
import type { CustomManifest } from "./cloudnative-pg-manifest.ts";

/** Has Prometheus read what every server of a Cluster says of itself: replication lag, write-ahead log, backups. */
export function podMonitorManifest({ namespace, application }: Settings): CustomManifest {
  return {
    apiVersion: "monitoring.coreos.com/v1",
    kind: "PodMonitor",
    metadata: { name: serverName, namespace, labels: { app: application.name, component: serverName } },
    spec: {
      selector: { matchLabels: { "cnpg.io/cluster": serverName } },
      podMetricsEndpoints: [{ port: "metrics" }],
    },
  };
}
