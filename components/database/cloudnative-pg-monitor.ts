import type { Settings } from "../../settings.ts";
import type { CustomManifest } from "../cluster/custom-manifest.ts";
import { jobIs, limits, oftenScraped, selectedBy, withoutNoise } from "../monitoring/scrape.ts";
import { serverName } from "./address.ts";

/** Has Prometheus read what every server of a Cluster says of itself: replication lag, write-ahead log, backups. */
export function podMonitorManifest(settings: Settings): CustomManifest {
  return {
    apiVersion: "monitoring.coreos.com/v1",
    kind: "PodMonitor",
    metadata: {
      name: serverName,
      namespace: settings.namespace,
      labels: { component: serverName, ...selectedBy(settings) },
    },
    spec: {
      selector: { matchLabels: { "cnpg.io/cluster": serverName } },
      podMetricsEndpoints: [
        { port: "metrics", ...oftenScraped(settings), relabelings: [jobIs("cloudnative-pg"), withoutNoise] },
      ],
      ...limits(10_000),
    },
  };
}
