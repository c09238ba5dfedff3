import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { clearRelease } from "../../cli/rollout/clear.ts";
import { namespaceLabels } from "../../components/namespace/namespace.ts";
import { publicRoute } from "../../components/traffic/http-route.ts";
import { kubectl } from "../../local/cluster/api.ts";
import { places } from "../../local/places.ts";
import { runLabels } from "../../local/postgres/scratch-namespaces.ts";
import { kubeApi } from "../../rollout/kube/config-api.ts";
import { fetchPublicRoute } from "../../rollout/kube/public-route.ts";
import { verifyChain } from "../../rollout/ledger/chain.ts";
import { readLedger } from "../../rollout/ledger/read.ts";
import { readPages } from "../../rollout/ledger/store.ts";
import { readRoute } from "../../rollout/observed.ts";
import { weightsOf } from "../../rollout/told.ts";
import { type Answered, faultyPods, underLoad } from "../support/faulty-pods.ts";
import { told } from "../support/live.ts";
import { stackSettings } from "../support/platform.ts";
import { config, core } from "../support/tools-namespace.ts";
import { until } from "../support/until.ts";

/** `golive rollout abort --now` on a real gateway: with nothing but a kubeconfig whose user may do little. */
const name = `abort-${randomBytes(3).toString("hex")}`;
const local = { ...stackSettings("local"), namespace: name, hostname: `${name}.invalid` };
const place = { namespace: name, application: "taskflow" };
const api = kubeApi(config);
const within = ["--namespace", name];
const execute = promisify(execFile);
let directory = "";

const apply = (manifest: object) =>
  kubectl(["apply", "--server-side", "--force-conflicts", "--filename=-"], { input: JSON.stringify(manifest) });

/** As `pulumi up` writes it. */
const step = (candidateTraffic: number) => {
  const said = told({ candidateTraffic, paths: ["/api", "/"] });
  const { metadata, spec } = publicRoute(local, weightsOf("green", candidateTraffic), said);
  return apply({ apiVersion: "gateway.networking.k8s.io/v1", kind: "HTTPRoute", metadata, spec });
};

const liveRoute = async () => readRoute((await fetchPublicRoute(api, place)).object);

/** The command, with no more of an environment than the path to Node, in a directory that holds no checkout. */
const abort = (...more: readonly string[]) =>
  execute(
    process.execPath,
    [
      ...[join(places.root, "cli/main.ts"), "rollout", "abort", "--now", "--json"],
      ...["--namespace", name, "--application", "taskflow", "--kubeconfig", join(directory, "kubeconfig")],
      ...["--reason", "checkout fails", "--name", "Ada", ...more],
    ],
    { cwd: directory, env: { HOME: directory } },
  );

/** Whether so many answers in a row that the weights of before cannot be the reason are all so. */
const lastAre = (answers: readonly Answered[], so: (answer: Answered) => boolean) =>
  answers.length >= 40 && answers.slice(-40).every(so);

/** May read and patch the route, look at Deployments, and write the ledger. */
const rules = [
  { apiGroups: ["gateway.networking.k8s.io"], resources: ["httproutes"], verbs: ["get", "patch"] },
  { apiGroups: ["apps"], resources: ["deployments"], verbs: ["get"] },
  { apiGroups: [""], resources: ["configmaps"], verbs: ["get", "create", "patch"] },
];
const allow = (some: readonly object[]) =>
  apply({
    ...{ apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role" },
    ...{ metadata: { name: "aborter", namespace: name }, rules: some },
  });

async function writeKubeconfig(): Promise<void> {
  const token = await kubectl([...within, "create", "token", "aborter", "--duration=1h"]);
  const { server, caData } = config.getCurrentCluster() ?? {};
  const text = {
    ...{ apiVersion: "v1", kind: "Config", "current-context": "here" },
    clusters: [{ name: "here", cluster: { server, "certificate-authority-data": caData } }],
    users: [{ name: "aborter", user: { token: token.trim() } }],
    contexts: [{ name: "here", context: { cluster: "here", user: "aborter" } }],
  };
  await writeFile(join(directory, "kubeconfig"), JSON.stringify(text), { mode: 0o600 });
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "golive-abort-"));
  const labels = { ...namespaceLabels("taskflow"), ...runLabels() };
  await core.createNamespace({ body: { metadata: { name, labels } } });
  for (const each of faultyPods(local)) await apply(each);
  await apply({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "aborter", namespace: name } });
  await allow(rules);
  await apply({
    ...{ apiVersion: "rbac.authorization.k8s.io/v1", kind: "RoleBinding" },
    metadata: { name: "aborter", namespace: name },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "aborter" },
    subjects: [{ kind: "ServiceAccount", name: "aborter", namespace: name }],
  });
  await writeKubeconfig();
  await kubectl([...within, "wait", "--for=condition=Available", "deployments", "--all", "--timeout=120s"]);
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
  await core.deleteNamespace({ name, gracePeriodSeconds: 0 });
});

