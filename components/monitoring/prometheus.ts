import type { types } from "@pulumi/kubernetes";
import { hours, minutes } from "../../monitoring/clock.ts";
import { defaults } from "../../settings/environments.ts";
import { mirrored } from "../../settings/images.ts";
import type { Settings } from "../../settings.ts";
import type { CustomManifest } from "../cluster/custom-manifest.ts";
import { labelsOf } from "../pod/labels.ts";
import { kubeletScrapeClass } from "./kubelet.ts";
import { alertmanagerName, prometheusName, prometheusPort, webPort } from "./names.ts";
import { operatedPod, volumeOf } from "./operated-pod.ts";
import { clockOf, oftenScraped } from "./scrape.ts";

/** The Prometheus of a stack (S1-50): it takes every monitor, probe and rule of any namespace that has the stack's labels. */
export function prometheusManifest(settings: Settings): CustomManifest {
  const { application, monitoring, environment, imageMirrors } = settings;
  const { interval, scrapeTimeout } = oftenScraped(settings);
  const { cpu, memory } = defaults[environment].monitoring.prometheus;
  const ours = { matchLabels: monitoring.labels };
  const clock = clockOf(settings);
  return {
    apiVersion: "monitoring.coreos.com/v1",
    kind: "Prometheus",
    metadata: {
      name: application.name,
      namespace: monitoring.namespace,
      labels: labelsOf(settings, prometheusName),
    },
    spec: {
      image: mirrored(monitoring.images.prometheus, imageMirrors),
      version: monitoring.prometheusVersion,
      ...operatedPod(settings, prometheusName),
      serviceAccountName: prometheusName,
      automountServiceAccountToken: true,
      scrapeInterval: interval,
      scrapeTimeout,
      evaluationInterval: interval,
      retention: `${monitoring.retentionDays}d`,
      // A full volume stops it: the oldest data goes first.
      retentionSize: `${Math.floor(mebibytes(monitoring.storage) * 0.8)}MiB`,
      ...volumeOf(settings, monitoring.storage),
      resources: { requests: { cpu, memory }, limits: { memory } },
      externalLabels: { stack: settings.stack, environment },
      externalUrl: `http://localhost:${prometheusPort}/`,
      // The API of before is deprecated, and keeps 1,000 addresses of a Service at most.
      serviceDiscoveryRole: "EndpointSlice",
      scrapeClasses: [kubeletScrapeClass],
      // A namespace selector of {} is any namespace; without one it is this alone (prometheus-operator#5917).
      ...Object.fromEntries(
        ["serviceMonitor", "podMonitor", "probe", "rule", "scrapeConfig"].flatMap((kind) => [
          [`${kind}Selector`, ours],
          [`${kind}NamespaceSelector`, {}],
        ]),
      ),
      rules: {
        alert: {
          // What it sends before it has found an Alertmanager is lost, until it sends again.
          resendDelay: clock.duration(minutes(1)),
          // After a restart: how long an alert must hold again, and how old a state it takes up.
          forGracePeriod: clock.duration(minutes(10)),
          forOutageTolerance: clock.duration(hours(1)),
        },
      },
      alerting: {
        alertmanagers: [{ namespace: monitoring.namespace, name: alertmanagerName, port: webPort, apiVersion: "v2" }],
      },
    },
  };
}

/** Where people reach it: `kubectl port-forward svc/prometheus -n monitoring 9090:9090` (S4-61). */
export const prometheusService = (settings: Settings) => webService(settings, prometheusName, prometheusPort);

/** A Service of pods that the operator runs. */
export function webService(settings: Settings, name: string, port: number): types.input.core.v1.Service {
  const labels = labelsOf(settings, name);
  return {
    metadata: {
      name,
      namespace: settings.monitoring.namespace,
      labels,
      // No run waits for what watches it.
      annotations: { "pulumi.com/skipAwait": "true" },
    },
    spec: { selector: labels, ports: [{ name: webPort, port, targetPort: webPort }] },
  };
}

const units: Readonly<Record<string, number>> = { Mi: 1, Gi: 1024, Ti: 1024 * 1024 };

/** A size of a volume in MiB. */
const mebibytes = (quantity: string) => Number.parseInt(quantity, 10) * (units[quantity.slice(-2)] ?? 1);
