import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { defaults } from "../../settings/environments.ts";
import type { Settings } from "../../settings.ts";
import type { CustomManifest } from "../cluster/custom-manifest.ts";
import { generatedPassword } from "../database/passwords.ts";
import { prometheusRules, type Reader, readerAccount, readerBinding, readerRole } from "./access.ts";
import { alertmanagerFile, alertmanagerManifest, alertmanagerSecret, alertmanagerService } from "./alertmanager.ts";
import { applicationMonitor } from "./application-monitor.ts";
import { serverBudget } from "./budgets.ts";
import { dashboardsConfigMap, dashboardsName } from "./dashboards.ts";
import { exportersMonitor, postgresExporterName, redisExporterName } from "./exporters.ts";
import { gatewayMonitor } from "./gateway-monitor.ts";
import { grafanaConfigMap, grafanaDeployment, grafanaRoute, grafanaSecret, grafanaService } from "./grafana.ts";
import { kubeStateMetrics, kubeStateMetricsName, kubeStateReader } from "./kube-state-metrics.ts";
import { kubeletScrapeConfigs } from "./kubelet.ts";
import { alertmanagerName, grafanaName, nodeExporterName, nodesNamespace, prometheusName } from "./names.ts";
import { nodeExporterNamespace, serversNamespace } from "./namespaces.ts";
import { nodeExporter } from "./node-exporter.ts";
import { postgresExporter } from "./postgres-exporter.ts";
import { blackboxConfigMap, blackboxDeployment, blackboxName, blackboxService, probeManifest } from "./probe.ts";
import { prometheusManifest, prometheusService } from "./prometheus.ts";
import { redisExporter } from "./redis-exporter.ts";
import { ruleManifests } from "./rules.ts";
import { serversMonitor } from "./servers-monitor.ts";

export interface MonitoringArgs {
  readonly settings: Settings;
  /** What everything in the stack's namespace needs first: the namespace. */
  readonly after: readonly pulumi.Resource[];
  /** The stores that are watched. `ready`: with it, the exporter's login is in the store. */
  readonly database:
    | { readonly login: string; readonly name: string; readonly ready: readonly pulumi.Resource[] }
    | undefined;
  readonly cache: { readonly ready: readonly pulumi.Resource[] } | undefined;
}

/**
 * How a stack is watched: what is read and how often, rules, and (kind `stack`) the servers that do it. It is declared before
 * the first release (C48), and nothing waits for any of its pods: a step, and above all a way down, must not fail because of
 * what only watches it.
 */
export class Monitoring extends pulumi.ComponentResource {
  /** With these, Prometheus reads whatever a release says of itself. */
  readonly ready: readonly pulumi.Resource[];
  /** Those of its own; none where somebody else runs the servers. */
  readonly namespaces: readonly pulumi.Resource[];

  constructor(args: MonitoringArgs, opts: pulumi.ComponentResourceOptions) {
    const { settings, after } = args;
    super("golive:monitoring:Monitoring", `${settings.application.name}-monitoring`, {}, opts);
    const own = { parent: this, dependsOn: [...after] };
    const monitor = declare(applicationMonitor(settings), own);
    const rules = ruleManifests(settings).map((each) => declare(each, own));
    declareExporters(this, args);
    declareProbe(settings, own);
    declare(gatewayMonitor(settings), own);
    const servers = declareServers(this, settings);
    this.ready = [monitor, ...rules, ...servers.ready];
    this.namespaces = servers.namespaces;
    if (settings.monitoring.kind === "existing")
      new kubernetes.core.v1.ConfigMap(dashboardsName(settings), dashboardsConfigMap(settings), own);
    this.registerOutputs({});
  }
}

function declare({ apiVersion, kind, metadata, spec }: CustomManifest, opts: pulumi.CustomResourceOptions) {
  return new kubernetes.apiextensions.CustomResource(metadata.name, { apiVersion, kind, metadata, spec }, opts);
}

/** Beside the stores, each after its store: a password that the server does not know yet would be tried for ever. */
function declareExporters(parent: Monitoring, { settings, after, database, cache }: MonitoringArgs): void {
  declare(exportersMonitor(settings), { parent, dependsOn: [...after] });
  if (database)
    new kubernetes.apps.v1.Deployment(
      postgresExporterName,
      postgresExporter(settings, { login: database.login, database: database.name }),
      { parent, dependsOn: [...after, ...database.ready] },
    );
  if (cache)
    new kubernetes.apps.v1.Deployment(redisExporterName, redisExporter(settings), {
      parent,
      dependsOn: [...after, ...cache.ready],
    });
}

function declareProbe(settings: Settings, opts: pulumi.CustomResourceOptions): void {
  new kubernetes.core.v1.ConfigMap(blackboxName, blackboxConfigMap(settings), opts);
  new kubernetes.core.v1.Service(blackboxName, blackboxService(settings), opts);
  new kubernetes.apps.v1.Deployment(blackboxName, blackboxDeployment(settings), opts);
  declare(probeManifest(settings), opts);
}

