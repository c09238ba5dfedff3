import { beforeAll, describe, expect, it } from "vitest";
import { monitoredStack } from "../../components/monitoring/rules.ts";
import type { Cover } from "../../monitoring/alerts/alert.ts";
import { alertsOf } from "../../monitoring/alerts/all.ts";
import { expectedJobs } from "../../monitoring/alerts/jobs.ts";
import { Clock } from "../../monitoring/clock.ts";
import { dashboards } from "../../monitoring/dashboards/dashboards.ts";
import { catalogue } from "../../monitoring/metrics/catalogue.ts";
import { renderRules } from "../../monitoring/rules/render.ts";
import { type Declaration, type Declared, generated, secretOf } from "../support/harness.ts";
import { declarePlatform, external, firstRun, onCallUrl, type Stack, stackSettings } from "../support/platform.ts";
import { podsOf, selectable, takes, targetsOf } from "../support/scrape-targets.ts";

const stacks = ["local", "staging", "production"] as const;
const prometheus = { namespace: "monitoring", service: "prometheus-operated:9090" };
/** Who else may watch: production is never without. */
const kinds = {
  existing: () => stackSettings("production", { monitoring: { kind: "existing" }, gate: { prometheus } }),
  none: () => stackSettings("staging", { monitoring: { kind: "none" }, gate: { mode: "off" } }),
} as const;
const declared = new Map<string, Declaration>();
const of = (name: string): Declaration => {
  const declaration = declared.get(name);
  if (!declaration) throw new Error(`${name} was not declared`);
  return declaration;
};

beforeAll(async () => {
  for (const stack of stacks) declared.set(stack, await declarePlatform(firstRun(stackSettings(stack))));
  for (const [kind, settings] of Object.entries(kinds)) declared.set(kind, await declarePlatform(firstRun(settings())));
}, 120_000);

const ownOf = (stack: string) =>
  of(stack).all.filter(({ parent }) => parent.includes("golive:monitoring:Monitoring::"));
const label = ({ type, name }: Declared) => `${type.split(":").at(-1)} ${name}`;

