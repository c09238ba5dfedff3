import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { workloadName } from "../../components/release/names.ts";
import { kubectl } from "../../local/cluster/api.ts";
import { gateway } from "../../local/gateway.ts";
import { guard as guardMetrics } from "../../monitoring/metrics/guard.ts";
import { verifyChain } from "../../rollout/ledger/chain.ts";
import { readPages } from "../../rollout/ledger/store.ts";
import { untruths } from "../support/exposition.ts";
import { GuardedRoute } from "../support/guarded-route.ts";
import { core } from "../support/tools-namespace.ts";
import { until } from "../support/until.ts";

let route: GuardedRoute;

beforeAll(async () => {
  route = await GuardedRoute.open();
});
afterAll(() => route.close());

beforeEach(async () => {
  await route.step(0);
  await route.armed(0);
});
afterEach(async () => {
  await Promise.all([route.fail("green", 0), route.fail("blue", 0)]);
});

describe("the guard on a real gateway", () => {
  it("leaves a good release alone, with no request lost", async () => {
    await route.step(50);
    await route.armed(1);
    const answers = await route.underLoad((seen) => until("2,000 answers", async () => seen.length > 2000, 60));
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    expect(answers.filter(({ colour }) => colour === "green").length).toBeGreaterThan(500);
    expect((await route.live()).exposure).toEqual({ blue: 50, green: 50 });
    expect(await route.records()).toEqual([]);
  });

  it("takes a release that fails off the traffic by itself, tells it once, and no request fails any more", async () => {
    await route.step(50);
    await route.armed(1);
    await route.underLoad(async (seen) => {
      await until("green answers", async () => seen.some(({ colour }) => colour === "green"));
      await route.fail("green", 30);
      await until("the trip", route.tripped, 50, 50);
      const before = seen.length;
      await until("200 answers after the trip", async () => seen.length > before + 200);
    });
    const after = await route.underLoad((seen) => until("500 answers", async () => seen.length > 500));
    expect(new Set(after.map(({ colour, status }) => `${colour} ${status}`))).toEqual(new Set(["blue 200"]));
    const { trip, tombstones, floor } = await route.live();
    expect(floor).toEqual({ blue: 100, green: 0 });
    expect(trip).toMatchObject({
      colour: "green",
      by: "guard",
      reason: expect.stringMatching(/^backend: in .* failed/),
    });
    expect(tombstones).toEqual(["2.0.0-bbbb"]);
    await until("the record", async () => (await route.records()).length > 0, 20);
    await route.armed(0);
    const records = await route.records();
    expect(records).toEqual([
      expect.objectContaining({ kind: "trip", who: "guard", reason: trip?.reason, to: { blue: 100, green: 0 } }),
    ]);
    expect(verifyChain((await readPages(route.api, route.place)).pages)).toEqual([]);
    const events = await core.listNamespacedEvent({ namespace: route.name, fieldSelector: "reason=CandidateTripped" });
    expect(events.items.map(({ message }) => message)).toEqual([
      `green (2.0.0-bbbb) gets no traffic any more: ${trip?.reason}`,
    ]);
    const trips = (await route.guards()).join("\n").match(/golive_guard_trips_total\{[^}]*\} 1/g);
    expect(trips).toHaveLength(1);
  });

  it("finds a release all of whose pods are gone", async () => {
    await route.step(50);
    await route.armed(1);
    await route.underLoad(async () => {
      await kubectl([
        ...route.within,
        "scale",
        `deployment/${workloadName("taskflow", "backend", "green")}`,
        "--replicas=0",
      ]);
      await until("the trip", route.tripped, 50, 50);
    });
    await route.scale(workloadName("taskflow", "backend", "green"), 1);
    expect((await route.live()).trip?.colour).toBe("green");
  });

  it("blames no release while both fail", async () => {
    await route.step(50);
    await route.armed(1);
    await Promise.all([route.fail("green", 60), route.fail("blue", 60)]);
    const answers = await route.underLoad((seen) => until("2,000 answers", async () => seen.length > 2000, 60));
    expect(answers.filter(({ status }) => status === 500).length).toBeGreaterThan(800);
    expect((await route.live()).exposure).toEqual({ blue: 50, green: 50 });
    expect(await route.bothSay('golive_guard_armed{application="taskflow"} 1')).toBe(true);
  });

  it("trips though both of its pods are killed in the middle", async () => {
    await route.step(50);
    await route.armed(1);
    await route.underLoad(async (seen) => {
      await route.fail("green", 30);
      await until("errors", async () => seen.some(({ status }) => status === 500));
      await core.deleteCollectionNamespacedPod({
        namespace: route.name,
        labelSelector: "component=guard",
        gracePeriodSeconds: 0,
      });
      await until("the trip", route.tripped, 50, 50);
    });
    await route.armed(0);
    const { trip } = await route.live();
    expect(trip?.by).toBe("guard");
    // Whoever tripped, or another one later.
    const told = async () => (await route.records()).filter(({ reason }) => reason === trip?.reason);
    await until("the record", async () => (await told()).length > 0, 60);
    expect(verifyChain((await readPages(route.api, route.place)).pages)).toEqual([]);
  });

  it("tells Prometheus what the catalogue says, and that it has none to ask", async () => {
    const [text = ""] = await route.guards();
    expect(untruths(Object.values(guardMetrics), text)).toEqual([]);
    expect(text).toContain('golive_guard_gateway_up{application="taskflow"} 1\n');
    expect(text).toContain('golive_guard_prometheus_up{application="taskflow"} 0\n');
  });

  it("may do what it must and nothing else", async () => {
    const can = async (...what: readonly string[]) =>
      (
        await kubectl(["--as", `system:serviceaccount:${route.name}:guard`, "auth", "can-i", ...what]).catch(
          (error: unknown) => String(error),
        )
      ).includes("yes");
    const own = async (...what: readonly string[]) => can(...what, ...route.within);
    const routes = "httproutes.gateway.networking.k8s.io";
    expect(await own("patch", `${routes}/taskflow`)).toBe(true);
    expect(await own("list", "endpointslices.discovery.k8s.io")).toBe(true);
    expect(await own("patch", "configmaps/taskflow-ledger")).toBe(true);
    for (const what of [
      ["patch", `${routes}/other`],
      ["update", `${routes}/taskflow`],
      ["delete", `${routes}/taskflow`],
      ["list", routes],
      ["get", "deployments.apps/taskflow-backend-blue"],
      ["patch", "endpointslices.discovery.k8s.io/taskflow-backend-blue"],
      ["get", "configmaps/taskflow-schema"],
      ["patch", "configmaps/taskflow-blue"],
      ["delete", "configmaps/taskflow-ledger"],
      ["get", "secrets"],
      ["get", "pods"],
    ])
      expect([what, await own(...what)]).toEqual([what, false]);
    expect(await can("get", "pods", "--namespace", gateway.namespace)).toBe(false);
  });
});
