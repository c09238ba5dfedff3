import type { Settings } from "../../settings.ts";
import type { CustomManifest } from "../cluster/custom-manifest.ts";
import { jobIs, limits, oftenScraped, selectedBy, withoutNoise } from "./scrape.ts";

/** Has Prometheus read the proxy behind the Gateway; its pods are in the Gateway's namespace, which is not ours. */
export function gatewayMonitor(settings: Settings): CustomManifest {
  const { application, namespace, monitoring } = settings;
  return {
    apiVersion: "monitoring.coreos.com/v1",
    kind: "PodMonitor",
    metadata: { name: `${application.name}-gateway`, namespace, labels: selectedBy(settings) },
    spec: {
      namespaceSelector: { matchNames: [settings.gateway.namespace] },
      selector: { matchLabels: monitoring.gateway.podLabels },
      podMetricsEndpoints: [
        { port: monitoring.gateway.port, ...oftenScraped(settings), relabelings: [jobIs("gateway"), withoutNoise] },
      ],
      // A series for each of its routers, services and status codes.
      ...limits(20_000),
    },
  };
}
