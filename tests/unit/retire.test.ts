import { describe, expect, it, vi } from "vitest";
import { retired } from "../../cli/rollout/retire.ts";
import type { DriverSession } from "../../cli/rollout/session.ts";
import { atTheTop, type MortalWorld } from "../support/mortal-driver.ts";
import { happen } from "../support/world.ts";

vi.mock("../../rollout/ledger/origin.ts", () => ({
  originOf: async () => ({ who: "ada", commit: "1357ab8" }),
  whoOf: async () => "ada",
}));

const work = (it: MortalWorld) => it.live((driver: DriverSession) => retired(driver, it.backups));
const backups = (it: MortalWorld) => it.calls.filter((call) => call === "backup").length;
const podsOf = (it: MortalWorld) => Object.values(it.left.pods.blue).map((pods) => pods?.replicas);

describe("a retirement", () => {
  it("takes the pods away, then a last backup, and says what comes next", async () => {
    const it = await atTheTop();
    expect(await work(it)).toMatchObject({
      outcome: "reached",
      reason: "blue has no pods any more; it stays declared",
      next: "golive rollout promote",
    });
    expect(it.calls.slice(-2)).toEqual(["up", "backup"]);
    expect(podsOf(it)).toEqual([0, 0]);
  });

  it("is done once: again it says so, and takes no second backup", async () => {
    const it = await atTheTop();
    await work(it);
    it.world = happen(it.world, { kind: "wait" });
    it.calls.splice(0);
    expect(await work(it)).toMatchObject({ outcome: "refused", reason: "blue is retired already" });
    expect(it.calls.slice(-1)).toEqual(["newest backup"]);
  });

  it.each([
    ["there never was one", undefined],
    ["the newest one is from before", -6],
  ])("goes on at its backup where the driver died before it: %s", async (_, hoursBefore) => {
    const it = await atTheTop();
    if (hoursBefore !== undefined) it.backedUp = it.world.hour + hoursBefore;
    await work(it);
    it.backedUp = hoursBefore === undefined ? undefined : it.world.hour + hoursBefore;
    it.calls.splice(0);
    expect(await work(it)).toMatchObject({ outcome: "reached" });
    expect(it.calls.slice(-2)).toEqual(["newest backup", "backup"]);
    expect(it.calls).not.toContain("up");
  });

  it("goes on at the pods where its up was killed behind the route", async () => {
    const it = await atTheTop();
    it.fails = { after: 1, routeFirst: true };
    expect(await work(it)).toEqual({
      outcome: "refused",
      reason:
        "the route says that blue is retired, and so does the file; what failed is the rest of pulumi up: postgres-exporter: timed out",
      next: "golive rollout retire, which goes on from here",
      live: 100,
      steps: [],
    });
    expect(it.left.file).toEqual(["green", 100, { blue: true, green: false }]);
    expect([podsOf(it), backups(it)]).toEqual([[2, 2], 0]);
    it.fails = undefined;
    expect(await work(it)).toMatchObject({ outcome: "reached" });
    expect([podsOf(it), backups(it)]).toEqual([[0, 0], 1]);
  });

  it("whose up failed before the route is taken out of the file again", async () => {
    const it = await atTheTop();
    it.fails = { after: 0, routeFirst: true };
    expect(await work(it)).toMatchObject({ outcome: "refused", reason: "postgres-exporter: timed out" });
    expect(it.left).toMatchObject({ file: ["green", 100, { blue: false, green: false }] });
    expect(it.left.git).toEqual(it.left.file);
    expect(backups(it)).toBe(0);
  });
});
