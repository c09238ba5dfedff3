import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  bundleConfigMap,
  rolloutMetricsDeployment,
  routeReaderBinding,
  routeReaderRole,
} from "../../components/traffic/rollout-metrics-manifests.ts";
import { outcomeOf } from "../../local/run.ts";
import { bundlePrograms } from "../../programs/bundle.ts";
import { jsonLog } from "../../programs/log.ts";
import { startExporter } from "../../programs/rollout/exporter.ts";
import { metricsText } from "../../programs/rollout/metrics.ts";
import { type Reading, readingOf } from "../../programs/rollout/reading.ts";
import { exporterSettings } from "../../programs/rollout/settings.ts";
import { pageNames } from "../../rollout/ledger/pages.ts";
import { ApiServers, answerJson, notFound } from "../support/api-server.ts";
import { evenRules, now, routeObject, told } from "../support/live.ts";
import { stackSettings } from "../support/platform.ts";
import { until } from "../support/until.ts";

const read = (options: Parameters<typeof routeObject>[0]): Reading => {
  const reading = readingOf(routeObject(options));
  if (typeof reading === "string") throw new Error(reading);
  return reading;
};

const isLedger = ({ url }: IncomingMessage) => url?.includes("/configmaps/") === true;

describe("what the exporter reads from a route", () => {
  it("is what it was told, what is live, since when, and for how long it stays", () => {
    expect(readingOf(routeObject({ told: told({ candidateTraffic: 50, retired: ["blue"] }), hoursAgo: 2 }))).toEqual({
      candidate: "green",
      candidateTraffic: 50,
      weights: { blue: 50, green: 50 },
      steppedAt: now.getTime() / 1000 - 2 * 3600,
      rung: 2,
      rungs: 3,
      soakSeconds: 15 * 60,
      tripped: { blue: false, green: false },
      retired: { blue: true, green: false },
    } satisfies Reading);
  });

  it.each([
    [0, 0, 0],
    [10, 1, 15],
    [50, 2, 15],
    [100, 3, 30],
    // Edited by hand: whoever has traffic is on a rung.
    [3, 1, 15],
    [49, 1, 15],
    [99, 2, 15],
  ])("at a live weight of %i has rung %i and a soak of %i minutes, whatever it was told", (live, rung, minutes) => {
    const rules = evenRules({ blue: 100 - live, green: live });
    expect(read({ told: told({ candidateTraffic: 10 }), rules })).toMatchObject({
      candidateTraffic: 10,
      weights: { blue: 100 - live, green: live },
      rung,
      soakSeconds: minutes * 60,
    });
  });

  it("is the largest weight where rules differ: the exposure of users", () => {
    const [api, page] = [evenRules({ blue: 90, green: 10 })[0], evenRules({ blue: 50, green: 50 })[1]];
    expect(read({ rules: [api, page].flatMap((rule) => (rule ? [rule] : [])) }).weights).toEqual({
      blue: 90,
      green: 50,
    });
  });

  it("is a trip until somebody acknowledged that very one", () => {
    const trip = "green: error ratio 12 %";
    expect(read({ trip }).tripped).toEqual({ blue: false, green: true });
    expect(read({ trip, told: told({ acknowledged: trip }) }).tripped).toEqual({ blue: false, green: false });
    expect(read({ trip: "blue: by hand", told: told({ acknowledged: trip }) }).tripped.blue).toBe(true);
  });

  it("is a reason when the route is not ours, or its ladder no ladder", () => {
    expect(readingOf({ metadata: {}, spec: { rules: [] } })).toBe(
      "the route has not the annotations of golive: somebody else made it, or took them away",
    );
    expect(readingOf(routeObject({ told: told({ ladder: "10/15" }) }))).toBe(
      "the route's ladder cannot be read: last rung 10; a ladder ends at 100",
    );
  });
});

