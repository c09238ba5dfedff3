import { isHttp } from "../../applications/application.ts";
import type { Settings } from "../../settings.ts";
import type { CustomManifest } from "../cluster/custom-manifest.ts";
import { fromPod, limits, oftenScraped, selectedBy, withoutNoise } from "./scrape.ts";

/**
 * Has Prometheus read every HTTP service of both colours (S1-51). Which service, colour and version a series is of says the
 * pod's own labels, which golive writes; what an application says of itself under these names is dropped.
 */
export function applicationMonitor(settings: Settings): CustomManifest {
  const { application, namespace } = settings;
  const services = application.services.filter(isHttp).map(({ name }) => name);
  const app = "__meta_kubernetes_pod_label_app";
  return {
    apiVersion: "monitoring.coreos.com/v1",
    kind: "ServiceMonitor",
    metadata: { name: application.name, namespace, labels: selectedBy(settings) },
    spec: {
      selector: {
        matchLabels: { app: application.name },
        matchExpressions: [{ key: "component", operator: "In", values: services }],
      },
      endpoints: [
        {
          port: "http",
          path: "/metrics",
          ...oftenScraped(settings),
          relabelings: [
            { sourceLabels: [app, "__meta_kubernetes_pod_label_component"], separator: "-", targetLabel: "job" },
            fromPod("component", "service"),
            fromPod("version", "colour"),
            fromPod("app_kubernetes_io_version", "version"),
            withoutNoise,
          ],
          metricRelabelings: [{ action: "labeldrop", regex: "exported_(service|colour|version)" }],
        },
      ],
      ...limits(5_000),
    },
  };
}
