import { describe, expect, it } from "vitest";
import { decide } from "../../rollout/decide.ts";
import { at, blue, green, refused, run, usual } from "../support/decision.ts";
import { observed, pods, told } from "../support/live.ts";

describe("a new route (rule 1)", () => {
  const vanished =
    "there is no route, but there are pods: if somebody deleted it, only `pulumi up --refresh` brings it back";

  it("starts with all traffic on stable, and remembers stable's release as proven", () => {
    expect(run({ noRoute: true }, {})).toEqual({
      allowed: true,
      move: "create",
      weights: { blue: 100, green: 0 },
      told: told(),
      mustBeReady: undefined,
      notes: [vanished],
    });
  });

  it("may start without a release on the candidate, or with the candidate retired", () => {
    expect(
      run({ noRoute: true }, { releases: { blue, green: undefined }, retired: { blue: false, green: true } }),
    ).toEqual({
      allowed: true,
      move: "create",
      weights: { blue: 100, green: 0 },
      told: told({ releases: { blue, green: undefined }, retired: ["green"] }),
      mustBeReady: undefined,
      notes: [vanished],
    });
  });

  it.each([
    {
      name: "does not start with traffic on the candidate",
      desired: { candidateTraffic: 10 },
      says: refused(
        "candidateTraffic 10 on a new route: it starts at 0, all traffic on blue",
        "set candidateTraffic 0, then climb: the first rung is 10",
      ),
    },
    {
      name: "does not start on a colour without a release",
      desired: { releases: { blue: undefined, green } },
      says: refused(
        "blue would get all traffic of a new route, but it has no release",
        "give blue a release, or make it the candidate",
      ),
    },
    {
      name: "does not start on a retired colour",
      desired: { retired: { blue: true, green: false } },
      says: refused(
        "blue would get all traffic of a new route, but it has been retired",
        "give blue a release, or make it the candidate",
      ),
    },
  ])("$name", ({ desired, says }) => {
    expect(run({ noRoute: true }, desired)).toEqual(says);
  });

  it("is not taken over from somebody else", () => {
    const foreign = { ...observed(), route: { ...observed().route, told: undefined } };
    expect(decide({ ...observed(), ...readForeign(foreign) }, usual)).toEqual(
      refused(
        "the HTTPRoute exists already, and golive did not make it (it has no golive/candidate annotation)",
        "delete it, or give this application another name",
      ),
    );
  });
});

function readForeign({ route }: { route: object }) {
  const live = observed().route;
  return live ? { route: { ...live, ...route } } : {};
}

describe("a run that changes nothing", () => {
  it.each([0, 10, 50, 100])("is allowed at %i, and tells the route what it was told", (percent) => {
    expect(run(at(percent), { candidateTraffic: percent })).toEqual({
      allowed: true,
      move: "stay",
      weights: { blue: 100 - percent, green: percent },
      told: told({ candidateTraffic: percent }),
      mustBeReady: undefined,
      notes: [],
    });
  });

  it("is allowed while pods are down: it is how they are repaired", () => {
    expect(
      run({ ...at(50), pods: { blue: pods({ release: blue, ready: 0 }), green: [] } }, { candidateTraffic: 50 }),
    ).toMatchObject({ allowed: true, move: "stay" });
  });
});
