import process from "node:process";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { lineProgress } from "../../cli/progress.ts";
import { clusterUp } from "../../local/cluster/cluster.ts";
import { isAlive, running } from "../../local/cluster/processes.ts";
import { places } from "../../local/places.ts";
import { verifyChain } from "../../rollout/ledger/chain.ts";
import { readPages } from "../../rollout/ledger/store.ts";
import { golive } from "../support/clone.ts";
import { GuardedRoute } from "../support/guarded-route.ts";
import { core } from "../support/tools-namespace.ts";
import { until } from "../support/until.ts";

// It takes the API server away from all who ask it, so it comes late.
const silent = lineProgress(() => {});
let route: GuardedRoute;

beforeAll(async () => {
  await clusterUp(silent);
  route = await GuardedRoute.open();
});
afterAll(async () => {
  await clusterUp(silent);
  await route.close();
});
beforeEach(async () => {
  await route.step(0);
  await route.armed(0);
  await route.step(50);
  await route.armed(1);
});

/** SIGKILL for the API server, `meanwhile` without one, and a start of it. */
async function withoutApiServer(meanwhile: () => Promise<void>): Promise<void> {
  const server = await running("kube-apiserver");
  if (server === undefined) throw new Error("there is no kube-apiserver of this clone");
  process.kill(server.pid, "SIGKILL");
  try {
    await until("its end", async () => !isAlive(server), 30, 20);
    await meanwhile();
  } finally {
    await clusterUp(silent);
  }
}

describe("the API server is killed in the middle of a rung", () => {
  it("users notice nothing, weights stay, and the guard watches again when it is back", async () => {
    const answers = await route.underLoad(async (seen) => {
      await withoutApiServer(async () => {
        const before = seen.length;
        await until("1,000 answers without it", async () => seen.length > before + 1000, 50);
        const { code, stderr } = await golive(places.root, ["rollout", "status", "--stack", "local"]);
        expect(stderr).toContain("golive local up");
        expect(code).not.toBe(0);
      });
    });
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    await until("both guards see the route", () => route.bothSay('golive_guard_route_up{application="taskflow"} 1'));
    await route.armed(1);
    const { exposure, trip } = await route.live();
    expect({ exposure, trip }).toEqual({ exposure: { blue: 50, green: 50 }, trip: undefined });
  });

  it("a release that goes bad meanwhile is taken back as soon as the route can be written, and written down", async () => {
    const labelSelector = "component=backend,version=green";
    const { items } = await core.listNamespacedPod({ namespace: route.name, labelSelector });
    await route.underLoad(async (seen) => {
      await until("green answers", async () => seen.some(({ colour }) => colour === "green"));
      await withoutApiServer(async () => {
        // Past the API server, which is not there.
        for (const { status } of items) await fetch(`http://${status?.podIP}:3000/fail?percent=30`);
        await until("500 failures", async () => seen.filter(({ status }) => status === 500).length > 500, 50);
      });
      await until("the trip", route.tripped, 30, 50);
    });
    await until("the record", async () => (await route.records()).some(({ kind }) => kind === "trip"), 30);
    expect((await route.live()).trip).toMatchObject({ colour: "green", by: "guard" });
    expect(verifyChain((await readPages(route.api, route.place)).pages)).toEqual([]);
  });
});