describe("the metrics of a rollout", () => {
  it("are Prometheus' text, each series with the application", () => {
    const trip = "green: error ratio 12 %";
    const reading = read({ told: told({ candidateTraffic: 10 }), trip, hoursAgo: 0 });
    expect(
      metricsText("taskflow", reading),
    ).toBe(`# HELP golive_route_up 1 when the application's public route can be read and says what it was told, else 0.
# TYPE golive_route_up gauge
golive_route_up{application="taskflow"} 1
# HELP golive_candidate_traffic_percent Percent of the public requests that the candidate was last told to get.
# TYPE golive_candidate_traffic_percent gauge
golive_candidate_traffic_percent{application="taskflow",candidate="green"} 10
# HELP golive_weight_percent Largest percent that any rule of the live route gives to a colour.
# TYPE golive_weight_percent gauge
golive_weight_percent{application="taskflow",colour="blue"} 90
golive_weight_percent{application="taskflow",colour="green"} 10
# HELP golive_stepped_timestamp_seconds When the route was last written.
# TYPE golive_stepped_timestamp_seconds gauge
golive_stepped_timestamp_seconds{application="taskflow"} 1795262400
# HELP golive_soak_seconds Minimum time on the present rung; 0 when the candidate has no traffic.
# TYPE golive_soak_seconds gauge
golive_soak_seconds{application="taskflow"} 900
# HELP golive_rung Index of the rung that the candidate's live traffic reached; 0 when it has none.
# TYPE golive_rung gauge
golive_rung{application="taskflow"} 1
# HELP golive_rungs Number of rungs of the ladder.
# TYPE golive_rungs gauge
golive_rungs{application="taskflow"} 3
# HELP golive_tripped 1 when a colour must get no traffic and nobody acknowledged that yet, else 0.
# TYPE golive_tripped gauge
golive_tripped{application="taskflow",colour="blue"} 0
golive_tripped{application="taskflow",colour="green"} 1
# HELP golive_retired 1 when a colour is scaled to no pods, else 0.
# TYPE golive_retired gauge
golive_retired{application="taskflow",colour="blue"} 0
golive_retired{application="taskflow",colour="green"} 0
`);
  });

  it("say that the route is not there, and nothing that is not known", () => {
    const series = metricsText("taskflow", undefined)
      .split("\n")
      .filter((line) => !line.startsWith("#"));
    expect(series).toEqual(['golive_route_up{application="taskflow"} 0', ""]);
    expect(metricsText("taskflow", { ...read({}), steppedAt: undefined })).not.toContain("golive_stepped");
  });
});

