import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { taskflow } from "../../applications/taskflow.ts";
import {
  gatewayPodsService,
  guardConfigMap,
  guardDeployment,
  guardRole,
} from "../../components/traffic/guard-manifests.ts";
import { outcomeOf } from "../../local/run.ts";
import { bundlePrograms } from "../../programs/bundle.ts";
import { countersOf } from "../../programs/guard/gateway-counters.ts";
import { clusterDomain, gatewayPods, type Names } from "../../programs/guard/gateway-pods.ts";
import { guardMetrics } from "../../programs/guard/metrics.ts";
import { prometheusAt } from "../../programs/guard/prometheus.ts";
import { guardSettings } from "../../programs/guard/settings.ts";
import { startGuard } from "../../programs/guard/start.ts";
import { Tally } from "../../programs/guard/tally.ts";
import { jsonLog } from "../../programs/log.ts";
import { pageNames } from "../../rollout/ledger/pages.ts";
import { ApiServers, answerJson } from "../support/api-server.ts";
import { deploymentObject, routeObject, told } from "../support/live.ts";
import { stackSettings } from "../support/platform.ts";
import { until } from "../support/until.ts";

const whose = { application: taskflow, namespace: "local" };

/** A part of what Traefik 3.5.4 answers. */
const traefik = `# HELP traefik_service_requests_total How many HTTP requests processed on a service, partitioned by status code, protocol, and method.
# TYPE traefik_service_requests_total counter
traefik_entrypoint_requests_total{code="200",entrypoint="public",method="GET",protocol="http"} 46842
traefik_service_request_duration_seconds_count{code="200",method="GET",protocol="http",service="local-taskflow-backend-green-http-80@kubernetesgateway"} 6612
traefik_service_requests_total{code="200",method="GET",protocol="http",service="local-taskflow-backend-green-http-80@kubernetesgateway"} 6612
traefik_service_requests_total{code="201",method="POST",protocol="http",service="local-taskflow-backend-blue-http-80@kubernetesgateway"} 2.5e+03
traefik_service_requests_total{code="503",method="GET",protocol="http",service="local-taskflow-frontend-green-http-80@kubernetesgateway"} 139
traefik_service_requests_total{code="499",method="GET",protocol="http",service="local-taskflow-frontend-green-http-80@kubernetesgateway"} 3
traefik_service_requests_total{code="500",method="GET",protocol="http",service="staging-taskflow-backend-green-http-80@kubernetesgateway"} 9
traefik_service_requests_total{code="500",method="GET",protocol="http",service="local-other-backend-green-http-80@kubernetesgateway"} 9
traefik_service_requests_total{code="500",method="GET",protocol="http",service="local-taskflow-backend-green-http-80@kubernetesgateway"} NaN
`;

describe("what a pod of the gateway counted", () => {
  it("is read for this stack's services and colours alone; what a client gave up is no failure", () => {
    expect([...countersOf(traefik, whose).values()]).toEqual([
      { service: "backend", colour: "green", failed: false, total: 6612 },
      { service: "backend", colour: "blue", failed: false, total: 2500 },
      { service: "frontend", colour: "green", failed: true, total: 139 },
      { service: "frontend", colour: "green", failed: false, total: 3 },
    ]);
    expect(countersOf("<html>", whose).size).toBe(0);
  });
});