describe("Prometheus", () => {
  it("reads every 15 s (S1-50), keeps what its volume holds, and tells this stack's Alertmanager", () => {
    expect(of("production").find("Prometheus", "taskflow").inputs).toEqual({
      apiVersion: "monitoring.coreos.com/v1",
      kind: "Prometheus",
      metadata: {
        name: "taskflow",
        namespace: "monitoring",
        labels: { app: "taskflow", component: "prometheus" },
      },
      spec: {
        image: "quay.io/prometheus/prometheus:v3.5.0",
        version: "3.5.0",
        replicas: 2,
        podMetadata: { labels: { app: "taskflow", component: "prometheus" } },
        securityContext: {
          runAsNonRoot: true,
          runAsUser: 65534,
          runAsGroup: 65534,
          fsGroup: 65534,
          fsGroupChangePolicy: "OnRootMismatch",
          seccompProfile: { type: "RuntimeDefault" },
        },
        topologySpreadConstraints: ["kubernetes.io/hostname", "topology.kubernetes.io/zone"].map((topologyKey) => ({
          maxSkew: 1,
          topologyKey,
          whenUnsatisfiable: "ScheduleAnyway",
          labelSelector: { matchLabels: { app: "taskflow", component: "prometheus" } },
        })),
        serviceAccountName: "prometheus",
        automountServiceAccountToken: true,
        scrapeInterval: "15s",
        scrapeTimeout: "15s",
        evaluationInterval: "15s",
        retention: "45d",
        retentionSize: "81920MiB",
        storage: {
          volumeClaimTemplate: {
            spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "100Gi" } } },
          },
        },
        persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
        resources: { requests: { cpu: "250m", memory: "4Gi" }, limits: { memory: "4Gi" } },
        externalLabels: { stack: "production", environment: "production" },
        externalUrl: "http://localhost:9090/",
        serviceDiscoveryRole: "EndpointSlice",
        scrapeClasses: [
          {
            name: "kubelet",
            authorization: { credentialsFile: "/var/run/secrets/kubernetes.io/serviceaccount/token" },
            tlsConfig: { insecureSkipVerify: true },
          },
        ],
        ...Object.fromEntries(
          ["serviceMonitor", "podMonitor", "probe", "rule", "scrapeConfig"].flatMap((kind) => [
            [`${kind}Selector`, { matchLabels: { "golive/monitoring": "production" } }],
            [`${kind}NamespaceSelector`, {}],
          ]),
        ),
        rules: { alert: { resendDelay: "1m", forGracePeriod: "10m", forOutageTolerance: "1h" } },
        alerting: {
          alertmanagers: [{ namespace: "monitoring", name: "alertmanager", port: "web", apiVersion: "v2" }],
        },
      },
    });
  });

  it("lives fifteen times as fast on the throw-away cluster, and goes with it", () => {
    expect(of("local").find("Prometheus", "taskflow").inputs).toMatchObject({
      spec: {
        image: "golive.local/prometheus:3.5",
        replicas: 1,
        scrapeInterval: "1s",
        evaluationInterval: "1s",
        retention: "1d",
        retentionSize: "1638MiB",
        persistentVolumeClaimRetentionPolicy: { whenDeleted: "Delete" },
      },
    });
  });

  it("may find targets and read kubelets, and nothing else: no Secret, no writing", () => {
    const { rules } = of("staging").find("ClusterRole", "prometheus").inputs;
    expect(rules).toEqual([
      { apiGroups: [""], resources: ["services", "pods", "nodes"], verbs: ["list", "watch"] },
      { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
      { apiGroups: [""], resources: ["nodes/metrics"], verbs: ["get"] },
    ]);
    expect(of("staging").find("ClusterRoleBinding", "prometheus").inputs).toMatchObject({
      metadata: { name: "golive:monitoring:prometheus" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "golive:monitoring:prometheus" },
      subjects: [{ kind: "ServiceAccount", name: "prometheus", namespace: "monitoring" }],
    });
  });

  it.each([
    ["prometheus", 9090],
    ["alertmanager", 9093],
    ["grafana", 3000],
  ])("and what stands beside it is reached by name: %s at %i (S4-61, S4-62)", (name, port) => {
    const labels = { app: "taskflow", component: name };
    expect(of("staging").find("Service", name).inputs).toEqual({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name, namespace: "monitoring", labels, annotations: { "pulumi.com/skipAwait": "true" } },
      spec: { selector: labels, ports: [{ name: "web", port, targetPort: "web" }] },
    });
  });

  it.each(stacks)("of %s takes every monitor, probe and rule of its stack", (stack) => {
    const prometheus = of(stack).find("Prometheus", "taskflow");
    const all = selectable(of(stack));
    expect(all.length).toBeGreaterThanOrEqual(9);
    expect(all.filter((each) => !takes(prometheus, each)).map(label)).toEqual([]);
  });
});

