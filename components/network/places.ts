import { isHttp } from "../../applications/application.ts";
import type { Trait } from "../../applications/flow.ts";
import { guardName } from "../../rollout/gate/guard-name.ts";
import type { Settings } from "../../settings.ts";
import { serverName as redisName } from "../cache/statefulset.ts";
import { serverName as postgresName } from "../database/address.ts";
import { backupJobName, drillJobName, metricsName, migrateName, toolsJobName } from "../database/names.ts";
import { collectorsNamespace, elasticsearchName, filebeatName, kibanaName, logstashName } from "../logging/names.ts";
import { postgresExporterName, redisExporterName } from "../monitoring/exporters.ts";
import { kubeStateMetricsName } from "../monitoring/kube-state-metrics.ts";
import { alertmanagerName, grafanaName, nodesNamespace, prometheusName } from "../monitoring/names.ts";
import { blackboxName } from "../monitoring/probe.ts";
import { labelsOf } from "../pod/labels.ts";
import { rolloutMetricsName } from "../traffic/rollout-metrics-manifests.ts";

/** Where the pods of one component are, and the labels that they have. */
export interface Place {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Every component that a stack runs, but for node_exporter: a pod in its machine's network is out of reach of every NetworkPolicy. */
export function placesOf(settings: Settings): ReadonlyMap<string, Place> {
  const { namespace, monitoring, logging } = settings;
  const within = (place: string, components: readonly string[]) =>
    components.map((component): [string, Place] => [
      component,
      { namespace: place, labels: podLabels(settings, component) },
    ]);
  return new Map([
    ...within(namespace, applicationComponents(settings)),
    ...within(monitoring.namespace, monitoringComponents(settings)),
    ...(logging.kind === "eck"
      ? [
          ...within(logging.namespace, [elasticsearchName, kibanaName, logstashName]),
          ...within(collectorsNamespace(settings), [filebeatName]),
        ]
      : []),
  ]);
}

/** The namespaces that a stack makes; each denies by default. */
export function namespacesOf(settings: Settings): readonly string[] {
  const { namespace, monitoring, logging } = settings;
  return [
    namespace,
    ...(monitoring.kind === "stack" ? [monitoring.namespace, nodesNamespace(settings)] : []),
    ...(logging.kind === "eck" ? [logging.namespace, collectorsNamespace(settings)] : []),
  ];
}

export function traitsOf({ database, monitoring }: Settings): ReadonlySet<Trait> {
  const cloudNativePg = database.kind === "cloudnative-pg";
  const all: Readonly<Record<Trait, boolean>> = {
    "cloudnative-pg": cloudNativePg,
    "object-store": cloudNativePg && database.objectStore !== undefined,
    "external-database": database.kind === "external",
    "public-grafana": monitoring.grafanaHostname !== undefined,
  };
  return new Set((Object.keys(all) as Trait[]).filter((each) => all[each]));
}

function applicationComponents({ application, database, monitoring, gate }: Settings): readonly string[] {
  const { postgresql, redis } = application.stores;
  const watched = monitoring.kind !== "none";
  return [
    ...application.services.filter(isHttp).map(({ name }) => name),
    ...(postgresql && database.kind !== "external" ? [postgresName] : []),
    ...(postgresql ? [migrateName, backupJobName, drillJobName, toolsJobName, metricsName] : []),
    ...(postgresql && watched ? [postgresExporterName] : []),
    ...(redis ? [redisName] : []),
    ...(redis && watched ? [redisExporterName] : []),
    ...(watched ? [blackboxName, rolloutMetricsName] : []),
    ...(watched && gate.mode === "on" ? [guardName] : []),
  ];
}

function monitoringComponents({ monitoring: { kind, images } }: Settings): readonly string[] {
  if (kind !== "stack") return [];
  return [
    prometheusName,
    alertmanagerName,
    ...(images.grafana === undefined ? [] : [grafanaName]),
    ...(images.kubeStateMetrics === undefined ? [] : [kubeStateMetricsName]),
  ];
}

/** The operator CloudNativePG gives its pods the name of their Cluster, and nothing of ours. */
function podLabels(settings: Settings, component: string): Readonly<Record<string, string>> {
  return component === postgresName && settings.database.kind === "cloudnative-pg"
    ? { "cnpg.io/cluster": postgresName }
    : labelsOf(settings, component);
}
