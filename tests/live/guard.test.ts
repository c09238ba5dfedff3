import { randomBytes } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Colour } from "../../applications/application.ts";
import { namespaceLabels } from "../../components/namespace/namespace.ts";
import { workloadName } from "../../components/release/names.ts";
import {
  gatewayPodsService,
  gatewayServiceName,
  guardAccount,
  guardBinding,
  guardConfigMap,
  guardDeployment,
  guardRole,
} from "../../components/traffic/guard-manifests.ts";
import { publicRoute } from "../../components/traffic/http-route.ts";
import { kubectl } from "../../local/cluster/api.ts";
import { runLabels } from "../../local/postgres/scratch-namespaces.ts";
import { guard as guardMetrics } from "../../monitoring/metrics/guard.ts";
import { bundlePrograms } from "../../programs/bundle.ts";
import { kubeApi } from "../../rollout/kube/config-api.ts";
import { fetchPublicRoute } from "../../rollout/kube/public-route.ts";
import { verifyChain } from "../../rollout/ledger/chain.ts";
import { readLedger, readPages } from "../../rollout/ledger/store.ts";
import { readRoute } from "../../rollout/observed.ts";
import { weightsOf } from "../../rollout/told.ts";
import { untruths } from "../support/exposition.ts";
import { type Answered, askSteadily, faultyPods } from "../support/faulty-pods.ts";
import { told } from "../support/live.ts";
import { stackSettings } from "../support/platform.ts";
import { config, core } from "../support/tools-namespace.ts";
import { until } from "../support/until.ts";

/** The guard as the component declares it, beside a real route on the real gateway, with pods that fail on demand. */
const name = `guard-${randomBytes(3).toString("hex")}`;
const settings = {
  ...stackSettings("local", { gate: { mode: "on" } }),
  namespace: name,
  hostname: `${name}.invalid`,
};
const local = { ...settings, gate: { ...settings.gate, prometheus: { namespace: name, service: "prometheus:9090" } } };
const account = `system:serviceaccount:${name}:guard`;
const place = { namespace: name, application: "taskflow" };
const api = kubeApi(config);
const within = ["--namespace", name];

const apply = (manifest: object) =>
  kubectl(["apply", "--server-side", "--force-conflicts", "--filename=-"], { input: JSON.stringify(manifest) });

const step = (candidateTraffic: number, release = "2.0.0-bbbb") => {
  const said = told({ candidateTraffic, paths: ["/api", "/"], releases: { blue: "1.0.0-aaaa", green: release } });
  const { metadata, spec } = publicRoute(local, weightsOf("green", candidateTraffic), said);
  return apply({ apiVersion: "gateway.networking.k8s.io/v1", kind: "HTTPRoute", metadata, spec });
};

const liveRoute = async () => readRoute((await fetchPublicRoute(api, place)).object);
const tripped = async () => (await liveRoute()).exposure.green === 0;

const podsOf = async (labelSelector: string) =>
  (await core.listNamespacedPod({ namespace: name, labelSelector })).items;

/** Asks a pod through the API server. */
async function askPods(labelSelector: string, port: number, path: string): Promise<readonly string[]> {
  const pods = await podsOf(labelSelector);
  return Promise.all(
    pods.map((pod) =>
      kubectl(["get", "--raw", `/api/v1/namespaces/${name}/pods/${pod.metadata?.name}:${port}/proxy${path}`]),
    ),
  );
}

const fail = (colour: Colour, percent: number) =>
  askPods(`component=backend,version=${colour}`, 3000, `/fail?percent=${percent}`);

const guards = () => askPods("component=guard", 9189, "/metrics");
const bothSay = async (text: string) => {
  const answers = await guards();
  return answers.length === 2 && answers.every((answer) => answer.includes(text));
};
const armed = (value: 0 | 1) =>
  until(`both guards armed: ${value}`, () => bothSay(`golive_guard_armed{application="taskflow"} ${value}`), 60);