describe("the targets", () => {
  const http = ["backend", "frontend"].flatMap((service) =>
    (["blue", "green"] as const).map(
      (colour) => [`Deployment taskflow-${service}-${colour}`, service, colour] as const,
    ),
  );
  const versions: Readonly<Record<Stack, Readonly<Record<"blue" | "green", string>>>> = {
    local: { blue: "1.0.0", green: "2.0.0" },
    staging: { blue: "1.0.0", green: "1.1.0" },
    production: { blue: "1.0.0", green: "1.1.0" },
  };

  /** Which pod is read with which labels, whatever the monitors are. */
  const expected = (stack: Stack): readonly (readonly [string, Readonly<Record<string, string>>])[] => [
    ...http.map(([pod, service, colour]) => {
      const job = `taskflow-${service}`;
      return [pod, { job, namespace: stack, service, colour, version: versions[stack][colour] }] as const;
    }),
    ...(stack === "production" ? [["Cluster postgres", { job: "cloudnative-pg", namespace: stack }] as const] : []),
    ["Deployment postgres-exporter", { job: "postgres", namespace: stack }],
    ["Deployment redis-exporter", { job: "redis", namespace: stack }],
    ["Deployment postgres-metrics", { job: "postgres-operations", namespace: stack }],
    ["Deployment rollout-metrics", { job: "rollout", namespace: stack }],
    ...(stack === "local" ? [] : [["Deployment guard", { job: "guard", namespace: stack }] as const]),
    ["Prometheus taskflow", { job: "prometheus", namespace: "monitoring" }],
    ["Alertmanager taskflow", { job: "alertmanager", namespace: "monitoring" }],
    ["DaemonSet node-exporter", { job: "node", node: "node-1" }],
    ...(stack === "local" ? [] : [["Deployment kube-state-metrics", { job: "kube-state-metrics" }] as const]),
  ];

  it.each(stacks)("of %s are exactly the pods that have metrics, each once and with the labels of its job", (stack) => {
    const found = targetsOf(of(stack)).map(({ pod, labels }) => [pod.of, labels]);
    const byName = (one: unknown, other: unknown) => JSON.stringify(one).localeCompare(JSON.stringify(other));
    expect(found.sort(byName)).toEqual([...expected(stack)].sort(byName));
  });

  it.each(stacks)("of %s are all pods but those whose words somebody else reads", (stack) => {
    const read = new Set(targetsOf(of(stack)).map(({ pod }) => pod.of));
    const unread = podsOf(of(stack)).filter((pod) => !read.has(pod.of));
    expect(unread.map((pod) => pod.of).sort()).toEqual(
      // The servers are read by their exporters, blackbox_exporter is asked by a Probe, and Grafana only shows.
      [
        "Deployment blackbox-exporter",
        ...(stack === "local" ? [] : ["Deployment grafana"]),
        ...(stack === "production" ? [] : ["StatefulSet postgres"]),
        "StatefulSet redis",
      ].sort(),
    );
  });

  it("of the Gateway are its proxy's pods, in its own namespace", () => {
    expect(of("staging").find("PodMonitor", "taskflow-gateway").inputs).toMatchObject({
      metadata: { namespace: "staging" },
      spec: {
        namespaceSelector: { matchNames: ["gateway"] },
        selector: { matchLabels: { "app.kubernetes.io/name": "traefik" } },
        podMetricsEndpoints: [{ port: "metrics", relabelings: [{ targetLabel: "job", replacement: "gateway" }, {}] }],
      },
    });
  });

  it("cannot say themselves which service, colour or version they are", () => {
    expect(of("local").find("ServiceMonitor", "taskflow").inputs).toMatchObject({
      spec: {
        endpoints: [
          { metricRelabelings: [{ action: "labeldrop", regex: "exported_(service|colour|version)" }], interval: "1s" },
        ],
      },
    });
  });

  it("have every job that the catalogue's metrics come from", () => {
    const jobs = new Set(targetsOf(of("production")).map(({ labels }) => labels.job));
    // Not by a monitor of pods: their own tests are beside this one.
    for (const job of ["gateway", "kubelet", "cadvisor", "probe"]) jobs.add(job);
    const unread = catalogue.flatMap(({ source: { job } }) => (job === undefined || jobs.has(job) ? [] : [job]));
    expect([...new Set(unread)]).toEqual([]);
  });

  it.each([
    ["kubelet", "/metrics", "kubelet_volume_stats_available_bytes"],
    ["cadvisor", "/metrics/cadvisor", "container_memory_working_set_bytes"],
  ])(
    "include %s of each node once a minute, with its name, and only what rules and panels ask for",
    (job, path, metric) => {
      for (const [stack, interval] of [
        ["local", "4s"],
        ["production", "1m"],
      ] as const) {
        const { spec } = of(stack).find("ScrapeConfig", `taskflow-${job}`).inputs;
        const names = catalogue.filter(({ source }) => source.job === job).map(({ name }) => name);
        expect(names).toContain(metric);
        expect(spec).toEqual({
          jobName: job,
          scrapeClass: "kubelet",
          scheme: "HTTPS",
          metricsPath: path,
          scrapeInterval: interval,
          scrapeTimeout: interval,
          honorTimestamps: false,
          kubernetesSDConfigs: [{ role: "Node" }],
          relabelings: ["node", "instance"].map((targetLabel) => ({
            sourceLabels: ["__meta_kubernetes_node_name"],
            targetLabel,
          })),
          metricRelabelings: [{ sourceLabels: ["__name__"], regex: names.sort().join("|"), action: "keep" }],
          sampleLimit: 50_000,
          labelLimit: 40,
          labelNameLengthLimit: 200,
          labelValueLengthLimit: 1_000,
        });
      }
    },
  );
});