describe("the tally", () => {
  const counters = (totals: Readonly<Record<string, number>>) =>
    new Map(
      Object.entries(totals).map(([code, total]) => [
        code,
        { service: "backend", colour: "green" as const, failed: code === "500", total },
      ]),
    );
  const take = (tally: Tally, pods: Readonly<Record<string, Readonly<Record<string, number>> | undefined>>) =>
    tally.take(["backend"], new Map(Object.entries(pods).map(([pod, totals]) => [pod, totals && counters(totals)])))
      .backend?.green;

  it("counts what came since the look before, of all pods", () => {
    const tally = new Tally();
    expect(take(tally, { a: { 200: 1000, 500: 10 }, b: { 200: 50 } })).toEqual({ requests: 0, errors: 0 });
    expect(take(tally, { a: { 200: 1100, 500: 15 }, b: { 200: 60 } })).toEqual({ requests: 115, errors: 5 });
    expect(take(tally, { a: { 200: 1100, 500: 15 }, b: { 200: 60 } })).toEqual({ requests: 0, errors: 0 });
  });

  it("counts a first failure: its counter was not there before", () => {
    const tally = new Tally();
    take(tally, { a: { 200: 100 } });
    expect(take(tally, { a: { 200: 110, 500: 3 } })).toEqual({ requests: 13, errors: 3 });
  });

  it("counts from 0 where a pod began anew, and nothing of a pod that it did not know", () => {
    const tally = new Tally();
    take(tally, { a: { 200: 1000, 500: 10 } });
    expect(take(tally, { a: { 200: 7, 500: 2 }, b: { 200: 5000, 500: 5000 } })).toEqual({ requests: 9, errors: 2 });
  });

  it("counts later what a silent pod counted meanwhile, and forgets a pod that is gone", () => {
    const tally = new Tally();
    take(tally, { a: { 200: 100 }, b: { 200: 10 } });
    expect(take(tally, { a: { 200: 120 }, b: undefined })).toEqual({ requests: 20, errors: 0 });
    expect(take(tally, { a: { 200: 120 }, b: { 200: 40 } })).toEqual({ requests: 30, errors: 0 });
    take(tally, { a: { 200: 120 } });
    expect(take(tally, { a: { 200: 120 }, b: { 200: 90 } })).toEqual({ requests: 0, errors: 0 });
  });

  it("adds up to the whole, whenever it looks", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(50), fc.nat(5)), { maxLength: 20 }), (seconds) => {
        const tally = new Tally();
        take(tally, { a: { 200: 0, 500: 0 } });
        let [fine, failed, requests, errors] = [0, 0, 0, 0];
        for (const [more, moreFailed] of seconds) {
          fine += more;
          failed += moreFailed;
          const growth = take(tally, { a: { 200: fine, 500: failed } });
          requests += growth?.requests ?? 0;
          errors += growth?.errors ?? 0;
        }
        expect([requests, errors]).toEqual([fine + failed, failed]);
      }),
    );
  });
});

describe("the pods of the gateway", () => {
  const service = "_metrics._tcp.golive-local-taskflow.gateway.svc.cluster.local";
  const names = (found: Partial<Record<keyof Names, Readonly<Record<string, unknown>>>>): Names => {
    const answer = (kind: keyof Names) => async (name: string) => {
      const known = found[kind]?.[name];
      if (known === undefined) throw new Error(`query${kind} ENOTFOUND ${name}`);
      return known as never;
    };
    return { resolveSrv: answer("resolveSrv"), resolve4: answer("resolve4"), resolve6: answer("resolve6") };
  };

  it("are found by DNS alone, each with the port that its metrics are on", async () => {
    const found = await gatewayPods(
      names({
        resolveSrv: {
          [service]: [
            { name: "two", port: 9100 },
            { name: "one", port: 9100 },
            { name: "six", port: 9101 },
          ],
        },
        resolve4: { one: ["10.0.0.1"], two: ["10.0.0.2"] },
        resolve6: { six: ["fd00::6"] },
      }),
      service,
    );
    expect(found).toEqual(["10.0.0.1:9100", "10.0.0.2:9100", "[fd00::6]:9101"]);
  });

  it("are an error that names what DNS does not know", async () => {
    await expect(gatewayPods(names({}), service)).rejects.toThrow(`queryresolveSrv ENOTFOUND ${service}`);
  });

  it("are asked for below the domain that the kubelet wrote down", async () => {
    const directory = await mkdtemp(join(tmpdir(), "golive-guard-"));
    const file = join(directory, "resolv.conf");
    await writeFile(file, "search local.svc.corp.example svc.corp.example corp.example\nnameserver 10.96.0.10\n");
    expect(await clusterDomain(file)).toBe("corp.example");
    await writeFile(file, "nameserver 10.96.0.10\n");
    await expect(clusterDomain(file)).rejects.toThrow(`${file} has no search domain that begins with svc.`);
    await rm(directory, { recursive: true });
  });
});

const environment = {
  APPLICATION: "taskflow",
  NAMESPACE: "local",
  POD: "guard-abc",
  PORT: "9189",
  GATEWAY: "_metrics._tcp.golive-local-taskflow.gateway",
  SPEED: "15",
  KUBERNETES_SERVICE_HOST: "10.96.0.1",
  KUBERNETES_SERVICE_PORT: "443",
};

