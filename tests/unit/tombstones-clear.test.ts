import { beforeEach, describe, expect, it } from "vitest";
import { clearOrder, clearRelease } from "../../cli/rollout/clear.ts";
import { GuardedCluster } from "../support/guarded-cluster.ts";
import { place } from "../support/ledger-api.ts";
import { told } from "../support/live.ts";

const green = "2.0.0-bbbb";
const order = { release: green, who: "Ada", reason: "the cache was down", stack: "production", commit: "abc123" };

describe("golive rollout clear", () => {
  let cluster: GuardedCluster;
  beforeEach(() => {
    cluster = new GuardedCluster({ told: told(), tombstones: [green, "1.9.0-cccc"] });
  });

  it("takes the tombstone away, and the ledger knows who and why", async () => {
    expect(await clearRelease(cluster, place, order)).toEqual({ record: 1, left: ["1.9.0-cccc"] });
    expect(cluster.route.tombstones).toEqual(["1.9.0-cccc"]);
    expect(await cluster.records()).toEqual([
      expect.objectContaining({
        kind: "clear",
        who: "Ada",
        reason: `${green}: the cache was down`,
        commit: "abc123",
        from: { blue: 100, green: 0 },
        to: { blue: 100, green: 0 },
      }),
    ]);
  });

  it("lets nobody off whom the ledger cannot name", async () => {
    cluster.before = ({ path }) =>
      path.includes("/configmaps") ? cluster.say(403, { message: "not you" }) : undefined;
    await expect(clearRelease(cluster, place, order)).rejects.toThrow(
      `golive rollout clear: ${green} keeps its tombstone, for the ledger could not be written: cannot read the ledger`,
    );
    expect(cluster.route.tombstones).toContain(green);
  });

  it("says that the ledger is ahead, when the route could not be written then", async () => {
    cluster.before = ({ method, path }) =>
      method === "PATCH" && path.includes("/httproutes/") ? cluster.say(500, { message: "etcd" }) : undefined;
    await expect(clearRelease(cluster, place, order)).rejects.toThrow(
      `golive rollout clear: ${green} keeps its tombstone, though record 1 says that it was cleared; run this again: ` +
        "HTTPRoute taskflow was not written: the API server answered 500: etcd",
    );
  });

  it("names the tombstones that there are, and writes nothing down, for another release", async () => {
    await expect(clearRelease(cluster, place, { ...order, release: "2.0.0" })).rejects.toThrow(
      `golive rollout clear: got 2.0.0; allowed, as it has a tombstone: ${green}, 1.9.0-cccc`,
    );
    cluster.write({ told: told() });
    await expect(clearRelease(cluster, place, order)).rejects.toThrow("none: no release was tripped");
    expect(await cluster.records()).toEqual([]);
  });

  it.each([
    [[], "got nothing; allowed: one release"],
    [["a", "b"], 'got "a b"; allowed: one release'],
    [["a", "--reason", "x"], "--name: got nothing; allowed: who takes it upon themselves"],
    [["a", "--name", "Ada", "--reason", " "], "--reason: got nothing; allowed: what is different now, in a few words"],
  ])("%j is refused: a tombstone goes with a name and a reason", (args, problem) => {
    expect(() => clearOrder(args)).toThrow(`golive rollout clear: ${problem}. See: golive rollout clear --help`);
  });

  it("reads a whole command line", () => {
    expect(clearOrder([green, "--name", "Ada", "--reason", "why", "--stack", "staging", "--json"])).toEqual({
      release: green,
      who: "Ada",
      reason: "why",
      stack: "staging",
      json: true,
    });
  });
});