describe("the public host", () => {
  it("is asked for as a user would: by https from outside, without following where it is sent", () => {
    expect(of("production").find("Probe", "taskflow").inputs).toEqual({
      apiVersion: "monitoring.coreos.com/v1",
      kind: "Probe",
      metadata: {
        name: "taskflow",
        namespace: "production",
        labels: { app: "taskflow", "golive/monitoring": "production" },
      },
      spec: {
        jobName: "probe",
        module: "public",
        interval: "15s",
        scrapeTimeout: "15s",
        prober: {
          url: "blackbox-exporter.production.svc.cluster.local:9115",
          path: "/probe",
          scheme: "http",
        },
        targets: { staticConfig: { static: ["https://taskflow.example.com/"] } },
        sampleLimit: 1_000,
        labelLimit: 40,
        labelNameLengthLimit: 200,
        labelValueLengthLimit: 1_000,
      },
    });
    expect(module("production")).toEqual({
      prober: "http",
      timeout: "5s",
      http: {
        method: "GET",
        follow_redirects: false,
        preferred_ip_protocol: "ip4",
        headers: { "User-Agent": "golive-probe" },
      },
    });
  });

  it("is named where the address that is asked does not name it", () => {
    expect(module("local")).toMatchObject({ http: { headers: { Host: "taskflow.localhost" } } });
  });

  it("is asked by the pod behind the Service that the Probe names", () => {
    const { selector, ports } = of("local").find("Service", "blackbox-exporter").inputs.spec as {
      selector: Record<string, string>;
      ports: readonly unknown[];
    };
    const [pod] = podsOf(of("local")).filter((each) => each.of === "Deployment blackbox-exporter");
    expect(pod?.labels).toEqual(selector);
    expect(ports).toEqual([{ name: "metrics", port: 9115, targetPort: "metrics" }]);
    expect(pod?.ports).toEqual({ metrics: 9115 });
  });

  const module = (stack: Stack): unknown => {
    const { data } = of(stack).find("ConfigMap", "blackbox-exporter").inputs as { data: Record<string, string> };
    return JSON.parse(data["blackbox.json"] ?? "").modules.public;
  };
});

