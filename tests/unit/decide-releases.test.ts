import { describe, expect, it } from "vitest";
import { at, blue, green, refused, run } from "../support/decision.ts";
import { evenRules, pods, told } from "../support/live.ts";

describe("a change of release (rule 5)", () => {
  it("is allowed on the colour at 0", () => {
    expect(run(at(0), { releases: { blue, green: "3.0.0-cccc" } })).toEqual({
      allowed: true,
      move: "stay",
      weights: { blue: 100, green: 0 },
      told: told({ releases: { blue, green: "3.0.0-cccc" } }),
      mustBeReady: undefined,
      notes: [],
    });
  });

  it("that gives up a return is allowed, and says so (rule 6)", () => {
    expect(run(at(100), { candidateTraffic: 100, releases: { blue: "3.0.0-cccc", green } })).toMatchObject({
      allowed: true,
      notes: ["this gives up the return to blue 1.0.0-aaaa in one step"],
    });
  });

  it("is spent once when it is made in place", () => {
    const inPlace = { colour: "blue", reason: "CVE-2026-1" } as const;
    const first = run(at(10), { candidateTraffic: 10, releases: { blue: "1.0.1-cccc", green }, inPlace });
    expect(first).toEqual({
      allowed: true,
      move: "stay",
      weights: { blue: 90, green: 10 },
      told: told({
        candidateTraffic: 10,
        releases: { blue: "1.0.1-cccc", green },
        inPlace: "blue 1.0.1-cccc CVE-2026-1",
      }),
      mustBeReady: undefined,
      notes: ["this gives up the return to blue 1.0.0-aaaa in one step", "changes blue in place: CVE-2026-1"],
    });
    if (!first.allowed) return;
    expect(
      run({ told: first.told }, { candidateTraffic: 10, releases: { blue: "1.0.2-dddd", green }, inPlace }),
    ).toEqual(
      refused(
        "the release of blue changes (1.0.1-cccc -> 1.0.2-dddd) while it serves 90 %",
        "this inPlace was spent on blue 1.0.1-cccc CVE-2026-1; give a new reason, or release on green",
      ),
    );
  });

  it.each([
    {
      name: "a colour that serves",
      live: at(10),
      desired: { candidateTraffic: 10, releases: { blue, green: "3.0.0-cccc" } },
      says: refused(
        "the release of green changes (2.0.0-bbbb -> 3.0.0-cccc) while it serves 10 %",
        "release on the colour at 0, step green down to 0 first, or set inPlace {colour: green, reason}",
      ),
    },
    {
      name: "a colour that an exception does not name",
      live: at(10),
      desired: {
        candidateTraffic: 10,
        releases: { blue, green: "3.0.0-cccc" },
        inPlace: { colour: "blue", reason: "CVE" },
      },
      says: refused(
        "the release of green changes (2.0.0-bbbb -> 3.0.0-cccc) while it serves 10 %",
        "release on the colour at 0, step green down to 0 first, or set inPlace {colour: green, reason}",
      ),
    },
    {
      name: "a colour that got traffic by hand",
      live: { ...at(0), rules: evenRules({ blue: 50, green: 50 }) },
      desired: { candidateTraffic: 50, releases: { blue, green: "3.0.0-cccc" } },
      says: refused(
        "the release of green changes (2.0.0-bbbb -> 3.0.0-cccc) while it serves 50 %",
        "release on the colour at 0, step green down to 0 first, or set inPlace {colour: green, reason}",
      ),
    },
    {
      name: "a colour that serves, by taking its release away",
      live: at(10),
      desired: {
        candidateTraffic: 10,
        releases: { blue: undefined, green },
        inPlace: { colour: "blue", reason: "CVE" },
      },
      says: refused("blue serves 90 % and would lose its release", "keep its release until blue is at 0"),
    },
    {
      name: "a colour that serves, by taking its release away while its pods are half changed",
      live: { ...at(10), pods: { blue: pods({ release: blue }, { release: "1.0.1-cccc" }) } },
      desired: { candidateTraffic: 10, releases: { blue: undefined, green } },
      says: refused("blue serves 90 % and would lose its release", "keep its release until blue is at 0"),
    },
  ] as const)("is refused on $name", ({ live, desired, says }) => {
    expect(run(live, desired)).toEqual(says);
  });

  it("finishes a killed run: the pods have the new release already, though the route was not told (rule 10)", () => {
    const live = { ...at(0), pods: { green: pods({ release: "3.0.0-cccc" }) } };
    expect(run(live, { releases: { blue, green: "3.0.0-cccc" }, candidateTraffic: 10 })).toMatchObject({
      allowed: true,
      move: "up",
      told: { releases: { blue, green: "3.0.0-cccc" } },
    });
  });
});

describe("the return to a proven release (rule 6)", () => {
  const afterSwitch = at(0, { candidate: "blue", proven: { blue, green } });
  const back = { candidate: "blue", candidateTraffic: 100 } as const;

  it("takes one step from 0 to 100", () => {
    expect(run(afterSwitch, back)).toEqual({
      allowed: true,
      move: "return",
      weights: { blue: 100, green: 0 },
      told: told({ candidate: "blue", candidateTraffic: 100, proven: { blue, green } }),
      mustBeReady: "blue",
      notes: [],
    });
  });

  it("goes over a hand edit: it is a rollback", () => {
    expect(run({ ...afterSwitch, rules: evenRules({ blue: 25, green: 75 }) }, back)).toMatchObject({
      allowed: true,
      move: "return",
    });
  });

  it.each([
    {
      name: "the release changed since",
      live: at(0, { candidate: "blue", releases: { blue: "3.0.0-cccc", green }, proven: { blue, green } }),
      desired: { ...back, releases: { blue: "3.0.0-cccc", green } },
      says: refused(
        "candidateTraffic 0 -> 100 skips a rung: the next is 10 (or any lower value)",
        "set candidateTraffic 10",
      ),
    },
    {
      name: "the pods run another release",
      live: { ...afterSwitch, pods: { blue: pods({ release: "3.0.0-cccc" }) } },
      desired: back,
      says: refused(
        "candidateTraffic 0 -> 100 skips a rung: the next is 10 (or any lower value)",
        "set candidateTraffic 10",
      ),
    },
    {
      name: "it has no ready pods",
      live: { ...afterSwitch, pods: { blue: pods({ release: blue, ready: 0 }) } },
      desired: back,
      says: refused(
        "candidateTraffic 0 -> 100, but blue cannot serve: backend has 0 of 1 pods ready, frontend has 0 of 1 pods ready",
        "run `pulumi up` with candidateTraffic 0 until blue is ready, then step",
      ),
    },
  ])("is no short way when $name", ({ live, desired, says }) => {
    expect(run(live, desired)).toEqual(says);
  });
});
