import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { kubectl } from "../../local/cluster/api.ts";
import { boundedStorageClass, storageClass } from "../../local/cluster/manifests.ts";
import { gateway } from "../../local/gateway.ts";

const group = "monitoring.coreos.com";
const core = "v1";
const rbac = "rbac.authorization.k8s.io";
const namespace = "golive-test-monitoring";
/** Without Pod Security: what reads the node itself cannot be restricted. */
const nodeNamespace = "golive-test-monitoring-node";
const clusterRole = "golive-test-monitoring";

type Manifest = Readonly<Record<string, unknown>> & { readonly kind: string };

const apply = async (...items: readonly Manifest[]) => {
  const args = ["apply", "--server-side", "--validate=strict", "--filename=-"];
  await kubectl(args, { input: JSON.stringify({ apiVersion: "v1", kind: "List", items }) });
};
const named = (name: string, within: string = namespace) => ({ name, namespace: within });

const restricted = { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] }, readOnlyRootFilesystem: true };
const podSecurity = { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } };
/** Of a Prometheus or an Alertmanager, whose volume belongs to nobody's group. */
const nobody = { ...podSecurity, runAsUser: 65534, runAsGroup: 65534, fsGroup: 65534 };

const prometheus = {
  apiVersion: `${group}/v1`,
  kind: "Prometheus",
  metadata: named("watch"),
  spec: {
    image: "golive.local/prometheus:3.5",
    version: "3.5.0",
    replicas: 1,
    scrapeInterval: "1s",
    evaluationInterval: "1s",
    // The first time it may know of no Alertmanager yet, and a minute is the default until the second.
    rules: { alert: { resendDelay: "1s" } },
    serviceAccountName: "prometheus",
    securityContext: nobody,
    storage: { volumeClaimTemplate: { spec: { storageClassName: storageClass, ...sized("1Gi") } } },
    serviceMonitorSelector: {},
    podMonitorSelector: {},
    podMonitorNamespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
    scrapeConfigSelector: {},
    ruleSelector: {},
    probeSelector: {},
    alerting: { alertmanagers: [{ namespace, name: "alertmanager-operated", port: "web", apiVersion: "v2" }] },
  },
};
const alertmanager = {
  apiVersion: `${group}/v1`,
  kind: "Alertmanager",
  metadata: named("watch"),
  spec: { image: "golive.local/alertmanager:0.25", version: "0.25.0", replicas: 1, securityContext: nobody },
};

function sized(storage: string) {
  return { accessModes: ["ReadWriteOnce"], resources: { requests: { storage } } };
}

/** The exporters, with what each needs to answer at all: none of them reaches a server here. */
const exporters = {
  postgres: {
    image: "golive.local/postgres-exporter:0.11",
    port: 9187,
    env: [{ name: "DATA_SOURCE_NAME", value: "postgresql://nobody@127.0.0.1:1/none?sslmode=disable" }],
  },
  redis: { image: "golive.local/redis-exporter:1.45", port: 9121, args: ["--redis.addr=redis://127.0.0.1:1"] },
  blackbox: {
    image: "golive.local/blackbox-exporter:0.23",
    port: 9115,
    args: ["--config.file=/config/blackbox.yml"],
    volumeMounts: [{ name: "config", mountPath: "/config" }],
  },
} as const;

const exporterPods = Object.entries(exporters).map(([name, { port, ...container }]) => ({
  apiVersion: core,
  kind: "Pod",
  metadata: { ...named(name), labels: { exporter: name } },
  spec: {
    securityContext: podSecurity,
    automountServiceAccountToken: false,
    containers: [
      { name, ...container, securityContext: restricted, ports: [{ name: "metrics", containerPort: port }] },
    ],
    volumes: [{ name: "config", configMap: { name: "blackbox" } }],
  },
}));
const blackboxConfig =
  "modules:\n  http_2xx:\n    prober: http\n    http:\n      headers: {Host: nothing.localhost}\n      valid_status_codes: [404]\n";

