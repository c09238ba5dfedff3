import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { namespaceLabels } from "../../components/namespace/namespace.ts";
import { publicRoute } from "../../components/traffic/http-route.ts";
import {
  bundleConfigMap,
  rolloutMetricsDeployment,
  routeReaderAccount,
  routeReaderBinding,
  routeReaderRole,
} from "../../components/traffic/rollout-metrics-manifests.ts";
import { kubectl } from "../../local/cluster/api.ts";
import { runLabels } from "../../local/postgres/scratch-namespaces.ts";
import { bundlePrograms } from "../../programs/bundle.ts";
import { kubeApi } from "../../rollout/kube/config-api.ts";
import { appendRecord } from "../../rollout/ledger/store.ts";
import { tripAnnotation, weightsOf } from "../../rollout/told.ts";
import { step as recordOfStep } from "../support/ledger-records.ts";
import { told } from "../support/live.ts";
import { core } from "../support/live-cluster.ts";
import { stackSettings } from "../support/platform.ts";
import { config } from "../support/tools-namespace.ts";
import { until } from "../support/until.ts";

/** The exporter as the component declares it, beside a real route, in a namespace with the labels of a stack's. */
const namespace = `rollout-${randomBytes(3).toString("hex")}`;
// Another host than the local stack's: no request of anybody's comes here.
const settings = { ...stackSettings("local"), namespace, hostname: "rollout-metrics.invalid" };
const account = `system:serviceaccount:${namespace}:rollout-metrics`;

const apply = (manifest: object) =>
  kubectl(["apply", "--server-side", "--force-conflicts", "--filename=-"], { input: JSON.stringify(manifest) });

const step = (candidateTraffic: number, name = "taskflow") => {
  const { metadata, spec } = publicRoute(
    settings,
    weightsOf("green", candidateTraffic),
    told({ candidateTraffic, paths: ["/api", "/"] }),
  );
  const route = {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "HTTPRoute",
    metadata: { ...metadata, name },
    spec,
  };
  return apply(route);
};

const pods = async () =>
  (await core.listNamespacedPod({ namespace, labelSelector: "component=rollout-metrics" })).items;

async function metrics(): Promise<string> {
  const [pod] = await pods();
  const name = `${pod?.metadata?.name}:9189`;
  return String(await core.connectGetNamespacedPodProxyWithPath({ namespace, name, path: "metrics" }));
}

const recorded = /^golive_recorded_timestamp_seconds\{number="1",/;

/** Series by name and labels. */
async function series(): Promise<Readonly<Record<string, number>>> {
  const lines = (await metrics()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.lastIndexOf(" ")).replace('application="taskflow"', "").replace("{,", "{").replace("{}", ""),
      Number(line.slice(line.lastIndexOf(" ") + 1)),
    ]),
  );
}

