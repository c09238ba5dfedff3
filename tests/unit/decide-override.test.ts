import { describe, expect, it } from "vitest";
import { at, blue, green, refused, run } from "../support/decision.ts";
import { pods, told } from "../support/live.ts";

describe("an override", () => {
  const override = { percent: 50, reason: "the old release leaks money" };

  it("lets its step off soak and gate, says so, and is spent by it", () => {
    expect(run(at(10), { candidateTraffic: 50, override })).toEqual({
      allowed: true,
      move: "up",
      weights: { blue: 50, green: 50 },
      told: told({ candidateTraffic: 50, override: "50 the old release leaks money" }),
      mustBeReady: "green",
      override: "the old release leaks money",
      notes: ["neither soak nor gate hold this step: the old release leaks money"],
    });
  });

  it("is for its percentage only, and stays unspent by other steps", () => {
    const decision = run(at(50), { candidateTraffic: 100, override });
    expect(decision).toMatchObject({ allowed: true, move: "up", notes: [], told: { override: undefined } });
    expect(decision).not.toHaveProperty("override");
    expect(run(at(100), { candidateTraffic: 50, override })).toMatchObject({
      move: "down",
      told: { override: undefined },
    });
  });

  it("that was spent holds the step that it is forgotten for; a new reason is a new one", () => {
    const spent = at(10, { override: "50 the old release leaks money" });
    expect(run(spent, { candidateTraffic: 50, override })).toEqual(
      refused(
        "candidateTraffic 10 -> 50 with golive:override 50, which was spent before (the old release leaks money)",
        "remove golive:override, and the gate decides; or give it a new reason",
      ),
    );
    expect(run(spent, { candidateTraffic: 50, override: { percent: 50, reason: "again" } })).toMatchObject({
      allowed: true,
      told: { override: "50 again" },
    });
  });

  it("that was spent and is still in config stands in the way of nothing else", () => {
    const spent = at(50, { override: "50 the old release leaks money" });
    expect(run(spent, { candidateTraffic: 50, override })).toMatchObject({ allowed: true, move: "stay" });
    expect(run(spent, { candidateTraffic: 100, override })).toMatchObject({ allowed: true, move: "up" });
    expect(run(spent, { candidateTraffic: 10, override })).toMatchObject({
      allowed: true,
      move: "down",
      told: { override: "50 the old release leaks money" },
    });
  });

  it("skips no rung", () => {
    expect(run(at(0), { candidateTraffic: 50, override })).toMatchObject({ allowed: false });
  });

  describe("while stable cannot serve", () => {
    const broken = { ...at(10), pods: { blue: pods({ release: blue, ready: 0 }) } };
    const lacks = "backend has 0 of 1 pods ready, frontend has 0 of 1 pods ready";
    const away = { percent: 100, reason: "blue does not start any more" };

    it("skips rungs, says what stable lacks, and asks for the candidate's pods", () => {
      expect(run(broken, { candidateTraffic: 100, override: away })).toMatchObject({
        allowed: true,
        move: "up",
        weights: { blue: 0, green: 100 },
        mustBeReady: "green",
        override: "blue does not start any more",
        leap: lacks,
        told: { override: "100 blue does not start any more" },
      });
    });

    it("skips rungs though somebody scaled stable to 0", () => {
      const scaled = { ...at(10), pods: { blue: pods({ release: blue, replicas: 0, ready: 0 }) } };
      expect(run(scaled, { candidateTraffic: 100, override: away })).toMatchObject({ allowed: true, move: "up" });
    });

    it("skips none without it, and says that it could", () => {
      expect(run(broken, { candidateTraffic: 100 })).toEqual(
        refused(
          "candidateTraffic 10 -> 100 skips a rung: the next is 50 (or any lower value)",
          `set candidateTraffic 50; as blue cannot serve (${lacks}), golive:override {percent: 100, release, reason} lets it skip rungs`,
        ),
      );
    });

    it("skips none with one that was spent", () => {
      const spent = { ...at(10, { override: "100 blue does not start any more" }), pods: broken.pods };
      expect(run(spent, { candidateTraffic: 100, override: away })).toEqual(
        refused(
          "candidateTraffic 10 -> 100 with golive:override 100, which was spent before (blue does not start any more)",
          "remove golive:override, and the gate decides; or give it a new reason",
        ),
      );
    });

    it("skips none to a candidate that cannot serve either", () => {
      const both = {
        ...at(10),
        pods: { blue: pods({ release: blue, ready: 0 }), green: pods({ release: green, ready: 0 }) },
      };
      expect(run(both, { candidateTraffic: 100, override: away })).toMatchObject({ allowed: false });
    });
  });
});