describe("the exporters", () => {
  interface Container {
    readonly env?: readonly { readonly name: string; readonly value?: string }[];
    readonly args?: readonly string[];
  }
  const container = (stack: string, name: string): Container & { readonly volumes: unknown } => {
    const { spec } = of(stack).find("Deployment", name).inputs as {
      spec: { template: { spec: { containers: readonly Container[]; volumes?: unknown } } };
    };
    const [only] = spec.template.spec.containers;
    return { ...only, volumes: spec.template.spec.volumes };
  };

  it("read PostgreSQL as the login that sees no rows, from the Secret, after the login is there", () => {
    expect(container("staging", "postgres-exporter")).toMatchObject({
      image: "quay.io/prometheuscommunity/postgres-exporter:v0.11.1",
      env: [
        {
          name: "DATA_SOURCE_URI",
          value: "postgres.staging.svc.cluster.local:5432/taskflow_staging?sslmode=disable",
        },
        { name: "DATA_SOURCE_USER", value: "taskflow_exporter" },
        { name: "DATA_SOURCE_PASS_FILE", value: "/etc/golive/passwords/taskflow_exporter" },
      ],
      volumes: [
        {
          name: "passwords",
          secret: {
            secretName: "taskflow-database",
            items: [{ key: "taskflow_exporter", path: "taskflow_exporter" }],
          },
        },
      ],
    });
    const { dependsOn, inputs } = of("staging").find("Deployment", "postgres-exporter");
    expect(dependsOn).toContain("kubernetes:core/v1:Secret::taskflow-database");
    expect(dependsOn).toContain("postgresql:index/grant:Grant::taskflow_exporter-schema");
    // Five connections are all that the login has: two pods and the metrics of backups would be one too many.
    expect(inputs).toMatchObject({ spec: { replicas: 1, strategy: { type: "Recreate" } } });
  });

  it("start anew with the next password after a rotation", async () => {
    const rotated = await declarePlatform(firstRun(stackSettings("staging", { rotation: 3 })));
    expect(rotated.find("Deployment", "postgres-exporter").inputs).toMatchObject({
      spec: { template: { metadata: { annotations: { "golive/rotation": "3" } } } },
    });
  });

  it("ask a PostgreSQL with certificates for its name", async () => {
    const ca = "/etc/golive/ca/ca.crt";
    const source = (stack: string) => container(stack, "postgres-exporter").env?.[0]?.value;
    expect(source("production")).toBe(
      `postgres-rw.production.svc.cluster.local:5432/taskflow?sslmode=verify-full&sslrootcert=${ca}`,
    );
    declared.set("external", await declarePlatform(firstRun(stackSettings("staging", { database: external }))));
    expect(source("external")).toBe("postgres.taskflow.example.com:5432/taskflow_staging?sslmode=verify-full");
  });

  it("read Redis as a user who reaches no key", () => {
    expect(container("local", "redis-exporter")).toMatchObject({
      env: [
        { name: "REDIS_ADDR", value: "redis://redis.local.svc.cluster.local:6379" },
        { name: "REDIS_USER", value: "exporter" },
        { name: "REDIS_PASSWORD", valueFrom: { secretKeyRef: { name: "redis", key: "exporter-password" } } },
        { name: "REDIS_EXPORTER_SET_CLIENT_NAME", value: "false" },
      ],
    });
    expect(of("local").find("Deployment", "redis-exporter").dependsOn).toContain(
      "kubernetes:apps/v1:StatefulSet::redis",
    );
  });

  it("see the machine in one namespace only, from which they can change nothing of it", () => {
    const { inputs } = of("staging").find("DaemonSet", "node-exporter");
    expect(inputs).toMatchObject({
      metadata: { namespace: "monitoring-nodes" },
      spec: {
        template: {
          spec: {
            automountServiceAccountToken: false,
            hostNetwork: true,
            securityContext: { runAsNonRoot: true },
            containers: [
              {
                securityContext: {
                  allowPrivilegeEscalation: false,
                  readOnlyRootFilesystem: true,
                  capabilities: { drop: ["ALL"] },
                },
                volumeMounts: [
                  // A mount that ends on the machine must end in the pod, or it holds the volumes of pods that are gone.
                  { name: "host", mountPath: "/host", readOnly: true, mountPropagation: "HostToContainer" },
                ],
              },
            ],
          },
        },
      },
    });
    const level = (name: string) => {
      const { metadata } = of("staging").find("Namespace", name).inputs as { metadata: { labels: object } };
      return Reflect.get(metadata.labels, "pod-security.kubernetes.io/enforce");
    };
    expect(level("monitoring-nodes")).toBe("privileged");
    expect(level("monitoring")).toBe("restricted");
    const inNodes = of("staging").all.filter(
      ({ inputs: { metadata } }) => (metadata as { namespace?: string } | undefined)?.namespace === "monitoring-nodes",
    );
    expect(inNodes.map(label)).toEqual(["DaemonSet node-exporter", "NetworkPolicy monitoring-nodes-default-deny"]);
  });

  it("of the API's objects list those that rules ask for, and no Secret", () => {
    const { rules } = of("staging").find("ClusterRole", "kube-state-metrics").inputs as {
      rules: { resources: string[]; verbs: string[] }[];
    };
    expect(new Set(rules.flatMap(({ verbs }) => verbs))).toEqual(new Set(["list", "watch"]));
    const listed = rules.flatMap(({ resources }) => resources).sort();
    expect(container("staging", "kube-state-metrics").args).toContain(`--resources=${listed.join(",")}`);
    const singular = listed.map((resource) => resource.replace(/s$/, ""));
    const asked = catalogue.filter(({ source }) => source.job === "kube-state-metrics").map(({ name }) => name);
    const unlisted = asked.filter((name) => !singular.some((each) => name.startsWith(`kube_${each}_`)));
    expect(unlisted).toEqual([]);
  });

  it.each(stacks)(
    "of %s fit, with all else, into the quota of the namespace, even while everything is replaced",
    (stack) => {
      const { hard } = (
        of(stack).find("ResourceQuota", `${stack}-quota`).inputs as { spec: { hard: Record<string, string> } }
      ).spec;
      const asked = requestsIn(of(stack), stack);
      expect(asked.pods).toBeLessThanOrEqual(Number(hard.pods));
      expect(asked.cpu).toBeLessThanOrEqual(Number(hard["requests.cpu"]) * 1000);
      expect(asked.memory).toBeLessThanOrEqual(Number.parseInt(hard["requests.memory"] ?? "", 10) * 1024);
    },
  );
});

