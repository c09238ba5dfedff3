import type { Settings } from "../../settings.ts";
import type { CustomManifest } from "../cluster/custom-manifest.ts";
import { kubeStateMetricsName } from "./kube-state-metrics.ts";
import { alertmanagerName, nodeExporterName, nodesNamespace, prometheusName, webPort } from "./names.ts";
import { fromPod, jobIs, limits, metricsPort, oftenScraped, selectedBy, withoutNoise } from "./scrape.ts";

const nodeName = "__meta_kubernetes_pod_node_name";

/** Has Prometheus read itself, Alertmanager, and what watches the nodes and the API's objects. */
export function serversMonitor(settings: Settings): CustomManifest {
  const { application, monitoring } = settings;
  const often = oftenScraped(settings);
  const components = [prometheusName, alertmanagerName, nodeExporterName, kubeStateMetricsName];
  return {
    apiVersion: "monitoring.coreos.com/v1",
    kind: "PodMonitor",
    metadata: { name: `${application.name}-servers`, namespace: monitoring.namespace, labels: selectedBy(settings) },
    spec: {
      namespaceSelector: { matchNames: [monitoring.namespace, nodesNamespace(settings)] },
      selector: {
        matchLabels: { app: application.name },
        matchExpressions: [{ key: "component", operator: "In", values: components }],
      },
      podMetricsEndpoints: [
        { port: webPort, ...often, relabelings: [fromPod("component", "job"), withoutNoise] },
        {
          // A node's metrics are the node's, wherever the pod is that reads them.
          port: metricsPort,
          ...often,
          relabelings: [
            jobIs("node"),
            { sourceLabels: [nodeName], targetLabel: "node" },
            { sourceLabels: [nodeName], targetLabel: "instance" },
            { action: "labeldrop", regex: "container|endpoint|namespace|pod" },
          ],
        },
        // The namespaces and pods are those of the objects that it tells of.
        {
          port: "objects",
          ...often,
          honorLabels: true,
          relabelings: [
            jobIs("kube-state-metrics"),
            { action: "labeldrop", regex: "container|endpoint|namespace|pod" },
          ],
        },
      ],
      ...limits(100_000),
    },
  };
}