beforeAll(async () => {
  const labels = { ...namespaceLabels("taskflow"), ...runLabels() };
  await core.createNamespace({ body: { metadata: { name: namespace, labels } } });
  await step(10);
  const program = bundleConfigMap(settings, (await bundlePrograms()).rollout);
  await apply({ apiVersion: "v1", kind: "ConfigMap", ...program });
  await apply({ apiVersion: "v1", kind: "ServiceAccount", ...routeReaderAccount(settings) });
  await apply({ apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role", ...routeReaderRole(settings) });
  await apply({ apiVersion: "rbac.authorization.k8s.io/v1", kind: "RoleBinding", ...routeReaderBinding(settings) });
  const deployment = rolloutMetricsDeployment(settings, program.metadata.name);
  await apply({ apiVersion: "apps/v1", kind: "Deployment", ...deployment });
  await kubectl(["--namespace", namespace, "rollout", "status", "deployment/rollout-metrics", "--timeout=120s"]);
});

afterAll(() => core.deleteNamespace({ name: namespace, gracePeriodSeconds: 0 }));

describe("the rollout exporter in a cluster", () => {
  it("tells what the live route says", async () => {
    await until("the first look at the ledger", async () => (await series()).golive_ledger_up === 1, 20);
    const found = await series();
    expect(found).toEqual({
      golive_route_up: 1,
      golive_ledger_up: 1,
      'golive_candidate_traffic_percent{candidate="green"}': 10,
      'golive_weight_percent{colour="blue"}': 90,
      'golive_weight_percent{colour="green"}': 10,
      golive_stepped_timestamp_seconds: expect.any(Number),
      golive_soak_seconds: 900,
      golive_rung: 1,
      golive_rungs: 3,
      'golive_tripped{colour="blue"}': 0,
      'golive_tripped{colour="green"}': 0,
      'golive_retired{colour="blue"}': 0,
      'golive_retired{colour="green"}': 0,
    });
    expect(Math.abs((found.golive_stepped_timestamp_seconds ?? 0) - Date.now() / 1000)).toBeLessThan(180);
  });

  it("sees a step, an edit by hand and a trip within seconds", async () => {
    await step(50);
    await until("the step to 50", async () => (await series()).golive_rung === 2, 20);
    expect(await series()).toMatchObject({
      'golive_candidate_traffic_percent{candidate="green"}': 50,
      'golive_weight_percent{colour="green"}': 50,
    });
    await kubectl([
      ...["--namespace", namespace, "patch", "httproute", "taskflow", "--type=json", "--patch"],
      JSON.stringify([{ op: "replace", path: "/spec/rules/0/backendRefs/1/weight", value: 150 }]),
    ]);
    await until("the edit", async () => (await series())['golive_weight_percent{colour="green"}'] === 75, 20);
    expect(await series()).toMatchObject({ 'golive_candidate_traffic_percent{candidate="green"}': 50 });
    await kubectl([
      ...["--namespace", namespace, "annotate", "httproute", "taskflow", `${tripAnnotation}=green: by hand`],
    ]);
    await until("the trip", async () => (await series())['golive_tripped{colour="green"}'] === 1, 20);
  });

  it("tells when each record of the ledger was written, by the cluster's clock", async () => {
    const { at } = await appendRecord(
      kubeApi(config),
      { namespace, application: "taskflow" },
      recordOfStep("up", 10, 50),
    );
    const mark = 'golive_recorded_timestamp_seconds{number="1",kind="up",candidate="green",percent="50"}';
    await until("the record", async () => (await series())[mark] !== undefined, 40);
    expect((await series())[mark]).toBe(Date.parse(at) / 1000);
  });

  it("says that a route which is deleted is not there, lives on, and reads the one that comes back", async () => {
    await kubectl(["--namespace", namespace, "delete", "httproute", "taskflow"]);
    await until("the deletion", async () => (await series()).golive_route_up === 0, 20);
    expect(Object.keys(await series())).toEqual([
      "golive_route_up",
      "golive_ledger_up",
      expect.stringMatching(recorded),
    ]);
    await step(0);
    await until("the return", async () => (await series()).golive_route_up === 1, 20);
    const [pod] = await pods();
    expect(pod?.status?.containerStatuses?.[0]?.restartCount).toBe(0);
    const log = await core.readNamespacedPodLog({ namespace, name: pod?.metadata?.name ?? "" });
    const said = log
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(said.map(({ message, reason }) => [message, reason])).toEqual([
      ["listening", undefined],
      ["reads the route", undefined],
      ["cannot read the route", `there is no HTTPRoute taskflow in namespace ${namespace}`],
      ["reads the route", undefined],
    ]);
  });

  it("may read its route and its ledger, and nothing else", async () => {
    await step(0, "another");
    const may = async (...what: readonly string[]) => {
      const asked = ["--namespace", namespace, "--as", account, "auth", "can-i", ...what];
      return (await kubectl(asked).catch((error: unknown) => String(error))).includes("yes");
    };
    expect(await may("get", "httproutes.gateway.networking.k8s.io/taskflow")).toBe(true);
    expect(await may("get", "configmaps/taskflow-ledger")).toBe(true);
    expect(await may("get", "configmaps/taskflow-ledger-20")).toBe(true);
    const refused = [
      ["get", "httproutes.gateway.networking.k8s.io/another"],
      ["list", "httproutes.gateway.networking.k8s.io"],
      ["watch", "httproutes.gateway.networking.k8s.io"],
      ["patch", "httproutes.gateway.networking.k8s.io/taskflow"],
      ["get", "secrets"],
      ["get", "configmaps"],
      ["get", "configmaps/another-ledger"],
      ["list", "configmaps"],
      ["patch", "configmaps/taskflow-ledger"],
      ["create", "configmaps"],
      ["list", "pods"],
      ["create", "pods/exec"],
      ["get", "httproutes.gateway.networking.k8s.io/taskflow", "--namespace=local"],
    ];
    for (const what of refused) expect([what, await may(...what)]).toEqual([what, false]);
  });
});
