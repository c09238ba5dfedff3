import { cadvisor } from "../../monitoring/metrics/cadvisor.ts";
import { kubelet } from "../../monitoring/metrics/kubelet.ts";
import type { Metric } from "../../monitoring/metrics/metric.ts";
import type { Settings } from "../../settings.ts";
import type { CustomManifest } from "../cluster/custom-manifest.ts";
import { limits, seldomScraped, selectedBy } from "./scrape.ts";

/**
 * How a kubelet is asked: with the token of Prometheus' own account, which a ScrapeConfig alone cannot name. Most clusters let
 * their kubelets sign their own certificates, so that no authority vouches for them.
 */
export const kubeletScrapeClass = {
  name: "kubelet",
  authorization: { credentialsFile: "/var/run/secrets/kubernetes.io/serviceaccount/token" },
  tlsConfig: { insecureSkipVerify: true },
} as const;

/** What the kubelet of each node knows of volumes, and (cAdvisor) of containers. */
export const kubeletScrapeConfigs = (settings: Settings): readonly CustomManifest[] => [
  scrapeConfig(settings, { job: "kubelet", path: "/metrics", metrics: kubelet }),
  scrapeConfig(settings, { job: "cadvisor", path: "/metrics/cadvisor", metrics: cadvisor }),
];

interface Endpoint {
  readonly job: string;
  readonly path: string;
  /** What is kept of it: a kubelet has thousands of series that nobody asks for. */
  readonly metrics: Readonly<Record<string, Metric>>;
}

function scrapeConfig(settings: Settings, { job, path, metrics }: Endpoint): CustomManifest {
  const nodeName = "__meta_kubernetes_node_name";
  return {
    apiVersion: "monitoring.coreos.com/v1alpha1",
    kind: "ScrapeConfig",
    metadata: {
      name: `${settings.application.name}-${job}`,
      namespace: settings.monitoring.namespace,
      labels: selectedBy(settings),
    },
    spec: {
      jobName: job,
      scrapeClass: kubeletScrapeClass.name,
      scheme: "HTTPS",
      metricsPath: path,
      ...seldomScraped(settings),
      // cAdvisor gives each value the time at which it was measured: with that, what is gone would stay for five minutes.
      honorTimestamps: false,
      kubernetesSDConfigs: [{ role: "Node" }],
      relabelings: [
        { sourceLabels: [nodeName], targetLabel: "node" },
        { sourceLabels: [nodeName], targetLabel: "instance" },
      ],
      metricRelabelings: [{ sourceLabels: ["__name__"], regex: namesOf(metrics), action: "keep" }],
      ...limits(50_000),
    },
  };
}

const namesOf = (metrics: Readonly<Record<string, Metric>>) =>
  Object.values(metrics)
    .map(({ name }) => name)
    .sort()
    .join("|");
