import { describe, expect, it } from "vitest";
import { at, green, ladderOf, refused, run } from "../support/decision.ts";
import { told } from "../support/live.ts";

describe("retirement (rule 8)", () => {
  const retireBlue = { candidateTraffic: 100, retired: { blue: true, green: false } };

  it("takes the pods of a colour that lost its traffic a day ago", () => {
    expect(run({ ...at(100), hoursAgo: 24 }, retireBlue)).toEqual({
      allowed: true,
      move: "retire",
      weights: { blue: 0, green: 100 },
      told: told({ candidateTraffic: 100, retired: ["blue"] }),
      mustBeReady: undefined,
      notes: [],
    });
  });

  it("gives them back without waiting", () => {
    expect(run({ ...at(100, { retired: ["blue"] }), hoursAgo: 0 }, { candidateTraffic: 100 })).toEqual({
      allowed: true,
      move: "retire",
      weights: { blue: 0, green: 100 },
      told: told({ candidateTraffic: 100 }),
      mustBeReady: undefined,
      notes: [],
    });
  });

  it.each([
    {
      name: "a colour that serves",
      live: at(10),
      desired: { candidateTraffic: 10, retired: { blue: false, green: true } },
      says: refused(
        "green would be retired while it serves 10 %",
        "only a colour at 0 can be retired: remove green.retired",
      ),
    },
    {
      name: "a colour too soon after the traffic moved",
      live: { ...at(100), hoursAgo: 23.5 },
      desired: retireBlue,
      says: refused(
        "blue would be retired 23.5 h after the route was last written; allowed after 24 h",
        "keep it for a rollback until then: remove the retired flag",
      ),
    },
    {
      name: "a colour together with the switch of roles",
      live: at(100),
      desired: { candidate: "blue", candidateTraffic: 0, retired: { blue: true, green: false } },
      says: refused(
        "blue is retired in the same run as another change",
        "retirement has a run of its own: make the other change before or after it",
      ),
    },
    {
      name: "a colour together with a release",
      live: at(100),
      desired: { ...retireBlue, releases: { blue: "3.0.0-cccc", green } },
      says: refused(
        "blue is retired in the same run as another change",
        "retirement has a run of its own: make the other change before or after it",
      ),
    },
    {
      name: "a colour together with a ladder",
      live: at(100),
      desired: { ...retireBlue, ladder: ladderOf(10, 100) },
      says: refused(
        "blue is retired in the same run as another change",
        "retirement has a run of its own: make the other change before or after it",
      ),
    },
  ] as const)("refuses $name", ({ live, desired, says }) => {
    expect(run(live, desired)).toEqual(says);
  });
});

describe("the ladder (rule 9)", () => {
  it.each([0, 100])("changes at a live %i", (percent) => {
    expect(run(at(percent), { candidateTraffic: percent, ladder: ladderOf(10, 25, 100) })).toEqual({
      allowed: true,
      move: "ladder",
      weights: { blue: 100 - percent, green: percent },
      told: told({ candidateTraffic: percent, ladder: "10/15,25/15,100/30" }),
      mustBeReady: undefined,
      notes: [],
    });
  });

  it("does not change between", () => {
    expect(run(at(10), { candidateTraffic: 10, ladder: ladderOf(10, 25, 100) })).toEqual(
      refused(
        "the ladder changes (10/15,50/15,100/30 -> 10/15,25/15,100/30) at candidateTraffic 10",
        "the ladder changes only at a live 0 or 100, in a run of its own",
      ),
    );
  });
});
