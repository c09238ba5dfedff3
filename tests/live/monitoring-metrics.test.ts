import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lineProgress } from "../../cli/progress.ts";
import { aclFile, exporterUser } from "../../components/cache/statefulset.ts";
import { kubectl } from "../../local/cluster/api.ts";
import { authority, issue } from "../../local/cluster/certificate.ts";
import { network, ports } from "../../local/cluster/layout.ts";
import { boundedStorageClass } from "../../local/cluster/manifests.ts";
import { ensureMonitoringTools, monitoringTools } from "../../local/debian/monitoring-tools.ts";
import { ensureTree, imageTree } from "../../local/debian/packages.ts";
import { gateway as proxy } from "../../local/gateway.ts";
import { outcomeOf } from "../../local/run.ts";
import { Clock } from "../../monitoring/clock.ts";
import { alertmanager } from "../../monitoring/metrics/alertmanager.ts";
import { application } from "../../monitoring/metrics/application.ts";
import { cadvisor } from "../../monitoring/metrics/cadvisor.ts";
import { catalogue } from "../../monitoring/metrics/catalogue.ts";
import { gateway } from "../../monitoring/metrics/gateway.ts";
import { guard } from "../../monitoring/metrics/guard.ts";
import { kubelet } from "../../monitoring/metrics/kubelet.ts";
import { type Metric, metricsOf } from "../../monitoring/metrics/metric.ts";
import { node } from "../../monitoring/metrics/node.ts";
import { postgres } from "../../monitoring/metrics/postgres.ts";
import { postgresOperations } from "../../monitoring/metrics/postgres-operations.ts";
import { probe } from "../../monitoring/metrics/probe.ts";
import { prometheus } from "../../monitoring/metrics/prometheus.ts";
import { redis } from "../../monitoring/metrics/redis.ts";
import { rollout } from "../../monitoring/metrics/rollout.ts";
import { ruleSeries, targets } from "../../monitoring/metrics/targets.ts";
import {
  above,
  absent,
  and,
  buckets,
  divide,
  equal,
  fallsBelow,
  of,
  or,
  plus,
  quantile,
  rate,
  sumBy,
  type Vector,
} from "../../monitoring/promql/expression.ts";
import { cleanUp } from "../../programs/database/afterwards.ts";
import { metrics as operations } from "../../programs/database/metrics.ts";
import { migrate } from "../../programs/database/migrations/migrate.ts";
import { guardMetrics } from "../../programs/guard/metrics.ts";
import { startExporter } from "../../programs/rollout/exporter.ts";
import { ApiServers, answerJson } from "../support/api-server.ts";
import { Exporters, type Started } from "../support/exporters.ts";
import { untruths } from "../support/exposition.ts";
import { LedgerApi, place } from "../support/ledger-api.ts";
import { step, write } from "../support/ledger-records.ts";
import { routeObject, told } from "../support/live.ts";
import { freePort, LocalStores, soon } from "../support/local-stores.ts";
import { names, type TestDatabase } from "../support/postgres.ts";
import { printed } from "../support/promql-forms.ts";
import { call, databaseUrl, end, logIn, Services, writeServices } from "../support/sample-service.ts";
import { until } from "../support/until.ts";

/** What this file has held against a running exporter. */
const proven = new Set<Metric>();

function untrue(metrics: Readonly<Record<string, Metric>>, text: string, unsaid: readonly string[] = []) {
  for (const metric of Object.values(metrics)) proven.add(metric);
  return untruths(Object.values(metrics), text, unsaid);
}

/** The version that the catalogue names is the one that this program says it has. */
async function expectVersion(program: string, { source: { exporter } }: Metric): Promise<void> {
  const { stdout, stderr } = await outcomeOf(program, ["--version"]);
  expect(`${stdout}${stderr}`).toContain(exporter.split(" ").at(-1));
}

const exporters = new Exporters();
let directory: string;
let stores: LocalStores;
let database: TestDatabase;

const file = async (name: string, text: string): Promise<string> => {
  const path = join(directory, name);
  await writeFile(path, text);
  return path;
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "golive-metrics-"));
  await ensureMonitoringTools(lineProgress());
  stores = await LocalStores.start();
  const [first] = await stores.databases(1);
  if (!first) throw new Error("a database was asked for");
  database = first;
  await migrate(database.settings, () => {});
});