const exporterMonitor = {
  apiVersion: `${group}/v1`,
  kind: "PodMonitor",
  metadata: named("exporters"),
  spec: {
    selector: { matchExpressions: [{ key: "exporter", operator: "Exists" }] },
    // One that cannot reach its database tries for seconds before it says so.
    podMetricsEndpoints: [{ port: "metrics", interval: "10s", scrapeTimeout: "10s" }],
  },
};
const blackboxService = {
  apiVersion: core,
  kind: "Service",
  metadata: { ...named("blackbox"), labels: { part: "blackbox" } },
  spec: { selector: { exporter: "blackbox" }, ports: [{ name: "http", port: 9115 }] },
};
const serviceMonitor = {
  apiVersion: `${group}/v1`,
  kind: "ServiceMonitor",
  metadata: named("blackbox"),
  spec: { selector: { matchLabels: { part: "blackbox" } }, endpoints: [{ port: "http" }] },
};
/** The public listener of the throw-away cluster, as a pod reaches it; no route is for this host. */
const probe = {
  apiVersion: `${group}/v1`,
  kind: "Probe",
  metadata: named("gateway"),
  spec: {
    jobName: "probe",
    module: "http_2xx",
    prober: { url: `blackbox.${namespace}.svc:9115` },
    targets: { staticConfig: { static: [`http://traefik.${gateway.namespace}.svc.cluster.local/`] } },
  },
};
const gatewayMonitor = {
  apiVersion: `${group}/v1`,
  kind: "PodMonitor",
  metadata: named("gateway"),
  spec: {
    namespaceSelector: { matchNames: [gateway.namespace] },
    selector: { matchLabels: { "app.kubernetes.io/name": "traefik" } },
    podMetricsEndpoints: [{ port: "metrics" }],
  },
};
const nodeMonitor = {
  apiVersion: `${group}/v1`,
  kind: "PodMonitor",
  metadata: named("node"),
  spec: {
    namespaceSelector: { matchNames: [nodeNamespace] },
    selector: { matchLabels: { app: "node-exporter" } },
    podMetricsEndpoints: [{ port: "metrics" }],
  },
};
const kubeletScrape = (job: string, metricsPath: string) => ({
  apiVersion: `${group}/v1alpha1`,
  kind: "ScrapeConfig",
  metadata: named(job),
  spec: {
    jobName: job,
    metricsPath,
    scheme: "HTTPS",
    kubernetesSDConfigs: [{ role: "Node" }],
    authorization: { credentials: { name: "prometheus-token", key: "token" } },
    tlsConfig: { ca: { secret: { name: "prometheus-token", key: "ca.crt" } } },
  },
});

const nodeExporter = {
  apiVersion: "apps/v1",
  kind: "DaemonSet",
  metadata: named("node-exporter", nodeNamespace),
  spec: {
    selector: { matchLabels: { app: "node-exporter" } },
    template: {
      metadata: { labels: { app: "node-exporter" } },
      spec: {
        hostNetwork: true,
        hostPID: true,
        automountServiceAccountToken: false,
        securityContext: podSecurity,
        containers: [
          {
            name: "node-exporter",
            image: "golive.local/node-exporter:1.5",
            args: [
              "--path.procfs=/host/proc",
              "--path.sysfs=/host/sys",
              "--path.rootfs=/host/root",
              "--web.listen-address=$(NODE_ADDRESS):19100",
            ],
            env: [{ name: "NODE_ADDRESS", valueFrom: { fieldRef: { fieldPath: "status.hostIP" } } }],
            ports: [{ name: "metrics", containerPort: 19100 }],
            securityContext: restricted,
            volumeMounts: ["proc", "sys", "root"].map((name) => ({
              name,
              mountPath: `/host/${name}`,
              readOnly: true,
              ...(name === "root" ? { mountPropagation: "HostToContainer" } : {}),
            })),
          },
        ],
        volumes: [
          { name: "proc", hostPath: { path: "/proc" } },
          { name: "sys", hostPath: { path: "/sys" } },
          { name: "root", hostPath: { path: "/" } },
        ],
      },
    },
  },
};

const rule = (name: string, expr: string) => ({
  apiVersion: `${group}/v1`,
  kind: "PrometheusRule",
  metadata: named(name),
  spec: { groups: [{ name, rules: [{ alert: "AlwaysOn", expr, labels: { severity: "info" } }] }] },
});

const capacity = 16 * 1024 ** 2;
const claim = {
  apiVersion: core,
  kind: "PersistentVolumeClaim",
  metadata: named("full"),
  spec: { storageClassName: boundedStorageClass, ...sized("16Mi") },
};
const writer = {
  apiVersion: core,
  kind: "Pod",
  metadata: named("writer"),
  spec: {
    securityContext: { ...podSecurity, runAsUser: 1000, fsGroup: 1000 },
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 0,
    containers: [
      {
        name: "writer",
        image: "golive.local/node:24",
        command: ["sleep", "infinity"],
        securityContext: restricted,
        volumeMounts: [{ name: "full", mountPath: "/full" }],
      },
    ],
    volumes: [{ name: "full", persistentVolumeClaim: { claimName: "full" } }],
  },
};