beforeEach(async () => {
  await allow(rules);
  await step(50);
});

describe("golive rollout abort --now", () => {
  it("takes the candidate off the traffic under load, with no request lost, by a kubeconfig alone", async () => {
    // The gateway has to hear of a route that is new, before it is asked of it to lose nothing.
    await underLoad(local.hostname, 100, (answers) =>
      until("the route", async () => lastAre(answers, ({ status }) => status === 200)),
    );
    let seen = Number.NaN;
    const answers = await underLoad(local.hostname, 100, async (said) => {
      await until("both colours answer", async () => new Set(said.map(({ colour }) => colour)).size === 2, 30, 20);
      const began = performance.now();
      const { stdout } = await abort();
      console.info(`golive rollout abort --now: ${((performance.now() - began) / 1000).toFixed(2)} s`);
      expect(JSON.parse(stdout)).toMatchObject({
        outcome: "aborted",
        release: "2.0.0-bbbb",
        from: { blue: 50, green: 50 },
        to: { blue: 100, green: 0 },
        record: 1,
        notes: [],
      });
      await until("blue alone answers", async () => lastAre(said, ({ colour }) => colour === "blue"));
      seen = said.length;
      await until("200 answers after that", async () => said.length > seen + 200);
    });
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    expect(answers.slice(seen).filter(({ colour }) => colour !== "blue")).toEqual([]);
    const { trip, tombstones, floor } = await liveRoute();
    expect(floor).toEqual({ blue: 100, green: 0 });
    expect(trip).toMatchObject({ colour: "green", reason: "checkout fails", by: "Ada" });
    expect(tombstones).toEqual(["2.0.0-bbbb"]);
    expect(await readLedger(api, place)).toEqual([
      expect.objectContaining({ kind: "abort", who: "Ada", reason: "checkout fails", to: { blue: 100, green: 0 } }),
    ]);
  });

  it("does so where its user may do nothing but patch the route, and says what it could not do", async () => {
    await allow(rules.slice(0, 1));
    const done = await until("the right is gone", async () => {
      const can = await kubectl([
        ...["--as", `system:serviceaccount:${name}:aborter`, "auth", "can-i", "get", "configmaps", ...within],
      ]).catch((error: unknown) => String(error));
      return can.includes("no");
    }).then(() => abort());
    const { outcome, to, notes } = JSON.parse(done.stdout) as Record<string, unknown>;
    expect({ outcome, to }).toEqual({ outcome: "aborted", to: { blue: 100, green: 0 } });
    expect(notes).toEqual([
      expect.stringMatching(/^the pods of blue were not looked at: .* forbidden/),
      expect.stringMatching(/^not in the ledger yet: .* forbidden/),
    ]);
  });

  it("sends nobody to a stable without pods, and leaves the route as it was", async () => {
    const stable = "taskflow-backend-blue";
    await kubectl([...within, "scale", `deployment/${stable}`, "--replicas=0"]);
    await kubectl([...within, "rollout", "status", `deployment/${stable}`, "--timeout=120s"]);
    await expect(abort()).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining("all traffic would go to blue, which has no ready pod of taskflow-backend-blue"),
    });
    expect((await liveRoute()).exposure).toEqual({ blue: 50, green: 50 });
    await kubectl([...within, "scale", `deployment/${stable}`, "--replicas=1"]);
    await kubectl([...within, "rollout", "status", `deployment/${stable}`, "--timeout=120s"]);
  });

  it("outlives the next write of the route by its owner; a cleared tombstone comes back by nobody, and starts no soak", async () => {
    await abort();
    await step(0);
    const before = await liveRoute();
    expect(before).toMatchObject({ tombstones: ["2.0.0-bbbb"], trip: { by: "Ada" }, edits: [] });
    await clearRelease(api, place, {
      ...{ release: "2.0.0-bbbb", who: "Ada", reason: "it was the cache", stack: "local" },
    });
    const after = await liveRoute();
    expect(after.tombstones).toEqual([]);
    expect(after.changedAt).toEqual(before.changedAt);
    await step(10);
    expect((await liveRoute()).tombstones).toEqual([]);
    expect(verifyChain((await readPages(api, place)).pages)).toEqual([]);
    expect((await readLedger(api, place)).at(-1)).toMatchObject({
      kind: "clear",
      reason: "2.0.0-bbbb: it was the cache",
    });
  });
});
