import { describe, expect, it } from "vitest";
import { type GateReport, gateText, missedAims } from "../../cli/bench/gate-report.ts";
import { type Ending, endings } from "../../cli/bench/gate-simulation.ts";
import { seconds, seeded } from "../../cli/bench/gate-traffic.ts";
import { thresholds } from "../support/gate.ts";

describe("simulated traffic", () => {
  it.each([
    [150, 0.001, 1],
    [150, 0.001, 10],
    [15, 0.02, 10],
    [1.5, 0.05, 10],
    [150, 1, 1],
  ])("of %d requests a second fails as often as it should: %d in bursts of %d", (rate, failing, burst) => {
    const next = seconds({ rate, failing, burst }, seeded(1));
    const sum = { requests: 0, errors: 0 };
    for (let second = 0; second < 40_000; second++) {
      const { requests, errors } = next();
      sum.requests += requests;
      sum.errors += errors;
    }
    expect(sum.requests / 40_000 / rate).toBeCloseTo(1, 1);
    expect(sum.errors / sum.requests / failing).toBeCloseTo(1, 1);
  });

  it("is the same for the same seed, and another for another", () => {
    const first = (seed: number) => {
      const next = seconds({ rate: 15, failing: 0.1, burst: 10 }, seeded(seed));
      return Array.from({ length: 20 }, next);
    };
    expect(first(1)).toEqual(first(1));
    expect(first(1)).not.toEqual(first(2));
  });
});

describe("a simulated release", () => {
  const scene = (failing: number, ofStable: number, burst = 1) => ({
    candidate: { rate: 150, failing, burst },
    stable: { rate: 1350, failing: ofStable, burst },
    step: 900,
    seed: 1,
  });

  it("of which 30 % fails is found by the fast test in less than 5 seconds", async () => {
    const [found] = await endings(scene(0.3, 0.001), 900, thresholds, "first");
    expect(found).toMatchObject({ by: "fast test" });
    expect(found?.seconds).toBeLessThan(5);
  });

  it("of which 2 % fails is found by the gate, as soon as it may say so", async () => {
    expect(await endings(scene(0.02, 0.001), 900, thresholds, "first")).toMatchObject([{ by: "gate", seconds: 60 }]);
  });

  it.each([
    ["0.1 % fails, in bursts", scene(0.001, 0.001, 10)],
    ["as much fails as of stable", scene(0.05, 0.05, 10)],
  ])("of which %s is not taken back in a day", async (_, good) => {
    expect(await endings(good, 86_400, thresholds)).toEqual([]);
  });

  it("begins anew after each rollback", async () => {
    const found = await endings(scene(1, 0.001), 60, thresholds);
    expect(found.map((each) => each.seconds)).toEqual(Array.from({ length: 20 }, () => 3));
  });
});

describe("the report of golive bench gate", () => {
  const ending = (seconds: number, by: Ending["by"] = "fast test"): Ending => ({ by, seconds, failed: seconds * 45 });
  const report: GateReport = {
    good: [
      { name: "0.1 % fail", rate: 150, days: 200, endings: [], aim: 1 },
      { name: "in bursts", rate: 150, days: 200, endings: [ending(60, "gate"), ending(3)], aim: 1 },
    ],
    bad: [
      { percent: 2, rate: 1.5, endings: [undefined, ending(600, "gate")] },
      { percent: 30, rate: 150, endings: [ending(3), ending(5)], aim: 5 },
      { percent: 100, rate: 150, endings: [ending(3), undefined], aim: 5 },
    ],
    patience: 900,
  };

  it("says which aims are missed: one that is only just met is missed, and so is a release that was never found", () => {
    expect(missedAims(report)).toEqual([
      "in bursts, 150 a second: 1 false rollbacks in 100 days; aim: fewer than 1",
      "30 % of 150 a second: found in 5 s; aim: less than 5 s",
      "100 % of 150 a second: not found in every run; aim: less than 5 s",
    ]);
  });

  it("shows every figure", () => {
    expect(gateText(report)).toBe(
      [
        "Good releases at 10 % of the traffic, a new step every quarter of an hour: false rollbacks",
        "            requests a second  days  by the fast test  by the gate  in 100 days",
        "0.1 % fail                150   200                 0            0         0.00",
        "in bursts                 150   200                 1            1         1.00",
        "",
        "Bad releases at 10 % of the traffic, 2 times each: seconds from the step to the rollback (missed: none in 900 s)",
        "failing  requests a second  median  99 of 100  longest  missed  failed requests  by the fast test",
        "2 %                    1.5     600        600      600    50 %            27000               0 %",
        "30 %                   150       4          5        5     0 %              180             100 %",
        "100 %                  150       3          3        3    50 %              135             100 %",
        "",
        "Aims: 3 missed",
      ].join("\n"),
    );
  });
});