/** Load for as long as `during` takes: its answers. */
async function underLoad(
  during: (answers: readonly Answered[]) => Promise<void>,
  perSecond = 200,
): Promise<readonly Answered[]> {
  const stopped = new AbortController();
  const answers: Answered[] = [];
  const asking = askSteadily(local.hostname, perSecond, stopped.signal, answers);
  try {
    await during(answers);
  } finally {
    stopped.abort();
    await asking;
  }
  return answers;
}

const scale = async (component: string, replicas: number) => {
  await kubectl([...within, "scale", `deployment/${component}`, `--replicas=${replicas}`]);
  await kubectl([...within, "rollout", "status", `deployment/${component}`, "--timeout=120s"]);
};

beforeAll(async () => {
  const labels = { ...namespaceLabels("taskflow"), ...runLabels() };
  await core.createNamespace({ body: { metadata: { name, labels } } });
  for (const each of faultyPods(local)) await apply(each);
  await step(0);
  const program = guardConfigMap(local, (await bundlePrograms()).guard);
  await apply({ apiVersion: "v1", kind: "ConfigMap", ...program });
  await apply({ apiVersion: "v1", kind: "ServiceAccount", ...guardAccount(local) });
  await apply({ apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role", ...guardRole(local) });
  await apply({ apiVersion: "rbac.authorization.k8s.io/v1", kind: "RoleBinding", ...guardBinding(local) });
  await apply({ apiVersion: "v1", kind: "Service", ...gatewayPodsService(local) });
  await apply({ apiVersion: "apps/v1", kind: "Deployment", ...guardDeployment(local, program.metadata.name) });
  for (const { kind, metadata } of faultyPods(local) as { kind: string; metadata: { name: string } }[])
    if (kind === "Deployment")
      await kubectl([...within, "rollout", "status", `deployment/${metadata.name}`, "--timeout=120s"]);
  await kubectl([...within, "rollout", "status", "deployment/guard", "--timeout=120s"]);
});

afterAll(async () => {
  await kubectl(["--namespace", local.gateway.namespace, "delete", "service", gatewayServiceName(local)]);
  await core.deleteNamespace({ name, gracePeriodSeconds: 0 });
});

beforeEach(async () => {
  await step(0);
  await armed(0);
});

afterEach(async () => {
  await Promise.all([fail("green", 0), fail("blue", 0)]);
});

describe("the guard on a real gateway", () => {
  it("leaves a good release alone, with no request lost", async () => {
    await step(50);
    await armed(1);
    const answers = await underLoad((seen) => until("2,000 answers", async () => seen.length > 2000, 60));
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    expect(answers.filter(({ colour }) => colour === "green").length).toBeGreaterThan(500);
    expect((await liveRoute()).exposure).toEqual({ blue: 50, green: 50 });
    expect(await readLedger(api, place)).toEqual([]);
  });

  it("takes a release that fails off the traffic by itself, tells it once, and no request fails any more", async () => {
    await step(50);
    await armed(1);
    await underLoad(async (seen) => {
      await until("green answers", async () => seen.some(({ colour }) => colour === "green"));
      await fail("green", 30);
      await until("the trip", tripped, 50, 50);
      const before = seen.length;
      await until("200 answers after the trip", async () => seen.length > before + 200);
    });
    const after = await underLoad((seen) => until("500 answers", async () => seen.length > 500));
    expect(new Set(after.map(({ colour, status }) => `${colour} ${status}`))).toEqual(new Set(["blue 200"]));
    const { trip, tombstones, floor } = await liveRoute();
    expect(floor).toEqual({ blue: 100, green: 0 });
    expect(trip).toMatchObject({
      colour: "green",
      by: "guard",
      reason: expect.stringMatching(/^backend: in .* failed/),
    });
    expect(tombstones).toEqual(["2.0.0-bbbb"]);
    await until("the record", async () => (await readLedger(api, place)).length > 0, 20);
    await armed(0);
    const records = await readLedger(api, place);
    expect(records).toEqual([
      expect.objectContaining({ kind: "trip", who: "guard", reason: trip?.reason, to: { blue: 100, green: 0 } }),
    ]);
    expect(verifyChain((await readPages(api, place)).pages)).toEqual([]);
    const events = await core.listNamespacedEvent({ namespace: name, fieldSelector: "reason=CandidateTripped" });
    expect(events.items.map(({ message }) => message)).toEqual([
      `green (2.0.0-bbbb) gets no traffic any more: ${trip?.reason}`,
    ]);
    const trips = (await guards()).join("\n").match(/golive_guard_trips_total\{[^}]*\} 1/g);
    expect(trips).toHaveLength(1);
  });

  it("finds a release all of whose pods are gone", async () => {
    await step(50);
    await armed(1);
    await underLoad(async () => {
      await kubectl([...within, "scale", `deployment/${workloadName("taskflow", "backend", "green")}`, "--replicas=0"]);
      await until("the trip", tripped, 50, 50);
    });
    await scale(workloadName("taskflow", "backend", "green"), 1);
    expect((await liveRoute()).trip?.colour).toBe("green");
  });

  it("blames no release while both fail", async () => {
    await step(50);
    await armed(1);
    await Promise.all([fail("green", 60), fail("blue", 60)]);
    const answers = await underLoad((seen) => until("2,000 answers", async () => seen.length > 2000, 60));
    expect(answers.filter(({ status }) => status === 500).length).toBeGreaterThan(800);
    expect((await liveRoute()).exposure).toEqual({ blue: 50, green: 50 });
    expect(await bothSay('golive_guard_armed{application="taskflow"} 1')).toBe(true);
  });

  it("trips though both of its pods are killed in the middle", async () => {
    await step(50);
    await armed(1);
    await underLoad(async (seen) => {
      await fail("green", 30);
      await until("errors", async () => seen.some(({ status }) => status === 500));
      await core.deleteCollectionNamespacedPod({
        namespace: name,
        labelSelector: "component=guard",
        gracePeriodSeconds: 0,
      });
      await until("the trip", tripped, 50, 50);
    });
    await armed(0);
    const { trip } = await liveRoute();
    expect(trip?.by).toBe("guard");
    // Whoever tripped, or another one later.
    const told = async () => (await readLedger(api, place)).filter(({ reason }) => reason === trip?.reason);
    await until("the record", async () => (await told()).length > 0, 60);
    expect(verifyChain((await readPages(api, place)).pages)).toEqual([]);
  });

  it("tells Prometheus what the catalogue says, and that it has none to ask", async () => {
    const [text = ""] = await guards();
    expect(untruths(Object.values(guardMetrics), text)).toEqual([]);
    expect(text).toContain('golive_guard_gateway_up{application="taskflow"} 1\n');
    expect(text).toContain('golive_guard_prometheus_up{application="taskflow"} 0\n');
  });

  it("may do what it must and nothing else", async () => {
    const can = async (...what: readonly string[]) =>
      (await kubectl(["--as", account, "auth", "can-i", ...what]).catch((error: unknown) => String(error))).includes(
        "yes",
      );
    const own = async (...what: readonly string[]) => can(...what, ...within);
    const route = "httproutes.gateway.networking.k8s.io";
    expect(await own("patch", `${route}/taskflow`)).toBe(true);
    expect(await own("get", "deployments.apps/taskflow-backend-blue")).toBe(true);
    expect(await own("patch", "configmaps/taskflow-ledger")).toBe(true);
    for (const what of [
      ["patch", `${route}/other`],
      ["update", `${route}/taskflow`],
      ["delete", `${route}/taskflow`],
      ["list", route],
      ["patch", "deployments.apps/taskflow-backend-blue"],
      ["get", "configmaps/taskflow-schema"],
      ["patch", "configmaps/taskflow-blue"],
      ["delete", "configmaps/taskflow-ledger"],
      ["get", "secrets"],
      ["get", "pods"],
    ])
      expect([what, await own(...what)]).toEqual([what, false]);
    expect(await can("get", "pods", "--namespace", local.gateway.namespace)).toBe(false);
  });
});
