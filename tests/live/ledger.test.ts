import { randomBytes } from "node:crypto";
import { KubeConfig, RbacAuthorizationV1Api } from "@kubernetes/client-node";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { tell } from "../../cli/rollout/record.ts";
import { kubectl } from "../../local/cluster/api.ts";
import { runLabels } from "../../local/postgres/scratch-namespaces.ts";
import { kubeApi } from "../../rollout/kube/config-api.ts";
import { verifyChain } from "../../rollout/ledger/chain.ts";
import { ledgerVerbs, pageNames } from "../../rollout/ledger/pages.ts";
import { readLedger } from "../../rollout/ledger/read.ts";
import { appendRecord, readPages } from "../../rollout/ledger/store.ts";
import { step } from "../support/ledger-records.ts";
import { config, core } from "../support/tools-namespace.ts";

/** The ledger on a real API server, in a namespace of its own. */
const namespace = `ledger-checks-${randomBytes(3).toString("hex")}`;
const place = { namespace, application: "taskflow" };
const api = kubeApi(config);
const rbac = config.makeApiClient(RbacAuthorizationV1Api);

beforeAll(async () => {
  await core.createNamespace({ body: { metadata: { name: namespace, labels: { ...runLabels() } } } });
});
beforeEach(async () => {
  await core.deleteCollectionNamespacedConfigMap({ namespace, labelSelector: "app=taskflow" });
});
afterAll(() => kubectl(["delete", "namespace", namespace, "--ignore-not-found", "--wait=false"]));

const problems = async () => verifyChain((await readPages(api, place)).pages);

describe("the ledger in a cluster", () => {
  it("loses nobody's record when a person and both guards write at once", async () => {
    const writers = ["guard-0", "guard-1", "Ada"].map((who) => ({ who, api: kubeApi(config) }));
    await Promise.all(
      writers.map(async ({ who, api: own }) => {
        for (let percent = 1; percent <= 8; percent++) await appendRecord(own, place, step("up", 0, percent, { who }));
      }),
    );
    const records = await readLedger(api, place);
    expect(records.map(({ number }) => number)).toEqual(Array.from({ length: 24 }, (_, index) => index + 1));
    for (const { who } of writers)
      expect(records.filter((record) => record.who === who).map(({ to }) => to.green)).toEqual([
        1, 2, 3, 4, 5, 6, 7, 8,
      ]);
    expect(await problems()).toEqual([]);
  });

  it("is found broken when somebody changes one byte of it by kubectl", async () => {
    await appendRecord(api, place, step("up", 0, 10));
    await appendRecord(api, place, step("up", 10, 50));
    const [first] = await readLedger(api, place);
    const text = (await core.readNamespacedConfigMap({ namespace, name: "taskflow-ledger" })).data?.["000001"] ?? "";
    const data = { "000001": text.replace('"green":10', '"green":11') };
    await kubectl([
      "patch",
      "configmap",
      "taskflow-ledger",
      "--namespace",
      namespace,
      "--patch",
      JSON.stringify({ data }),
    ]);
    const [said, ...others] = await problems();
    expect(said).toMatch(
      `record 000001 (ConfigMap taskflow-ledger): it was changed: it says that its hash is ${first?.hash}, but it is `,
    );
    expect(others).toEqual([
      "record 000002 (ConfigMap taskflow-ledger): it was written after another record 1 than the one that stands there",
    ]);
    const silent = vi.spyOn(process.stdout, "write").mockReturnValue(true);
    const loud = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    try {
      expect(await tell({ stack: "local", form: "verify", all: false, head: undefined }, api, place)).toBe(1);
    } finally {
      silent.mockRestore();
      loud.mockRestore();
    }
  });

  it("goes on in another ConfigMap before one is too large for the API server", async () => {
    const reason = "x".repeat(230 * 1024);
    for (let percent = 1; percent <= 5; percent++) await appendRecord(api, place, step("up", 0, percent, { reason }));
    const { pages } = await readPages(api, place);
    expect(pages.map(({ name, entries }) => [name, entries.map(({ key }) => key)])).toEqual([
      ["taskflow-ledger", ["000001", "000002", "000003", "000004"]],
      ["taskflow-ledger-2", ["000005"]],
    ]);
    expect(verifyChain(pages)).toEqual([]);
  });

  it("is timed by the cluster, also from a machine whose clock is off by five minutes", async () => {
    const { at: before } = await api.ask({ method: "GET", path: "/version" });
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 5 * 60_000 });
    try {
      const { at } = await appendRecord(api, place, step("up", 0, 10));
      const { at: after } = await api.ask({ method: "GET", path: "/version" });
      expect(Date.parse(at)).toBeGreaterThanOrEqual(before.getTime());
      expect(Date.parse(at)).toBeLessThanOrEqual(after.getTime());
      expect(after.getTime()).toBeLessThan(Date.now() - 4 * 60_000);
    } finally {
      vi.useRealTimers();
    }
  });

  it("needs no more rights than it says: its own pages, and to make them", async () => {
    const metadata = { name: "writer", namespace };
    const own = { apiGroups: [""], resources: ["configmaps"] };
    const rules = [
      { ...own, resourceNames: [...pageNames("taskflow")], verbs: [...ledgerVerbs] },
      { ...own, verbs: ["create"] },
    ];
    await core.createNamespacedServiceAccount({ namespace, body: { metadata } });
    await rbac.createNamespacedRole({ namespace, body: { metadata, rules } });
    const subjects = [{ kind: "ServiceAccount", ...metadata }];
    const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "writer" };
    await rbac.createNamespacedRoleBinding({ namespace, body: { metadata, subjects, roleRef } });
    const body = { spec: { audiences: [] } };
    const { status } = await core.createNamespacedServiceAccountToken({ name: "writer", namespace, body });
    const cluster = config.getCurrentCluster();
    if (!cluster || !status?.token) throw new Error("no cluster or no token");
    const writer = new KubeConfig();
    writer.loadFromClusterAndUser(cluster, { name: "writer", token: status.token });
    const limited = kubeApi(writer);
    await appendRecord(limited, place, step("up", 0, 10));
    await appendRecord(limited, place, step("trip", 10, 0, { who: "guard" }));
    expect((await readLedger(limited, place)).map(({ kind }) => kind)).toEqual(["up", "trip"]);
    await expect(readLedger(limited, { ...place, application: "rag" })).rejects.toThrow(
      `cannot read the ledger (ConfigMap rag-ledger in namespace ${namespace}): the API server answered 403: `,
    );
  });
});