const permissions: readonly Manifest[] = [
  { apiVersion: core, kind: "ServiceAccount", metadata: named("prometheus") },
  {
    apiVersion: core,
    kind: "Secret",
    type: "kubernetes.io/service-account-token",
    metadata: { ...named("prometheus-token"), annotations: { "kubernetes.io/service-account.name": "prometheus" } },
  },
  {
    apiVersion: `${rbac}/v1`,
    kind: "ClusterRole",
    metadata: { name: clusterRole },
    rules: [
      { apiGroups: [""], resources: ["nodes", "pods", "services", "endpoints"], verbs: ["get", "list", "watch"] },
      { apiGroups: [""], resources: ["nodes/metrics"], verbs: ["get"] },
    ],
  },
  {
    apiVersion: `${rbac}/v1`,
    kind: "ClusterRoleBinding",
    metadata: { name: clusterRole },
    roleRef: { apiGroup: rbac, kind: "ClusterRole", name: clusterRole },
    subjects: [{ kind: "ServiceAccount", ...named("prometheus") }],
  },
];

const api = async <T>(path: string): Promise<T> => {
  const service = `/api/v1/namespaces/${namespace}/services/prometheus-operated:web/proxy/api/v1/${path}`;
  return (JSON.parse(await kubectl(["get", "--raw", service])) as { readonly data: T }).data;
};
interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}
const query = async (expression: string) =>
  (await api<{ readonly result: readonly Series[] }>(`query?query=${encodeURIComponent(expression)}`)).result;
/** The value of the one series that an expression gives; undefined when there is none. */
const value = async (expression: string) => {
  const found = await query(expression);
  if (found.length > 1) throw new Error(`${found.length} series: ${expression}`);
  return found[0] === undefined ? undefined : Number(found[0].value[1]);
};
const soon = { timeout: 60_000, interval: 250 };

async function clean(): Promise<void> {
  const ignore = ["--ignore-not-found", "--wait"];
  await kubectl(["delete", "namespace", namespace, nodeNamespace, ...ignore]);
  await kubectl(["delete", "clusterrole,clusterrolebinding", clusterRole, ...ignore]);
}

beforeAll(async () => {
  await clean();
  const labels = { "pod-security.kubernetes.io/enforce": "restricted" };
  await apply(
    { apiVersion: core, kind: "Namespace", metadata: { name: namespace, labels } },
    { apiVersion: core, kind: "Namespace", metadata: { name: nodeNamespace } },
  );
  const config = { "blackbox.yml": blackboxConfig };
  await apply(
    ...permissions,
    { apiVersion: core, kind: "ConfigMap", metadata: named("blackbox"), data: config },
    ...exporterPods,
    nodeExporter,
    blackboxService,
    exporterMonitor,
    serviceMonitor,
    probe,
    gatewayMonitor,
    nodeMonitor,
    kubeletScrape("kubelet", "/metrics"),
    kubeletScrape("cadvisor", "/metrics/cadvisor"),
    rule("good", "vector(1)"),
    prometheus,
    alertmanager,
    claim,
    writer,
  );
  const available = ["wait", "--namespace", namespace, "--for=condition=Available", "--timeout=120s"];
  await kubectl([...available, "prometheus/watch", "alertmanager/watch"]);
});
afterAll(clean);