describe("the guard's environment", () => {
  it("says where it is, and names what it does not say", () => {
    expect(guardSettings({ ...environment, PROMETHEUS: "http://prometheus.monitoring.svc:9090" })).toEqual({
      application: taskflow,
      namespace: "local",
      pod: "guard-abc",
      port: 9189,
      gateway: "_metrics._tcp.golive-local-taskflow.gateway",
      prometheus: "http://prometheus.monitoring.svc:9090",
      speed: 15,
      api: expect.objectContaining({ url: "https://10.96.0.1:443" }),
    });
    expect(guardSettings(environment).prometheus).toBeUndefined();
    expect(() => guardSettings({ ...environment, POD: "", GATEWAY: undefined })).toThrow(
      "not in the environment: POD, GATEWAY",
    );
    expect(() => guardSettings({ ...environment, APPLICATION: "mail" })).toThrow(
      /^APPLICATION: got mail; allowed: taskflow/,
    );
  });
});

describe("the guard as a program", () => {
  const servers = new ApiServers();
  const others: Server[] = [];
  afterEach(async () => {
    await servers.stop();
    for (const other of others.splice(0)) other.close();
  });
  afterAll(() => servers.remove());

  async function start(url: string, more: Partial<ReturnType<typeof guardSettings>> = {}, text = traefik) {
    const pod = createServer((_, response) => void response.end(text)).listen(0, "127.0.0.1");
    others.push(pod);
    await new Promise((resolve) => pod.once("listening", resolve));
    const file = async (name: string, content: string) => {
      await writeFile(join(servers.folder, name), content);
      return join(servers.folder, name);
    };
    const api = { url, token: await file("token", "a-token\n"), authority: await file("ca.crt", "") };
    const lines: string[] = [];
    const guard = await startGuard(
      { ...guardSettings(environment), port: 0, api, ...more },
      jsonLog("guard", (line) => lines.push(line)),
      { find: async () => [`127.0.0.1:${(pod.address() as AddressInfo).port}`], pause: 10 },
    );
    const ask = async (path: string) => (await fetch(`http://127.0.0.1:${guard.port}${path}`)).text();
    return { guard, ask, lines };
  }

  it("looks at the route and the gateway again and again, and tells Prometheus", async () => {
    const url = await servers.serve((request, response) =>
      request.url?.includes("/endpointslices")
        ? answerJson(response, 200, deploymentObject("backend", {}))
        : answerJson(response, 200, routeObject({ told: told({ candidateTraffic: 10 }), hoursAgo: 0 })),
    );
    const { guard, ask, lines } = await start(url);
    await until("the first look", async () =>
      (await ask("/metrics")).includes('guard_gateway_up{application="taskflow"} 1'),
    );
    expect(await ask("/metrics")).toContain('golive_guard_armed{application="taskflow"} 1\n');
    expect(await ask("/health")).toBe("ok\n");
    await guard.stop();
    expect(lines.map((line) => JSON.parse(line))).toContainEqual(
      expect.objectContaining({ service: "guard", message: "armed", colour: "green", percent: 10 }),
    );
  });

  it("is well without an API server and without a gateway: it is there when they are back", async () => {
    const { guard, ask, lines } = await start("http://127.0.0.1:1", { prometheus: "http://127.0.0.1:1" });
    await until("the first look", async () => lines.some((line) => line.includes("ECONNREFUSED")));
    expect(await ask("/health")).toBe("ok\n");
    expect(await ask("/metrics")).toContain('golive_guard_route_up{application="taskflow"} 0\n');
    expect(await ask("/metrics")).toContain('golive_guard_prometheus_up{application="taskflow"} 0\n');
    await guard.stop();
  });

  it("asks Prometheus at its address, and says which one refused", async () => {
    const address = await servers.serve((request, response) => {
      const query = new URL(request.url ?? "", "http://here").searchParams;
      if (query.get("query") === "up") {
        const value = [Number(query.get("time")), "3"];
        answerJson(response, 200, {
          status: "success",
          data: { resultType: "vector", result: [{ metric: {}, value }] },
        });
      } else answerJson(response, 400, { status: "error", error: "parse error" });
    });
    expect(await prometheusAt(address)("up", 1_795_262_400)).toBe(3);
    await expect(prometheusAt(address)("up(", 1)).rejects.toThrow(`Prometheus (${address}) answered 400: parse error`);
  });

  it("says nothing of a Prometheus that it does not have", () => {
    const state = { armed: true, routeUp: true, gatewayUp: true, prometheusUp: undefined, withheld: false, trips: 2 };
    expect(guardMetrics("taskflow", state)).not.toContain("prometheus_up");
    expect(guardMetrics("taskflow", state)).toContain('golive_guard_trips_total{application="taskflow"} 2\n');
  });
});