afterAll(async () => {
  await exporters.end();
  await stores?.stop();
  await rm(directory, { recursive: true, force: true });
});

describe("the catalogue is true of", () => {
  it("the application's services, once they have served somebody", async () => {
    await writeServices(stores.directory);
    const url = await databaseUrl(database, names.applicationLogins.a);
    const services = new Services(stores.directory, async () => ({ DATABASE_URL: url, REDIS_URL: stores.redisUrl }));
    const backend = await services.launch("backend");
    const frontend = await services.launch("frontend", { BACKEND_URL: backend.url });
    try {
      const { token } = await logIn(backend.url, "someone@example.test");
      expect((await call(`${backend.url}/api/tasks`, { token, body: { title: "One" } })).status).toBe(201);
      for (const url of [`${backend.url}/api/tasks`, `${backend.url}/api/tasks`, `${frontend.url}/`])
        expect((await fetch(url, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
      // A garbage collection comes when there is some garbage.
      await until("the backend has collected garbage", async () => {
        await Promise.all(Array.from({ length: 50 }, () => call(`${backend.url}/api/version`)));
        return (await metricsAt(backend.url)).includes("nodejs_gc_duration_seconds_count{");
      });
      expect(untrue(application, await metricsAt(backend.url))).toEqual([]);
      // What is asked of every HTTP service: a page has no tasks, no logins, no cache and no database.
      const { requests, requestDuration, responseBytes, cpu, memory, startedAt } = application;
      const everywhere = { requests, requestDuration, responseBytes, cpu, memory, startedAt };
      expect(untrue(everywhere, await metricsAt(frontend.url))).toEqual([]);
    } finally {
      await services.end();
    }
  });

  it("postgres_exporter with its own login, and it says when the server is gone", async () => {
    const { host, port } = database.settings.server;
    const exporter = await exporters.start(
      monitoringTools.postgresExporter,
      (address) => [`--web.listen-address=${address}`],
      {
        environment: {
          DATA_SOURCE_URI: `${host}:${port}/${database.name}?sslmode=disable`,
          DATA_SOURCE_USER: names.exporter,
          DATA_SOURCE_PASS_FILE: join(database.settings.passwords, names.exporter),
        },
      },
    );
    await expectVersion(monitoringTools.postgresExporter, postgres.up);
    const text = await exporter.get("/metrics");
    expect(untrue(postgres, text, ["server"])).toEqual([]);
    expect(text).toMatch(/^pg_up 1$/m);
    await stores.stopDatabase();
    await soon("pg_up is 0", async () => /^pg_up 0$/m.test(await exporter.get("/metrics")));
    await stores.startDatabase();
    await soon("pg_up is 1", async () => /^pg_up 1$/m.test(await exporter.get("/metrics")));
  });

  it("redis_exporter with the rights of its own user, and it says when Redis is gone", async () => {
    const root = await ensureTree(imageTree, lineProgress());
    const port = await freePort();
    const password = "the-password-of-the-exporter";
    const users = aclFile("taskflow", { own: "another", exporter: password })
      .trim()
      .split("\n")
      .flatMap((line) => ["--user", ...line.split(" ").slice(1)]);
    const options = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--maxmemory", "64mb", ...users];
    const server = spawn("chroot", ["--userspec=999:999", root, "/usr/bin/redis-server", ...options], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    try {
      const exporter = await exporters.start(
        monitoringTools.redisExporter,
        (address) => [`--web.listen-address=${address}`],
        {
          environment: {
            REDIS_ADDR: `redis://127.0.0.1:${port}`,
            REDIS_USER: exporterUser,
            REDIS_PASSWORD: password,
            REDIS_EXPORTER_SET_CLIENT_NAME: "false",
          },
        },
      );
      await expectVersion(monitoringTools.redisExporter, redis.up);
      await soon("redis_up is 1", async () => /^redis_up 1$/m.test(await exporter.get("/metrics")));
      expect(untrue(redis, await exporter.get("/metrics"))).toEqual([]);
      await end(server, "SIGKILL");
      await soon("redis_up is 0", async () => /^redis_up 0$/m.test(await exporter.get("/metrics")));
    } finally {
      await end(server, "SIGKILL");
    }
  });

  it("the database's own record", async () => {
    const owner = await database.connect(names.owner);
    const detail = { bytes: 1, durationMs: 1, lagSeconds: 1 };
    for (const kind of ["backup", "drill"])
      await owner.query(
        "insert into database_operations (kind, started_at, finished_at, succeeded, detail) values ($1, now(), now(), true, $2)",
        [kind, detail],
      );
    const said: string[] = [];
    const running = operations(database.settings, (line) => said.push(line), { port: 0 });
    try {
      await until("the exporter", async () => said.length > 0, 10, 10);
      const url = `http://127.0.0.1:${/on port (\d+)$/.exec(said[0] ?? "")?.[1]}`;
      expect(untrue(postgresOperations, await metricsAt(url))).toEqual([]);
    } finally {
      await cleanUp();
      await running;
    }
  });

  it("the rollout's exporter", async () => {
    const servers = new ApiServers();
    const ledger = new LedgerApi();
    await write(ledger, [step("up", 0, 10)]);
    const url = await servers.serve((request, response) => {
      const path = request.url ?? "";
      if (!path.includes("/configmaps/")) return answerJson(response, 200, routeObject({ told: told() }));
      void ledger
        .ask({ method: "GET", path })
        .then(({ status, body }) => answerJson(response, status, JSON.parse(body)));
    });
    const api = { url, token: await file("token", "a-token"), authority: await file("ca.crt", "") };
    const settings = { ...place, port: 0, api };
    const { port, stop } = await startExporter(settings, () => {});
    try {
      await until("the ledger", async () => (await metricsAt(`http://127.0.0.1:${port}`)).includes("golive_ledger_up"));
      expect(untrue(rollout, await metricsAt(`http://127.0.0.1:${port}`))).toEqual([]);
    } finally {
      await stop();
      await servers.stop();
      servers.remove();
    }
  });

  it("the guard", () => {
    const state = { armed: true, routeUp: true, gatewayUp: true, prometheusUp: true, withheld: false, trips: 1 };
    expect(untrue(guard, guardMetrics("taskflow", state))).toEqual([]);
  });

  it("node_exporter", async () => {
    const exporter = await exporters.start(monitoringTools.nodeExporter, (address) => [
      `--web.listen-address=${address}`,
    ]);
    await expectVersion(monitoringTools.nodeExporter, node.cpu);
    expect(untrue(node, await exporter.get("/metrics"))).toEqual([]);
  });

  it("blackbox_exporter, over TLS", async () => {
    const { server, url } = await tlsServer();
    const modules = { https: { prober: "http", timeout: "5s", http: { tls_config: { insecure_skip_verify: true } } } };
    const config = await file("blackbox.json", JSON.stringify({ modules }));
    try {
      const exporter = await exporters.start(monitoringTools.blackboxExporter, (address) => [
        `--config.file=${config}`,
        `--web.listen-address=${address}`,
      ]);
      await expectVersion(monitoringTools.blackboxExporter, probe.success);
      expect(untrue(probe, await exporter.get(`/probe?module=https&target=${encodeURIComponent(url)}`))).toEqual([]);
    } finally {
      server.close();
    }
  });

  describe("Prometheus and Alertmanager, which watch each other:", () => {
    let watched: Started;
    let watching: Started;

    beforeAll(async () => {
      const receivers = [{ name: "nobody", webhook_configs: [{ url: "http://127.0.0.1:1/" }] }];
      const route = { receiver: "nobody", group_wait: "0s" };
      const told = await file("alertmanager.json", JSON.stringify({ route, receivers }));
      watched = await exporters.start(monitoringTools.alertmanager, (address) => [
        `--config.file=${told}`,
        `--storage.path=${join(directory, "alertmanager")}`,
        `--web.listen-address=${address}`,
        "--cluster.listen-address=",
      ]);
      const labels = { severity: "info", team: "devops", namespace: "production" };
      const rules = { groups: [{ name: "always", rules: [{ alert: "AlwaysOn", expr: "vector(1)", labels }] }] };
      const targeted = [{ targets: [watched.address] }];
      const config = await file(
        "prometheus.json",
        JSON.stringify({
          global: { scrape_interval: "1s", evaluation_interval: "1s" },
          rule_files: [await file("rules.json", JSON.stringify(rules))],
          alerting: { alertmanagers: [{ static_configs: targeted }] },
          scrape_configs: [{ job_name: "alertmanager", static_configs: targeted }],
        }),
      );
      watching = await exporters.start(monitoringTools.prometheus, (address) => [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(directory, "prometheus")}`,
        `--web.listen-address=${address}`,
        // It sends the alert before it knows of Alertmanager, and again only after this.
        "--rules.alert.resend-delay=1s",
      ]);
      await soon("Alertmanager hears of the alert", async () =>
        /^alertmanager_alerts_received_total\{status="firing",version="v2"\} [1-9]/m.test(
          await watched.get("/metrics"),
        ),
      );
    });

    it("Alertmanager", async () => {
      await expectVersion(monitoringTools.alertmanager, alertmanager.alerts);
      expect(untrue(alertmanager, await watched.get("/metrics"))).toEqual([]);
    });

    it("Prometheus", async () => {
      await expectVersion(monitoringTools.prometheus, prometheus.evaluations);
      expect(untrue(prometheus, await watching.get("/metrics"))).toEqual([]);
    });

    it("what Prometheus writes of scrapes and rules", async () => {
      for (const [name, metric] of Object.entries({ ...targets, ...ruleSeries })) {
        const found = JSON.parse(await watching.get(`/api/v1/series?match[]=${metric.name}`)) as {
          data: readonly Readonly<Record<string, string>>[];
        };
        const labels = Object.keys(found.data[0] ?? {}).filter((label) => label !== "__name__");
        expect([name, labels.sort()]).toEqual([name, [...metric.labels].sort()]);
        proven.add(metric);
      }
    });

    it("what the builder writes: Prometheus reads each form, and leaves it the labels that the builder says", async () => {
      const query = async (expression: string) =>
        JSON.parse(await watching.get(`/api/v1/query?query=${encodeURIComponent(expression)}`)) as {
          data: { result: readonly { metric: Readonly<Record<string, string>> }[] };
        };
      // `get` throws when Prometheus refuses one.
      for (const [, vector, inRealTime, atFifteen] of printed) {
        expect(vector.promql(new Clock())).toBe(inRealTime);
        for (const text of [inRealTime, ...(atFifteen === undefined ? [] : [atFifteen])]) await query(text);
      }
      const watch = metricsOf({ exporter: "watched", job: "alertmanager", targetLabels: ["job", "instance"] });
      const alerts = watch.gauge("alertmanager_alerts", { unit: "1", help: "Alerts.", labels: ["state"] });
      const queried = watch.histogram("alertmanager_nflog_query_duration_seconds", {
        unit: "seconds",
        help: "Queries.",
      });
      const all = sumBy(["job", "state"], of(alerts));
      const perJob = sumBy(["job"], of(alerts));
      const labelled: Readonly<Record<string, Vector<string>>> = {
        all,
        shares: divide(all, above(plus(perJob, 1), 0)),
        compared: fallsBelow(all, plus(perJob, 1)),
        both: and(all, perJob),
        either: or(equal(of(alerts), -1), absent(of(alerts, { state: "none" }))),
        absent: absent(of(alerts, { state: "none", instance: { not: "one" } })),
        quantile: quantile(0.9, rate(buckets(queried), 60)),
      };
      for (const [form, vector] of Object.entries(labelled)) {
        let first: { metric: Readonly<Record<string, string>> } | undefined;
        // A rate needs two scrapes.
        await until(`an answer to ${form}`, async () => {
          [first] = (await query(vector.promql(new Clock()))).data.result;
          return first !== undefined;
        });
        expect([form, Object.keys(first?.metric ?? {}).sort()]).toEqual([form, [...vector.labels].sort()]);
      }
    });
  });

  describe("the cluster:", () => {
    const namespace = "golive-test-metrics";
    const hostname = "metrics.golive.test";

    beforeAll(async () => {
      const items = [
        { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
        ...served(namespace, hostname),
      ];
      const input = JSON.stringify({ apiVersion: "v1", kind: "List", items });
      await kubectl(["apply", "--server-side", "--validate=strict", "--filename=-"], { input });
      await kubectl([...within(namespace), "wait", "pod/page", "--for=condition=Ready", "--timeout=120s"]);
    });

    afterAll(async () => {
      await kubectl(["delete", "namespace", namespace, "--ignore-not-found", "--wait=false"]);
    });

    it("Traefik, once it has served somebody", async () => {
      const { host, publicPort } = proxy;
      await soon("the page is served", async () => {
        const { stdout } = await outcomeOf("curl", ["-s", "-H", `Host: ${hostname}`, `http://${host}:${publicPort}/`]);
        return stdout === "a page";
      });
      // Its pod has the node's own addresses, which are this machine's.
      expect(untrue(gateway, await metricsAt(`http://${network.node}:${ports.traefikMetrics}`))).toEqual([]);
    });

    it("the kubelet, which measures a volume that has an end", async () => {
      const read = () => raw("/api/v1/nodes/golive/proxy/metrics");
      await until("the kubelet has measured the volume", async () =>
        new RegExp(`^kubelet_volume_stats_used_bytes\\{namespace="${namespace}"`, "m").test(await read()),
      );
      expect(untrue(kubelet, await read())).toEqual([]);
    });

    it("cAdvisor", async () => {
      expect(untrue(cadvisor, await raw("/api/v1/nodes/golive/proxy/metrics/cadvisor"))).toEqual([]);
    });

    it("the kubelet's version", async () => {
      const version = await kubectl(["get", "node", "golive", "-o", "jsonpath={.status.nodeInfo.kubeletVersion}"]);
      for (const { source } of [kubelet.volumeUsed, cadvisor.cpu])
        expect(version).toContain(`v${source.exporter.split(" ").at(-1)}.`);
    });
  });
});

describe("the catalogue has no other metrics", () => {
  it("but those that are taken from documents, because nothing of it can run here", () => {
    const documented = new Map(
      catalogue.flatMap(({ source }) =>
        source.documentedOnly === undefined ? [] : [[source.exporter, source.documentedOnly] as const],
      ),
    );
    expect(Object.fromEntries(documented)).toEqual({
      "CloudNativePG 1.28.0": expect.stringContaining("docs/src/monitoring.md"),
      "kube-state-metrics 2.17.0": expect.stringContaining("docs/metrics/"),
    });
  });

  it("and those of a scrape, with more labels of their target", () => {
    const others = catalogue.filter((metric) => !proven.has(metric) && metric.source.documentedOnly === undefined);
    expect(others.map(({ name, source }) => `${name}: ${source.exporter}`)).toEqual(
      ["an application's pods", "pods"].flatMap((kind) =>
        Object.values(targets).map(({ name }) => `${name}: Prometheus 2.42.0, scrapes of ${kind}`),
      ),
    );
  });
});

const metricsAt = async (url: string): Promise<string> => await (await fetch(`${url}/metrics`)).text();
const raw = (path: string): Promise<string> => kubectl(["get", "--raw", path]);
const within = (namespace: string) => ["--namespace", namespace];

/** A server with a certificate of its own, on loopback. */
async function tlsServer(): Promise<{ readonly server: Server; readonly url: string }> {
  const signed = issue(authority("metrics", 1), { subject: { name: "localhost" }, hosts: ["127.0.0.1"], validDays: 1 });
  const server = createServer({ key: signed.key, cert: signed.certificate }, (_, response) => response.end("ok"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

/** A page behind the Gateway, whose pod has a volume that the kubelet measures. */
function served(namespace: string, hostname: string): readonly object[] {
  const metadata = { name: "page", namespace };
  const page = 'require("node:http").createServer((_, answer) => answer.end("a page")).listen(8080)';
  return [
    {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata,
      spec: {
        storageClassName: boundedStorageClass,
        accessModes: ["ReadWriteOnce"],
        resources: { requests: { storage: "16Mi" } },
      },
    },
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { ...metadata, labels: { app: "page" } },
      spec: {
        automountServiceAccountToken: false,
        terminationGracePeriodSeconds: 0,
        containers: [
          {
            name: "page",
            image: "golive.local/node:24",
            command: ["node", "-e", page],
            resources: { limits: { memory: "64Mi", cpu: "200m" } },
            securityContext: { allowPrivilegeEscalation: false, runAsNonRoot: true, runAsUser: 1000 },
            readinessProbe: { httpGet: { path: "/", port: 8080 }, periodSeconds: 1 },
            volumeMounts: [{ name: "data", mountPath: "/data" }],
          },
        ],
        volumes: [{ name: "data", persistentVolumeClaim: { claimName: "page" } }],
      },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata,
      spec: { selector: { app: "page" }, ports: [{ port: 80, targetPort: 8080 }] },
    },
    {
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "HTTPRoute",
      metadata,
      spec: {
        hostnames: [hostname],
        parentRefs: [{ name: proxy.name, namespace: proxy.namespace, sectionName: proxy.section }],
        rules: [{ backendRefs: [{ name: "page", port: 80 }] }],
      },
    },
  ];
}