describe("the operator of the throw-away cluster", () => {
  it("runs Prometheus and Alertmanager, which take what is declared: every target is up", async () => {
    interface Target {
      readonly scrapePool: string;
      readonly health: string;
      readonly lastError: string;
    }
    const targets = async () => {
      const { activeTargets } = await api<{ readonly activeTargets: readonly Target[] }>("targets?state=active");
      return activeTargets.map(({ scrapePool, health, lastError }) => `${scrapePool} ${health} ${lastError}`).sort();
    };
    await expect
      .poll(targets, soon)
      .toEqual(
        [
          ...Array.from({ length: 3 }, () => `podMonitor/${namespace}/exporters/0 up `),
          `podMonitor/${namespace}/gateway/0 up `,
          `podMonitor/${namespace}/node/0 up `,
          `probe/${namespace}/gateway up `,
          `scrapeConfig/${namespace}/cadvisor up `,
          `scrapeConfig/${namespace}/kubelet up `,
          `serviceMonitor/${namespace}/blackbox/0 up `,
        ].sort(),
      );
  });

  it("loads a rule, whose alert reaches Alertmanager", async () => {
    const alerts = `/api/v1/namespaces/${namespace}/services/alertmanager-operated:web/proxy/api/v2/alerts`;
    const names = async () => {
      const found = JSON.parse(await kubectl(["get", "--raw", alerts])) as readonly { labels: { alertname: string } }[];
      return found.map(({ labels }) => labels.alertname);
    };
    await expect.poll(names, soon).toContain("AlwaysOn");
  });

  it("refuses a rule whose expression is broken, in an event that names it, and keeps the others", async () => {
    await apply(rule("broken", "rate(up[5m]"));
    const about = ["--field-selector=involvedObject.name=broken", "-o=jsonpath={.items[*].message}"];
    const events = () => kubectl(["get", "events", "--namespace", namespace, ...about]);
    await expect.poll(events, soon).toContain("PrometheusRule broken was rejected due to invalid configuration");
    const { groups } = await api<{ readonly groups: readonly { name: string }[] }>("rules");
    expect(groups.map(({ name }) => name)).toEqual(["good"]);
  });
});

describe("the gateway of the throw-away cluster", () => {
  it("is reached by a pod at its public listener, by the name of its Service", async () => {
    await expect.poll(() => value('probe_http_status_code{job="probe"}'), soon).toBe(404);
    expect(await value('probe_success{job="probe"}')).toBe(1);
    expect(await value('sum(traefik_entrypoint_requests_total{entrypoint="public",code="404"})')).toBeGreaterThan(0);
  });
});

describe("the node of the throw-away cluster", () => {
  it("tells its disk and memory to a node exporter that only reads", async () => {
    await expect.poll(() => value('node_filesystem_size_bytes{mountpoint="/"}'), soon).toBeGreaterThan(0);
    expect(await value("node_memory_MemAvailable_bytes")).toBeGreaterThan(0);
  });

  it("tells what containers use, by pod", async () => {
    const memory = `container_memory_working_set_bytes{namespace="${namespace}",pod="writer",container="writer"}`;
    await expect.poll(() => value(memory), soon).toBeGreaterThan(0);
  });

  it("tells how full each volume is: the one that is filled, and one on the node's disk", async () => {
    const volume = `{namespace="${namespace}",persistentvolumeclaim="full"}`;
    await expect.poll(() => value(`kubelet_volume_stats_capacity_bytes${volume}`), soon).toBe(capacity);
    expect(await value(`kubelet_volume_stats_available_bytes${volume}`)).toBe(capacity);
    const fill = ["sh", "-c", "dd if=/dev/zero of=/full/file bs=1M"];
    const said = await kubectl(["exec", "--namespace", namespace, "writer", "--", ...fill]).catch(String);
    expect(said).toContain("No space left on device");
    await expect.poll(() => value(`kubelet_volume_stats_available_bytes${volume}`), soon).toBe(0);
    const disk = `kubelet_volume_stats_available_bytes{namespace="${namespace}",persistentvolumeclaim=~"prometheus-watch.*"}`;
    expect(await value(disk)).toBeGreaterThan(0);
  });

  it("keeps a bounded volume's contents for the next pod, and gives its memory back with its claim", async () => {
    const inNamespace = ["--namespace", namespace];
    await kubectl(["delete", "pod", "writer", ...inNamespace]);
    await apply(writer);
    await kubectl(["wait", "pod/writer", ...inNamespace, "--for=condition=Ready", "--timeout=60s"]);
    expect(await kubectl(["exec", "writer", ...inNamespace, "--", "ls", "/full"])).toBe("file\n");
    await kubectl(["delete", "pod/writer", "persistentvolumeclaim/full", ...inNamespace]);
    const holders = ["get", "pods", "--namespace", "kube-system", "--selector=app=volume-holder", "--output=name"];
    await expect.poll(() => kubectl(holders), soon).toBe("");
    const volumes = ["get", "persistentvolumes", "-o=jsonpath={.items[*].spec.storageClassName}"];
    expect(await kubectl(volumes)).not.toContain(boundedStorageClass);
  });
});