describe("the guard's bundle", () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "golive-guard-"));
    await writeFile(join(directory, "guard.mjs"), (await bundlePrograms()).guard);
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it("is one file that fits into a ConfigMap, with nothing of Pulumi, of a client library or of a parser in it", async () => {
    const bundle = (await bundlePrograms()).guard;
    // It starts in a moment on 20m of a core: what it does not run, it does not carry.
    expect(Buffer.byteLength(bundle)).toBeLessThan(100 * 1024);
    expect(bundle).not.toMatch(/@kubernetes\/client-node|registerOutputs|ZodError/);
    const { code, stderr } = await outcomeOf(process.execPath, [join(directory, "guard.mjs")], { env: {} });
    expect([code, stderr]).toEqual([1, expect.stringContaining("not in the environment: APPLICATION, NAMESPACE, POD")]);
  });
});

describe("the guard's pods", () => {
  const settings = stackSettings("staging", { imageMirrors: { "docker.io/": "mirror.example.com/" } });

  it("may write one route, read the readiness of what stands behind it, and add to its ledger", () => {
    expect(guardRole(settings).rules).toEqual([
      {
        apiGroups: ["gateway.networking.k8s.io"],
        resources: ["httproutes"],
        resourceNames: ["taskflow"],
        verbs: ["get", "patch"],
      },
      { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list"] },
      { apiGroups: [""], resources: ["configmaps"], resourceNames: pageNames("taskflow"), verbs: ["get", "patch"] },
      { apiGroups: [""], resources: ["configmaps", "events"], verbs: ["create"] },
    ]);
  });

  it("are two, apart, restricted, without a secret, and told where gateway and Prometheus are", () => {
    const pod = {
      automountServiceAccountToken: true,
      serviceAccountName: "guard",
      securityContext: { runAsNonRoot: true, runAsUser: 10001, seccompProfile: { type: "RuntimeDefault" } },
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: "kubernetes.io/hostname",
          whenUnsatisfiable: "ScheduleAnyway",
          labelSelector: { matchLabels: { app: "taskflow", component: "guard" } },
        },
      ],
      volumes: [{ name: "programs", configMap: { name: "guard-0123456789" } }],
      containers: [
        {
          name: "guard",
          image: expect.stringMatching(/^mirror\.example\.com\/library\/node:/),
          command: ["node", "/programs/guard.mjs"],
          env: [
            { name: "APPLICATION", value: "taskflow" },
            { name: "NAMESPACE", value: "staging" },
            { name: "PORT", value: "9189" },
            { name: "POD", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
            { name: "GATEWAY", value: "_metrics._tcp.golive-staging-taskflow.gateway" },
            { name: "SPEED", value: "1" },
            { name: "PROMETHEUS", value: "http://prometheus.monitoring.svc:9090" },
          ],
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ["ALL"] },
          },
        },
      ],
    };
    expect(guardDeployment(settings, "guard-0123456789")).toMatchObject({
      spec: { replicas: 2, template: { spec: pod } },
    });
  });

  it("find the gateway's pods by a Service beside them that is no way to reach them", () => {
    expect(gatewayPodsService(settings)).toEqual({
      metadata: {
        name: "golive-staging-taskflow",
        namespace: "gateway",
        labels: { app: "taskflow", component: "guard" },
        annotations: { "pulumi.com/skipAwait": "true" },
      },
      spec: {
        clusterIP: "None",
        selector: { "app.kubernetes.io/name": "traefik" },
        publishNotReadyAddresses: true,
        ports: [{ name: "metrics", port: 9189, targetPort: "metrics" }],
      },
    });
  });

  it("run exactly the program that they were made for: another text is another ConfigMap", () => {
    const name = (bundle: string) => guardConfigMap(settings, bundle).metadata.name;
    expect(name("one")).toMatch(/^guard-[0-9a-f]{10}$/);
    expect(name("two")).not.toBe(name("one"));
  });
});