/** Pods, millicores and MiB that a namespace asks for when every Deployment has one pod more, and every Job runs. */
function requestsIn(stack: Declaration, namespace: string) {
  const total = { pods: 0, cpu: 0, memory: 0 };
  const add = (count: number, template: unknown) => {
    const { spec } = template as { spec: { containers: { resources?: { requests?: Record<string, string> } }[] } };
    total.pods += count;
    for (const { resources } of spec.containers) {
      const { cpu, memory } = resources?.requests ?? {};
      // A quota refuses a pod that does not say.
      if (cpu === undefined || memory === undefined) throw new Error("a container asks for no CPU or memory");
      total.cpu += count * (cpu.endsWith("m") ? Number.parseInt(cpu, 10) : Number(cpu) * 1000);
      total.memory += count * Number.parseInt(memory, 10) * (memory.endsWith("Gi") ? 1024 : 1);
    }
  };
  for (const { type, inputs } of stack.all) {
    const kind = type.split(":").at(-1);
    const { metadata, spec } = inputs as {
      metadata?: { namespace?: string };
      spec?: {
        replicas?: number;
        template?: unknown;
        jobTemplate?: { spec: { template: unknown } };
        instances?: number;
      };
    };
    if (metadata?.namespace !== namespace || spec === undefined) continue;
    if (kind === "Deployment") add((spec.replicas ?? 1) + 1, spec.template);
    if (kind === "StatefulSet") add(spec.replicas ?? 1, spec.template);
    if (kind === "Job") add(1, spec.template);
    if (kind === "CronJob") add(1, spec.jobTemplate?.spec.template);
    if (kind === "Cluster")
      add((spec.instances ?? 1) + 1, {
        spec: { containers: [{ resources: (inputs as { spec: { resources: object } }).spec.resources }] },
      });
  }
  return total;
}

describe("Alertmanager", () => {
  it("has its configuration, with the address of the on-call tool, in a Secret that nobody sees", () => {
    const { inputs } = of("production").find("Secret", "alertmanager");
    const data = secretOf(inputs.stringData) as Record<string, string>;
    expect(Object.keys(data)).toEqual(["alertmanager.yaml"]);
    expect(data["alertmanager.yaml"]).toContain(onCallUrl);
    expect(data["alertmanager.yaml"]).toContain("smtp.example.com:587");
    expect(of("production").clearText).not.toContain(onCallUrl);
    expect(of("production").find("Alertmanager", "taskflow").inputs).toMatchObject({
      metadata: { namespace: "monitoring" },
      spec: { configSecret: "alertmanager", replicas: 2, automountServiceAccountToken: false, version: "0.28.1" },
    });
  });

  it("is declared in a preview without the secrets that only an update needs", async () => {
    const settings = stackSettings("production");
    const without = { ...settings, secrets: { databaseAdminPassword: "p@ss/word" } };
    const declaration = await declarePlatform(firstRun(without));
    const data = secretOf(declaration.find("Secret", "alertmanager").inputs.stringData) as Record<string, string>;
    expect(data["alertmanager.yaml"]).toContain("https://not-set.invalid/");
  });
});

describe("Grafana", () => {
  it("lets nobody in but its one user, whose password is generated, and asks nobody outside", () => {
    const grafana = of("production").find("Deployment", "grafana").inputs as {
      spec: { template: { spec: { containers: { env: { name: string; value: string }[] }[] } } };
    };
    const [container] = grafana.spec.template.spec.containers;
    const env = Object.fromEntries(container?.env.map(({ name, value }) => [name, value]) ?? []);
    expect(env).toMatchObject({
      GF_SECURITY_ADMIN_PASSWORD__FILE: "/etc/golive/grafana/admin-password",
      GF_AUTH_ANONYMOUS_ENABLED: "false",
      GF_USERS_ALLOW_SIGN_UP: "false",
      GF_ANALYTICS_REPORTING_ENABLED: "false",
      GF_SERVER_ROOT_URL: "https://grafana.taskflow.example.com/",
      GF_SECURITY_COOKIE_SECURE: "true",
    });
    expect(secretOf(of("production").find("Secret", "grafana").inputs.stringData)).toEqual({
      "admin-password": generated("grafana-admin-password"),
    });
  });

  it("is reached by its own host name on the public listener (S4-75), or by port-forward alone", async () => {
    expect(of("production").find("HTTPRoute", "grafana").inputs).toMatchObject({
      metadata: { namespace: "monitoring" },
      spec: {
        parentRefs: [{ name: "public", namespace: "gateway", sectionName: "https" }],
        hostnames: ["grafana.taskflow.example.com"],
        rules: [{ backendRefs: [{ name: "grafana", port: 3000 }] }],
      },
    });
    const hidden = await declarePlatform(firstRun(stackSettings("staging", { monitoring: {} })));
    expect(hidden.names("HTTPRoute")).not.toContain("grafana");
  });

  it("finds its data source and every dashboard in files, and has them by one way only", () => {
    const { data } = of("staging").find("ConfigMap", "grafana").inputs as { data: Record<string, string> };
    const [source] = JSON.parse(data["datasources.yaml"] ?? "").datasources;
    expect(source).toMatchObject({
      type: "prometheus",
      url: "http://prometheus.monitoring.svc.cluster.local:9090",
      jsonData: { timeInterval: "15s" },
    });
    const map = of("staging").find("ConfigMap", "taskflow-dashboards").inputs as {
      metadata: { namespace: string; labels: object };
      data: Record<string, string>;
    };
    const named = dashboards(monitoredStack(stackSettings("staging"))).map(({ name }) => `${name}.json`);
    expect(named.length).toBeGreaterThanOrEqual(5);
    expect(Object.keys(map.data).sort()).toEqual(named.sort());
    expect(map.metadata.namespace).toBe("monitoring");
    // Somebody else's Grafana looks for this label in all namespaces.
    expect(map.metadata.labels).not.toHaveProperty("grafana_dashboard");
  });

  it("is not there on the throw-away cluster, where no image of it can be had", () => {
    expect(
      ownOf("local")
        .map(label)
        .filter((each) => /grafana|dashboards|kube-state/.test(each)),
    ).toEqual([]);
  });
});

