import { describe, expect, it, vi } from "vitest";
import { lineOf } from "../../cli/rollout/line.ts";
import { promoted } from "../../cli/rollout/promote.ts";
import { walkFrom } from "../../cli/rollout/start.ts";
import { atTheTop, MortalWorld } from "../support/mortal-driver.ts";
import { happen } from "../support/world.ts";

vi.mock("../../rollout/ledger/origin.ts", () => ({
  originOf: async () => ({ who: "ada", commit: "1357ab8" }),
  whoOf: async () => "ada",
}));

const unretired = { blue: false, green: false };
const stable = [{ blue: 0, green: 100 }];

describe("a promotion whose pulumi up fails", () => {
  it("behind the route keeps the file that it wrote, and leaves the next run nothing to move", async () => {
    const it = await atTheTop();
    it.fails = { after: 1, routeFirst: true };
    expect(await it.live(promoted)).toEqual({
      outcome: "refused",
      reason:
        "the route has the switch (blue is the candidate at 0), and so has the file; what failed is the rest of pulumi up: postgres-exporter: timed out",
      next: "golive pulumi up --stack production",
      live: 100,
      steps: [],
    });
    it.fails = undefined;
    const { left } = it;
    expect(left).toMatchObject({ file: ["blue", 0, unretired], git: ["blue", 0, unretired] });
    expect(left.told).toMatchObject({ candidate: "blue", candidateTraffic: 0 });
    expect(await it.live(promoted)).toMatchObject({ outcome: "refused", reason: "blue has 0 %, not 100" });
    await it.live((driver) => driver.up());
    expect(it.left).toMatchObject({ file: left.file, git: left.git, told: left.told });
    expect(it.left.shares).toEqual(left.shares);
    expect(it.left.shares[0]).toEqual(stable[0]);
  });

  it("before the route puts the file back, and may be tried again", async () => {
    const it = await atTheTop();
    it.fails = { after: 0, routeFirst: true };
    expect(await it.live(promoted)).toMatchObject({ outcome: "refused", reason: "postgres-exporter: timed out" });
    expect(it.left).toMatchObject({ file: ["green", 100, unretired], git: ["green", 100, unretired] });
    it.fails = undefined;
    expect(await it.live(promoted)).toMatchObject({ outcome: "reached" });
    expect(it.left).toMatchObject({ file: ["blue", 0, unretired], told: { candidate: "blue" } });
  });
});

describe("a file that names another candidate than the route", () => {
  it("at 100 is no promotion that was begun: the release before never gets everything back by it", async () => {
    const it = await atTheTop();
    await it.live(promoted);
    // As drivers left it that took a failed up for an untouched route.
    it.file = { ...it.file, candidate: "green", candidateTraffic: 100 };
    await it.driver().rest(3600);
    expect(await it.live(promoted)).toMatchObject({
      outcome: "reached",
      reason: "green is proven and stable; blue is the candidate at 0",
    });
    expect(it.left).toMatchObject({ file: ["blue", 0, unretired], told: { candidate: "blue", candidateTraffic: 0 } });
    expect(it.left.shares[0]).toEqual(stable[0]);
  });

  it("above 0 is none either: nobody proved that the route's candidate may be the stable one", async () => {
    const it = await atTheTop();
    it.file = { ...it.file, candidate: "blue", candidateTraffic: 10 };
    expect(await it.live(promoted)).toMatchObject({ outcome: "refused", reason: "blue has 0 %, not 100" });
    expect(it.left).toMatchObject({ file: ["blue", 10, unretired], told: { candidate: "green" } });
  });

  it("at 0 is none either while the route's has less than 100", async () => {
    const it = new MortalWorld();
    await it.live((driver) => walkFrom(driver, lineOf("resume", []), "resume"));
    it.world = happen(it.world, { kind: "edit", weights: { blue: 50, green: 50 }, foreign: 0, rules: "all" });
    it.file = { ...it.file, candidate: "blue", candidateTraffic: 0 };
    const { file, git } = it.left;
    expect(await it.live(promoted)).toMatchObject({ outcome: "refused", reason: "blue has 50 %, not 100" });
    expect(it.left).toMatchObject({ file, git });
  });
});
