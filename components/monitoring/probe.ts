import type { types } from "@pulumi/kubernetes";
import type { Settings } from "../../settings.ts";
import type { CustomManifest } from "../cluster/custom-manifest.ts";
import { digestOf } from "../database/migration-job.ts";
import { labelsOf } from "../pod/labels.ts";
import { exporterDeployment } from "./exporter.ts";
import { limits, metricsPort, oftenScraped, selectedBy } from "./scrape.ts";

/** Deployment, Service and ConfigMap of what asks for the public address, and the label `component` of its pod. */
export const blackboxName = "blackbox-exporter";

const port = 9115;
const directory = "/etc/blackbox";
const file = "blackbox.json";
const module = "public";

/** Asks for the public address as a user would, again and again (S4-72): is it there, how long does it take, how long is its certificate good. */
export function probeManifest(settings: Settings): CustomManifest {
  const { application, namespace, monitoring } = settings;
  return {
    apiVersion: "monitoring.coreos.com/v1",
    kind: "Probe",
    metadata: { name: application.name, namespace, labels: selectedBy(settings) },
    spec: {
      jobName: "probe",
      module,
      ...oftenScraped(settings),
      prober: { url: `${blackboxName}.${namespace}.svc.cluster.local:${port}`, path: "/probe", scheme: "http" },
      targets: { staticConfig: { static: [monitoring.probe.url] } },
      ...limits(1_000),
    },
  };
}

export function blackboxConfigMap(settings: Settings): types.input.core.v1.ConfigMap {
  return { metadata: metadataOf(settings), data: { [file]: `${JSON.stringify(configuration(settings), null, 2)}\n` } };
}

/** JSON, which is YAML. */
function configuration({ monitoring }: Settings) {
  const { host } = monitoring.probe;
  return {
    modules: {
      [module]: {
        prober: "http",
        // A page that takes longer is down for whoever waits for it.
        timeout: "5s",
        http: {
          method: "GET",
          // Somewhere else another host would answer for ours. Without a list of codes, 2xx is good and all else is not.
          follow_redirects: false,
          preferred_ip_protocol: "ip4",
          headers: { "User-Agent": "golive-probe", ...(host === undefined ? {} : { Host: host }) },
        },
      },
    },
  };
}

export function blackboxDeployment(settings: Settings): types.input.apps.v1.Deployment {
  return exporterDeployment(settings, {
    name: blackboxName,
    namespace: settings.namespace,
    image: settings.monitoring.images.blackboxExporter,
    port: { name: metricsPort, port },
    healthPath: "/-/healthy",
    memoryMiB: 64,
    // How much sooner than Prometheus it gives up, in seconds, so that it still can say so.
    args: [`--config.file=${directory}/${file}`, "--timeout-offset=0.1"],
    volumeMounts: [{ name: "config", mountPath: directory, readOnly: true }],
    volumes: [{ name: "config", configMap: { name: blackboxName } }],
    annotations: { "golive/config": digestOf(configuration(settings)) },
  });
}

export function blackboxService(settings: Settings): types.input.core.v1.Service {
  return {
    metadata: { ...metadataOf(settings), annotations: { "pulumi.com/skipAwait": "true" } },
    spec: {
      selector: labelsOf(settings, blackboxName),
      ports: [{ name: metricsPort, port, targetPort: metricsPort }],
    },
  };
}

const metadataOf = (settings: Settings) => ({
  name: blackboxName,
  namespace: settings.namespace,
  labels: labelsOf(settings, blackboxName),
});