describe("the exporter", () => {
  const servers = new ApiServers();
  const stops: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
    await servers.stop();
  });
  afterAll(() => servers.remove());

  async function start(url: string) {
    const file = async (name: string, text: string) => {
      await writeFile(join(servers.folder, name), text);
      return join(servers.folder, name);
    };
    const api = { url, token: await file("token", "a-token\n"), authority: await file("ca.crt", "") };
    const lines: string[] = [];
    const settings = { application: "taskflow", namespace: "local", port: 0, api };
    const { port, stop } = await startExporter(
      settings,
      jsonLog("rollout-metrics", (line) => lines.push(line)),
      { pause: 10, ledgerPause: 10 },
    );
    stops.push(stop);
    const ask = async (path: string, method = "GET") => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, { method });
      return [response.status, await response.text()] as const;
    };
    const said = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    return { ask, said, metrics: async () => (await ask("/metrics"))[1] };
  }

  it("follows the route: a step is seen, one that is deleted is down, and one that is back is read again", async () => {
    let answer: readonly [number, unknown] = [200, routeObject({ told: told({ candidateTraffic: 10 }) })];
    let asked = "";
    const url = await servers.serve((request, response) => {
      if (isLedger(request)) return answerJson(response, 404, notFound);
      asked = `${request.url} ${request.headers.authorization}`;
      answerJson(response, ...answer);
    });
    const exporter = await start(url);
    expect(await exporter.metrics()).toContain('golive_weight_percent{application="taskflow",colour="green"} 10\n');
    expect(asked).toBe("/apis/gateway.networking.k8s.io/v1/namespaces/local/httproutes/taskflow Bearer a-token");
    answer = [200, routeObject({ told: told({ candidateTraffic: 50 }) })];
    await until("the step", async () => (await exporter.metrics()).includes('colour="green"} 50\n'));
    answer = [404, notFound];
    await until("the deletion", async () => (await exporter.metrics()).includes('route_up{application="taskflow"} 0'));
    expect(await exporter.metrics()).not.toContain("golive_weight_percent");
    answer = [403, { kind: "Status", message: 'httproutes "taskflow" is forbidden' }];
    await until("the refusal", async () => exporter.said().length === 4);
    answer = [200, routeObject({ told: told({ candidateTraffic: 50 }) })];
    await until("the return", async () => (await exporter.metrics()).includes('route_up{application="taskflow"} 1'));
    const where = { time: expect.any(String), service: "rollout-metrics", application: "taskflow", namespace: "local" };
    // Once a change, not once a reading.
    expect(exporter.said().filter(({ message }) => message !== "listening")).toEqual([
      { ...where, level: "info", message: "reads the route" },
      {
        ...where,
        level: "error",
        message: "cannot read the route",
        reason: "there is no HTTPRoute taskflow in namespace local",
      },
      {
        ...where,
        level: "error",
        message: "cannot read the route",
        reason: 'asked for HTTPRoute taskflow, the API server answered 403: httproutes "taskflow" is forbidden',
      },
      { ...where, level: "info", message: "reads the route" },
    ]);
  });

  it("lives on without an API server, healthy, and says what it died of", async () => {
    const exporter = await start("http://127.0.0.1:1");
    expect(await exporter.metrics()).toContain('golive_route_up{application="taskflow"} 0\n');
    expect(await exporter.ask("/health")).toEqual([200, "ok\n"]);
    expect(await exporter.ask("/other")).toEqual([404, "there are /metrics and /health\n"]);
    expect(await exporter.ask("/metrics", "POST")).toEqual([405, "only GET\n"]);
    expect(exporter.said()).toContainEqual(
      expect.objectContaining({ message: "cannot read the route", reason: "connect ECONNREFUSED 127.0.0.1:1" }),
    );
  });

  it("takes an answer that is no JSON for no route", async () => {
    const exporter = await start(await servers.serve((_, response) => void response.end("<html>")));
    expect(await exporter.metrics()).toContain('golive_route_up{application="taskflow"} 0\n');
    expect(exporter.said()).toContainEqual(
      expect.objectContaining({ message: "cannot read the route", reason: expect.stringMatching(/not valid JSON/) }),
    );
  });

  it("tells of the route also while the ledger is refused, and of the ledger when it may read it again", async () => {
    let forbidden = true;
    const record = { kind: "up", at: now, candidate: "green", to: { blue: 90, green: 10 } };
    const url = await servers.serve((request, response) => {
      if (!isLedger(request)) return answerJson(response, 200, routeObject({ told: told({ candidateTraffic: 10 }) }));
      if (forbidden) return answerJson(response, 403, { message: 'configmaps "taskflow-ledger" is forbidden' });
      if (!request.url?.endsWith("/taskflow-ledger")) return answerJson(response, 404, notFound);
      return answerJson(response, 200, { data: { "000001": JSON.stringify(record) } });
    });
    const exporter = await start(url);
    const tells = (line: string) => async () => (await exporter.metrics()).includes(line);
    await until("the refusal", tells('golive_ledger_up{application="taskflow"} 0\n'));
    expect(await exporter.metrics()).toContain('golive_weight_percent{application="taskflow",colour="green"} 10\n');
    expect(await exporter.ask("/health")).toEqual([200, "ok\n"]);
    forbidden = false;
    await until("the record", tells(`number="1",kind="up",candidate="green",percent="10"} ${now.getTime() / 1000}\n`));
    const what = "the ledger of taskflow in namespace local";
    expect(
      exporter
        .said()
        .flatMap(({ level, message, reason, ...rest }) => (rest.what ? [[level, message, rest.what, reason]] : [])),
    ).toEqual([
      [
        "error",
        "cannot be read",
        what,
        'cannot read the ledger (ConfigMap taskflow-ledger in namespace local): the API server answered 403: configmaps "taskflow-ledger" is forbidden',
      ],
      ["info", "can be read again", what, undefined],
    ]);
  });

  it("keeps nobody waiting for a ledger that does not answer", async () => {
    const asked = Promise.withResolvers<void>();
    const url = await servers.serve((request, response) => {
      if (isLedger(request)) return asked.resolve();
      answerJson(response, 200, routeObject({ told: told() }));
    });
    const exporter = await start(url);
    await asked.promise;
    expect(await exporter.metrics()).toContain('golive_route_up{application="taskflow"} 1\n');
    expect(await exporter.metrics()).not.toContain("golive_ledger");
    // Ends the question, so that the exporter can stop.
    await servers.stop();
  });

  it("is told by its pod where it is, and names what it was not told", () => {
    const environment = {
      APPLICATION: "taskflow",
      NAMESPACE: "local",
      PORT: "9189",
      KUBERNETES_SERVICE_HOST: "10.96.0.1",
      KUBERNETES_SERVICE_PORT: "443",
    };
    expect(exporterSettings(environment)).toEqual({
      application: "taskflow",
      namespace: "local",
      port: 9189,
      api: {
        url: "https://10.96.0.1:443",
        token: "/var/run/secrets/kubernetes.io/serviceaccount/token",
        authority: "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt",
      },
    });
    expect(exporterSettings({ ...environment, KUBERNETES_SERVICE_HOST: "fd00::1" }).api.url).toBe(
      "https://[fd00::1]:443",
    );
    expect(() => exporterSettings({ ...environment, APPLICATION: "", NAMESPACE: undefined })).toThrow(
      "not in the environment: APPLICATION, NAMESPACE",
    );
  });
});