describe("a run", () => {
  it.each(stacks)("of %s waits for nothing that only watches: a step must not fail because of it", (stack) => {
    const waitedFor = ownOf(stack).filter(({ type, inputs: { metadata } }) => {
      const annotations = (metadata as { annotations?: Record<string, string> } | undefined)?.annotations ?? {};
      return (
        /:(Deployment|StatefulSet|DaemonSet|Service|Job)$/.test(type) && annotations["pulumi.com/skipAwait"] !== "true"
      );
    });
    expect(waitedFor.map(label)).toEqual([]);
    const asked = ownOf(stack).filter(({ inputs }) => JSON.stringify(inputs).includes("pulumi.com/waitFor"));
    expect(asked.map(label)).toEqual([]);
  });

  it("that steps the traffic changes nothing of what watches it", async () => {
    const settings = stackSettings("local");
    const inputs = (declaration: Declaration) =>
      declaration.all
        .filter(({ parent }) => parent.includes("golive:monitoring:Monitoring::"))
        .map(({ name, inputs: own }) => [name, own]);
    const first = firstRun(settings);
    const stepped = await declarePlatform({
      ...first,
      settings: { ...settings, candidateTraffic: 10 },
      decision: { ...first.decision, weights: { blue: 90, green: 10 } },
    });
    expect(inputs(stepped)).toEqual(inputs(of("local")));
  });

  it.each(stacks)("of %s declares every rule in four objects: each costs every run", (stack) => {
    const objects = of(stack).names("PrometheusRule");
    expect(objects).toEqual(
      ["alerts", "infrastructure-alerts", "monitoring-alerts", "records"].map((name) => `taskflow-${name}`),
    );
    const groups = objects.flatMap((name) => {
      const { spec } = of(stack).find("PrometheusRule", name).inputs as {
        spec: { groups: readonly { name: string }[] };
      };
      return spec.groups.map((group) => group.name);
    });
    const settings = stackSettings(stack);
    const rendered = renderRules(monitoredStack(settings), new Clock(settings.monitoring.speed));
    expect(groups.sort()).toEqual(rendered.map(({ name }) => name).sort());
    expect(new Set(groups).size).toBe(groups.length);
  });
});

