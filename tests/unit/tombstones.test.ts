import { describe, expect, it } from "vitest";
import { clearTombstone, planClear } from "../../rollout/rules/tombstones.ts";
import { at, blue, green, refused, run } from "../support/decision.ts";
import { GuardedCluster } from "../support/guarded-cluster.ts";
import { place } from "../support/ledger-api.ts";
import { evenRules, now, pods, routeObject, told } from "../support/live.ts";

const advice = (release: string) =>
  `release something else, or clear it: ./golive rollout clear ${release} --name WHO --reason WHY`;
const would = (step: string, release = green) =>
  refused(
    `candidateTraffic ${step} would send users to ${release}, a release that was tripped and has a tombstone`,
    advice(release),
  );

describe("a release with a tombstone (rule 7)", () => {
  const buried = { ...at(0), tombstones: [green] };

  it("gets no traffic on the first rung", () => {
    expect(run(buried, { candidateTraffic: 10 })).toEqual(would("0 -> 10"));
  });

  it("climbs no further", () => {
    expect(run({ ...at(10), tombstones: [green] }, { candidateTraffic: 50 })).toEqual(would("10 -> 50"));
  });

  it("is not climbed by an override", () => {
    const override = { percent: 10, reason: "we know better" };
    expect(run(buried, { candidateTraffic: 10, override })).toEqual(would("0 -> 10"));
  });

  it("is no short way back to 100, though it was proven once", () => {
    const live = { ...at(0, { candidate: "blue", proven: { blue, green } }), tombstones: [blue] };
    expect(run(live, { candidate: "blue", candidateTraffic: 100 })).toEqual(would("0 -> 100", blue));
  });

  it("is not let in by a hand edit that config then names", () => {
    const edited = { ...buried, rules: evenRules({ blue: 50, green: 50 }) };
    expect(run(edited, { candidateTraffic: 50 })).toEqual(would("50 -> 50"));
  });

  it("is not let in by taking the trip's annotation away, not even when stable has no pods", () => {
    const live = {
      ...at(50),
      tombstones: [green],
      rules: evenRules({ blue: 100, green: 0 }),
      pods: { blue: pods({ release: blue, ready: 0 }) },
    };
    expect(run(live, { candidateTraffic: 50 })).toEqual(would("0 -> 50"));
  });

  it("does not come to a colour that serves, in place", () => {
    const live = { ...at(10), tombstones: ["3.0.0-cccc"] };
    const desired = {
      candidateTraffic: 10,
      releases: { blue: "3.0.0-cccc", green },
      inPlace: { colour: "blue", reason: "CVE" },
    } as const;
    expect(run(live, desired)).toEqual(
      refused(
        "blue would run 3.0.0-cccc in place, a release that was tripped and has a tombstone",
        advice("3.0.0-cccc"),
      ),
    );
  });

  it("may stay at 0, where it is looked into, and make room for another one", () => {
    expect(run(buried, {})).toMatchObject({ allowed: true, move: "stay" });
    expect(run(buried, { releases: { blue, green: "3.0.0-cccc" } })).toMatchObject({ allowed: true, move: "stay" });
    const renewed = { ...at(0, { releases: { blue, green: "3.0.0-cccc" } }), tombstones: [green] };
    expect(run(renewed, { releases: { blue, green: "3.0.0-cccc" }, candidateTraffic: 10 })).toMatchObject({
      allowed: true,
      move: "up",
    });
  });

  it("stands in no way down, which says where it leads", () => {
    expect(run({ ...at(50), tombstones: [green] }, { candidateTraffic: 10 })).toMatchObject({
      allowed: true,
      move: "down",
      notes: [],
    });
    expect(run({ ...at(50), tombstones: [blue] }, { candidateTraffic: 0 })).toMatchObject({
      allowed: true,
      move: "down",
      notes: [`sends users back to blue ${blue}, a release that was tripped and has a tombstone`],
    });
  });

  it("stays where it serves when nothing moves: pods are still repaired", () => {
    expect(run({ ...at(50), tombstones: [green] }, { candidateTraffic: 50 })).toMatchObject({ move: "stay" });
  });

  it("is accepted at 100 where the other colour was tripped since: there is no other way on", () => {
    const live = {
      ...at(0, { candidate: "blue", proven: { blue, green } }),
      rules: evenRules({ blue: 100, green: 0 }),
      tombstones: [blue, green],
      trip: "green: slow",
    };
    expect(run(live, { candidate: "blue", candidateTraffic: 100 })).toMatchObject({
      allowed: true,
      told: { acknowledged: "green: slow" },
    });
  });
});

describe("clearing a tombstone", () => {
  it("takes this one away and leaves the others", () => {
    const object = routeObject({ tombstones: ["1.9.0-cccc", green], generation: 4 });
    expect(planClear({ object, at: now }, green)).toEqual({
      patch: { metadata: { annotations: { "golive/tombstones": "1.9.0-cccc" }, resourceVersion: "4" } },
    });
  });

  it("takes the annotation away with the last one", () => {
    expect(planClear({ object: routeObject({ tombstones: [green] }), at: now }, green)).toMatchObject({
      patch: { metadata: { annotations: { "golive/tombstones": null } } },
    });
  });

  it("writes nothing where there is none", () => {
    const object = routeObject({ tombstones: ["1.9.0-cccc"] });
    expect(planClear({ object, at: now }, green)).toEqual({
      instead: { outcome: "absent", left: ["1.9.0-cccc"], at: now },
    });
  });

  it("is written under its own name, and lets the release climb again", async () => {
    const cluster = new GuardedCluster({ told: told(), tombstones: [green, "1.9.0-cccc"] });
    expect(await clearTombstone(cluster, place, green)).toEqual({ outcome: "cleared", left: ["1.9.0-cccc"], at: now });
    expect(cluster.managers).toEqual(["golive-clear"]);
    expect(run({ tombstones: cluster.route.tombstones }, { candidateTraffic: 10 })).toMatchObject({ move: "up" });
    expect(await clearTombstone(cluster, place, green)).toMatchObject({ outcome: "absent" });
  });
});