describe("the exporter's bundle", () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "golive-rollout-"));
    await writeFile(join(directory, "rollout.mjs"), (await bundlePrograms()).rollout);
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it("is one file without dependencies, and small: nothing of Pulumi or of a client library is in it", async () => {
    const bundle = (await bundlePrograms()).rollout;
    expect(Buffer.byteLength(bundle)).toBeLessThan(32 * 1024);
    const { code, stderr } = await outcomeOf(process.execPath, [join(directory, "rollout.mjs")], { env: {} });
    expect([code, stderr]).toEqual([1, expect.stringContaining("not in the environment: APPLICATION, NAMESPACE")]);
  });
});

describe("the exporter's pod", () => {
  const settings = stackSettings("staging", { imageMirrors: { "docker.io/": "mirror.example.com/" } });

  it("may read the public route of its application and the pages of its ledger, and nothing else", () => {
    expect(routeReaderRole(settings)).toEqual({
      metadata: {
        name: "rollout-metrics",
        namespace: "staging",
        labels: { app: "taskflow", component: "rollout-metrics" },
      },
      rules: [
        {
          apiGroups: ["gateway.networking.k8s.io"],
          resources: ["httproutes"],
          resourceNames: ["taskflow"],
          verbs: ["get"],
        },
        { apiGroups: [""], resources: ["configmaps"], resourceNames: pageNames("taskflow"), verbs: ["get"] },
      ],
    });
    expect(routeReaderBinding(settings)).toMatchObject({
      roleRef: { kind: "Role", name: "rollout-metrics" },
      subjects: [{ kind: "ServiceAccount", name: "rollout-metrics", namespace: "staging" }],
    });
  });

  it("is restricted, small, and scraped by the name of its port", () => {
    const probe = { httpGet: { path: "/health", port: "metrics" }, timeoutSeconds: 5 };
    const labels = { app: "taskflow", component: "rollout-metrics" };
    expect(rolloutMetricsDeployment(settings, "rollout-metrics-0123456789")).toEqual({
      metadata: {
        ...{ name: "rollout-metrics", namespace: "staging", labels },
        annotations: { "pulumi.com/skipAwait": "true" },
      },
      spec: {
        replicas: 1,
        revisionHistoryLimit: 3,
        selector: { matchLabels: labels },
        strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
        template: {
          metadata: { labels },
          spec: {
            automountServiceAccountToken: true,
            serviceAccountName: "rollout-metrics",
            securityContext: {
              runAsNonRoot: true,
              runAsUser: 10_001,
              runAsGroup: 10_001,
              fsGroup: 10_001,
              fsGroupChangePolicy: "OnRootMismatch",
              seccompProfile: { type: "RuntimeDefault" },
            },
            terminationGracePeriodSeconds: 10,
            volumes: [{ name: "programs", configMap: { name: "rollout-metrics-0123456789" } }],
            containers: [
              {
                name: "rollout-metrics",
                image: "mirror.example.com/library/node:24.11.1-bookworm-slim",
                command: ["node", "/programs/rollout.mjs"],
                env: [
                  { name: "APPLICATION", value: "taskflow" },
                  { name: "NAMESPACE", value: "staging" },
                  { name: "PORT", value: "9189" },
                ],
                ports: [{ name: "metrics", containerPort: 9189 }],
                securityContext: {
                  allowPrivilegeEscalation: false,
                  readOnlyRootFilesystem: true,
                  capabilities: { drop: ["ALL"] },
                },
                startupProbe: { ...probe, periodSeconds: 2, failureThreshold: 60 },
                readinessProbe: { ...probe, periodSeconds: 10, failureThreshold: 3 },
                livenessProbe: { ...probe, periodSeconds: 20, failureThreshold: 3 },
                terminationMessagePolicy: "FallbackToLogsOnError",
                resources: { requests: { cpu: "10m", memory: "64Mi" }, limits: { memory: "128Mi" } },
                volumeMounts: [{ name: "programs", mountPath: "/programs", readOnly: true }],
              },
            ],
          },
        },
      },
    });
  });

  it("runs exactly the program that it was made for: another text is another ConfigMap", () => {
    const name = (bundle: string) => bundleConfigMap(settings, bundle).metadata.name;
    expect(name("one")).toMatch(/^rollout-metrics-[0-9a-f]{10}$/);
    expect(name("two")).not.toBe(name("one"));
    expect(bundleConfigMap(settings, "one")).toMatchObject({ data: { "rollout.mjs": "one" }, immutable: true });
  });
});