describe("a stack that somebody else's Prometheus watches", () => {
  it("declares what that one reads, by its labels, and no servers", () => {
    expect(ownOf("existing").map(label).sort()).toEqual(
      [
        "ConfigMap blackbox-exporter",
        "ConfigMap taskflow-dashboards",
        "Deployment blackbox-exporter",
        "Deployment postgres-exporter",
        "Deployment redis-exporter",
        "PodMonitor taskflow-exporters",
        "PodMonitor taskflow-gateway",
        "Probe taskflow",
        ...of("production")
          .names("PrometheusRule")
          .map((name) => `PrometheusRule ${name}`),
        "Service blackbox-exporter",
        "ServiceMonitor taskflow",
      ].sort(),
    );
    expect(of("existing").find("ConfigMap", "taskflow-dashboards").inputs).toMatchObject({
      metadata: { namespace: "production", labels: { grafana_dashboard: "1" } },
    });
  });

  it("has the labels that its Prometheus asks for on everything that it must find", async () => {
    const monitoring = { kind: "existing", labels: { release: "kube-prometheus-stack" } };
    const declaration = await declarePlatform(
      firstRun(stackSettings("production", { monitoring, gate: { prometheus } })),
    );
    for (const { inputs, ...each } of selectable(declaration))
      expect(inputs, label({ inputs, ...each })).toMatchObject({
        metadata: { labels: { release: "kube-prometheus-stack" } },
      });
    expect(selectable(declaration).length).toBeGreaterThanOrEqual(6);
  });
});

describe("a stack that nobody watches", () => {
  it("declares nothing of monitoring", () => {
    expect(ownOf("none")).toEqual([]);
    expect(selectable(of("none")).map(label)).toEqual([]);
    expect(of("none").names("Deployment")).not.toContain("rollout-metrics");
  });
});

describe("everything that can fail", () => {
  const watchedKinds = [
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "CronJob",
    "Job",
    "PersistentVolumeClaim",
    "HTTPRoute",
    "Cluster",
  ];

  /** What of a stack can fail, and what stands around it: the volumes of StatefulSets, the Gateway and its certificate. */
  function failing(stack: Stack): readonly Required<Cover>[] {
    const { all } = of(stack);
    const own = all.flatMap(({ type, name }) => {
      const kind = watchedKinds.find((each) => type.startsWith("kubernetes:") && type.endsWith(`:${each}`));
      return kind === undefined ? [] : [{ kind: kind as Cover["kind"], name }];
    });
    const volumes = all
      .filter(({ type }) => /:(StatefulSet|Prometheus|Alertmanager|Cluster)$/.test(type))
      .map(({ name }) => ({ kind: "PersistentVolumeClaim" as const, name: `data-${name}-0` }));
    const { gateway } = stackSettings(stack);
    return [...own, ...volumes, { kind: "Gateway", name: gateway.name }, { kind: "Certificate", name: gateway.name }];
  }
  const stackOf = (stack: Stack) => monitoredStack(stackSettings(stack));
  const ofAlerts = (stack: Stack) => alertsOf(stackOf(stack)).flatMap(({ covers = [] }) => covers);
  const ofPanels = (stack: Stack) =>
    dashboards(stackOf(stack)).flatMap(({ panels }) => panels.flatMap(({ covers }) => covers));
  const covers = ({ kind, name }: Cover, what: Required<Cover>) =>
    kind === what.kind && (name === undefined || name === what.name);
  const named = ({ kind, name }: Cover) => `${kind} ${name}`;

  /** What Prometheus reads, or a probe asks through: TargetDown and TargetMissing are about every one of these. */
  function readOf(stack: Stack): readonly string[] {
    const { own, shared } = expectedJobs(stackOf(stack));
    const jobs = [...own, ...shared];
    const targets = targetsOf(of(stack)).filter(({ labels }) => jobs.includes(labels.job ?? ""));
    return [...targets.map(({ pod }) => pod.of), ...(jobs.includes("probe") ? ["Deployment blackbox-exporter"] : [])];
  }

  const excused: Readonly<Record<string, string>> = {
    "CronJob postgres-tools": "never runs by itself: whoever makes a Job of it waits for it",
    "Job taskflow-migrate": "the run waits for it, and fails with it",
  };

  it.each(stacks)("in %s is watched by an alert or a panel", (stack) => {
    const all = [...ofAlerts(stack), ...ofPanels(stack)];
    const read = readOf(stack);
    const blind = failing(stack).filter(
      (what) => !all.some((cover) => covers(cover, what)) && !read.includes(named(what)),
    );
    expect(blind.map(named).filter((each) => !(each in excused))).toEqual([]);
  });

  it.each(stacks)("is what the alerts and panels of %s name: none of them watches what is not there", (stack) => {
    const there = failing(stack);
    const all = [...ofAlerts(stack), ...ofPanels(stack)].filter(({ name }) => name !== undefined);
    expect(all.filter((cover) => !there.some((what) => covers(cover, what))).map(named)).toEqual([]);
  });
});