/** Prometheus and all that stands beside it in its own namespaces; nothing where somebody else runs them. */
function declareServers(parent: Monitoring, settings: Settings): Pick<Monitoring, "ready" | "namespaces"> {
  const { kind, images } = settings.monitoring;
  if (kind !== "stack") return { ready: [], namespaces: [] };
  const namespace = declareNamespace(parent, settings);
  const own = { parent, dependsOn: [namespace] };
  const nodes = declareNodeExporter(parent, settings);
  declareAlertmanager(parent, settings, own);
  declare(serversMonitor(settings), own);
  for (const each of kubeletScrapeConfigs(settings)) declare(each, own);
  if (images.kubeStateMetrics !== undefined) declareKubeStateMetrics(parent, settings, images.kubeStateMetrics, own);
  if (images.grafana !== undefined) declareGrafana(parent, settings, images.grafana, own);
  return { ready: [declarePrometheus(parent, settings, own)], namespaces: [namespace, nodes] };
}

function declareNamespace(parent: Monitoring, settings: Settings): kubernetes.core.v1.Namespace {
  const { protect } = defaults[settings.environment];
  const { namespace } = settings.monitoring;
  // It holds the volume with all that was measured.
  const keeping = { parent, protect, retainOnDelete: protect };
  return new kubernetes.core.v1.Namespace(namespace, serversNamespace(settings), keeping);
}

/** The namespace that it has to itself. */
function declareNodeExporter(parent: Monitoring, settings: Settings): kubernetes.core.v1.Namespace {
  const name = nodesNamespace(settings);
  const namespace = new kubernetes.core.v1.Namespace(name, nodeExporterNamespace(settings), { parent });
  new kubernetes.apps.v1.DaemonSet(nodeExporterName, nodeExporter(settings), { parent, dependsOn: [namespace] });
  return namespace;
}

function declareReader(
  settings: Settings,
  reader: Reader,
  opts: pulumi.CustomResourceOptions,
): readonly pulumi.Resource[] {
  const { parent } = opts;
  return [
    new kubernetes.core.v1.ServiceAccount(reader.name, readerAccount(settings, reader.name), opts),
    new kubernetes.rbac.v1.ClusterRole(reader.name, readerRole(settings, reader), parent ? { parent } : {}),
    new kubernetes.rbac.v1.ClusterRoleBinding(reader.name, readerBinding(settings, reader), parent ? { parent } : {}),
  ];
}

function declarePrometheus(parent: Monitoring, settings: Settings, opts: Declaring): pulumi.Resource {
  const account = declareReader(settings, { name: prometheusName, rules: prometheusRules }, opts);
  new kubernetes.core.v1.Service(prometheusName, prometheusService(settings), opts);
  declareBudget(settings, prometheusName, opts);
  return declare(prometheusManifest(settings), { parent, dependsOn: [...opts.dependsOn, ...account] });
}

function declareAlertmanager(parent: Monitoring, settings: Settings, opts: Declaring): void {
  const file = pulumi.secret(alertmanagerFile(settings));
  const secret = new kubernetes.core.v1.Secret(alertmanagerName, alertmanagerSecret(settings, file), opts);
  new kubernetes.core.v1.Service(alertmanagerName, alertmanagerService(settings), opts);
  declareBudget(settings, alertmanagerName, opts);
  declare(alertmanagerManifest(settings), { parent, dependsOn: [...opts.dependsOn, secret] });
}

function declareBudget(settings: Settings, name: string, opts: Declaring): void {
  const budget = serverBudget(settings, name);
  if (budget) new kubernetes.policy.v1.PodDisruptionBudget(name, budget, opts);
}

function declareKubeStateMetrics(parent: Monitoring, settings: Settings, image: string, opts: Declaring): void {
  const account = declareReader(settings, kubeStateReader, opts);
  new kubernetes.apps.v1.Deployment(kubeStateMetricsName, kubeStateMetrics(settings, image), {
    parent,
    dependsOn: [...opts.dependsOn, ...account],
  });
}

function declareGrafana(parent: Monitoring, settings: Settings, image: string, opts: Declaring): void {
  const { grafanaHostname } = settings.monitoring;
  const password = generatedPassword("grafana-admin-password", { parent });
  const service = new kubernetes.core.v1.Service(grafanaName, grafanaService(settings), opts);
  const needed = [
    new kubernetes.core.v1.Secret(grafanaName, grafanaSecret(settings, password), opts),
    new kubernetes.core.v1.ConfigMap(grafanaName, grafanaConfigMap(settings), opts),
    new kubernetes.core.v1.ConfigMap(dashboardsName(settings), dashboardsConfigMap(settings), opts),
  ];
  new kubernetes.apps.v1.Deployment(grafanaName, grafanaDeployment(settings, image), { parent, dependsOn: needed });
  if (grafanaHostname !== undefined) declare(grafanaRoute(settings, grafanaHostname), { parent, dependsOn: [service] });
}

interface Declaring {
  readonly parent: Monitoring;
  readonly dependsOn: pulumi.Resource[];
}
