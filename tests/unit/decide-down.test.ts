import { describe, expect, it } from "vitest";
import { at, blue, green, refused, run } from "../support/decision.ts";
import { evenRules, pods, told } from "../support/live.ts";

describe("a step down (rule 3)", () => {
  it.each([
    [100, 50],
    [100, 0],
    [50, 10],
    [10, 0],
  ])("goes from %i to %i at once", (from, to) => {
    expect(run(at(from), { candidateTraffic: to })).toEqual({
      allowed: true,
      move: "down",
      weights: { blue: 100 - to, green: to },
      told: told({ candidateTraffic: to }),
      mustBeReady: "blue",
      notes: [],
    });
  });

  it("does not wait for a crash-looping candidate", () => {
    expect(
      run({ ...at(50), pods: { green: pods({ release: green, ready: 0 }) } }, { candidateTraffic: 0 }),
    ).toMatchObject({ allowed: true, move: "down", weights: { blue: 100, green: 0 } });
  });

  it("goes down from a hand-edited route, and says what it overwrites", () => {
    expect(
      run({ ...at(10), generation: 7, rules: evenRules({ blue: 10, green: 90 }) }, { candidateTraffic: 10 }),
    ).toEqual({
      allowed: true,
      move: "down",
      weights: { blue: 90, green: 10 },
      told: told({
        candidateTraffic: 10,
        corrected:
          "generation 7: rule /api has blue 10, green 90 (told: blue 90, green 10); rule / has blue 10, green 90 (told: blue 90, green 10)",
      }),
      mustBeReady: "blue",
      notes: [
        "overwrites a hand edit: rule /api has blue 10, green 90 (told: blue 90, green 10); rule / has blue 10, green 90 (told: blue 90, green 10)",
      ],
    });
  });

  it.each([
    {
      name: "stable has no ready pods",
      live: { ...at(50), pods: { blue: pods({ release: blue, ready: 0 }) } },
      desired: { candidateTraffic: 0 },
      missing: "backend has 0 of 1 pods ready, frontend has 0 of 1 pods ready",
    },
    {
      name: "stable has no Deployments at all",
      live: { ...at(50), pods: { blue: [] } },
      desired: { candidateTraffic: 0 },
      missing: "backend has 0 of 1 pods ready, frontend has 0 of 1 pods ready",
    },
    {
      name: "stable is retired",
      live: { ...at(50, { retired: ["blue"] }) },
      desired: { candidateTraffic: 0, retired: { blue: true, green: false } },
      missing: "blue is retired",
    },
    {
      name: "stable has no release",
      live: { ...at(50, { releases: { blue: undefined, green } }) },
      desired: { candidateTraffic: 0, releases: { blue: undefined, green } },
      missing: "blue has no release",
    },
  ] as const)("is refused when $name, with the way to restore it", ({ live, desired, missing }) => {
    expect(run(live, desired)).toEqual(
      refused(
        `candidateTraffic 50 -> 0 would send users to blue, which cannot serve: ${missing}`,
        "restore blue first (its release, its pods), with candidateTraffic as it is",
      ),
    );
  });
});

describe("a hand-edited route", () => {
  it("is accepted as it is when config names the live value", () => {
    const edit =
      "rule /api has blue 50, green 50 (told: blue 100, green 0); rule / has blue 50, green 50 (told: blue 100, green 0)";
    expect(run({ ...at(0), rules: evenRules({ blue: 50, green: 50 }) }, { candidateTraffic: 50 })).toEqual({
      allowed: true,
      move: "stay",
      weights: { blue: 50, green: 50 },
      told: told({ candidateTraffic: 50, corrected: `generation 1: ${edit}` }),
      mustBeReady: undefined,
      notes: [`overwrites a hand edit: ${edit}`],
    });
  });

  const foreign = [
    {
      path: "/api",
      backends: [
        { name: "taskflow-backend-green", weight: 1 },
        { name: "maintenance", weight: 9 },
      ],
    },
    ...evenRules({ blue: 0, green: 100 }).slice(1),
  ];

  it("loses a foreign backend to what the route was told", () => {
    expect(run({ ...at(100), rules: foreign }, { candidateTraffic: 100 })).toMatchObject({
      allowed: true,
      move: "stay",
      weights: { blue: 0, green: 100 },
      notes: [
        "overwrites a hand edit: rule /api has a backend maintenance; rule /api has blue 0, green 10 (told: blue 0, green 100)",
      ],
    });
  });

  const emptied = [{ path: "/api", backends: [{ name: "maintenance", weight: 1 }] }];

  it("is no way up over a foreign backend that took all traffic", () => {
    expect(run({ ...at(10), rules: emptied }, { candidateTraffic: 50 })).toEqual(
      refused(
        "candidateTraffic 0 -> 50, but someone edited the route by hand: rule /api has a backend maintenance; rule /api has blue 0, green 0 (told: blue 90, green 10)",
        "accept the live value with candidateTraffic 0 (if it is a rung), or go to any lower rung or 0",
      ),
    );
  });

  it("is no way down to a stable without pods, though the candidate has no traffic to lose", () => {
    expect(
      run({ ...at(10), rules: emptied, pods: { blue: pods({ release: blue, ready: 0 }) } }, { candidateTraffic: 0 }),
    ).toEqual(
      refused(
        "candidateTraffic 0 -> 0 would send users to blue, which cannot serve: backend has 0 of 1 pods ready, frontend has 0 of 1 pods ready",
        "restore blue first (its release, its pods), with candidateTraffic as it is",
      ),
    );
  });

  it("that leans on a retired colour is taken back to what the route was told: there is no other way out", () => {
    const live = { ...at(100, { retired: ["blue"] }), rules: evenRules({ blue: 63, green: 37 }) };
    expect(run(live, { candidateTraffic: 100, retired: { blue: true, green: false } })).toMatchObject({
      allowed: true,
      move: "up",
      weights: { blue: 0, green: 100 },
      mustBeReady: "green",
      rescue: "blue is retired",
    });
  });

  it("that leans on a retired colour gives no new release a short way up", () => {
    const live = {
      ...at(100, { retired: ["blue"] }),
      rules: evenRules({ blue: 100, green: 0 }),
      pods: { green: pods({ release: "3.0.0-cccc" }), blue: [] },
    };
    const desired = {
      candidateTraffic: 100,
      releases: { blue, green: "3.0.0-cccc" },
      retired: { blue: true, green: false },
    };
    expect(run(live, desired)).toMatchObject({ allowed: false });
  });
});
