import { describe, expect, it } from "vitest";
import { at, blue, green, ladderOf, refused, run } from "../support/decision.ts";
import { evenRules, told } from "../support/live.ts";

describe("the switch of roles (rule 4)", () => {
  it("moves no traffic, and remembers the release that climbed as proven", () => {
    expect(run(at(100), { candidate: "blue", candidateTraffic: 0 })).toEqual({
      allowed: true,
      move: "roles",
      weights: { blue: 0, green: 100 },
      told: told({ candidate: "blue", proven: { blue, green } }),
      mustBeReady: undefined,
      notes: [],
    });
  });

  it("may come with a new release on the idle colour, and says which return that gives up", () => {
    expect(
      run(at(100), { candidate: "blue", candidateTraffic: 0, releases: { blue: "3.0.0-cccc", green } }),
    ).toMatchObject({
      allowed: true,
      move: "roles",
      notes: ["this gives up the return to blue 1.0.0-aaaa in one step"],
    });
  });

  it.each([
    {
      name: "only happens at a live 100",
      live: at(50),
      desired: { candidate: "blue", candidateTraffic: 0 },
      says: refused(
        "candidate green -> blue with candidateTraffic 0, while green has 50 %",
        "roles switch only at a live 100: keep candidate green until then",
      ),
    },
    {
      name: "takes no step with it",
      live: at(100),
      desired: { candidate: "blue", candidateTraffic: 10 },
      says: refused(
        "candidate green -> blue with candidateTraffic 10, while green has 100 %",
        "roles switch without moving traffic: set candidate blue and candidateTraffic 0",
      ),
    },
    {
      name: "does not happen on a hand-made 100",
      live: { ...at(50), rules: evenRules({ blue: 0, green: 100 }) },
      desired: { candidate: "blue", candidateTraffic: 0 },
      says: refused(
        "candidate green -> blue with candidateTraffic 0, while green has 100 %",
        "roles switch only at a live 100: keep candidate green until then",
      ),
    },
    {
      name: "proves no release that changes in the same run",
      live: at(100),
      desired: {
        candidate: "blue",
        candidateTraffic: 0,
        releases: { blue, green: "3.0.0-cccc" },
        inPlace: { colour: "green", reason: "CVE" },
      },
      says: refused(
        "the release of green changes in the same run as candidate green -> blue",
        "change one thing at a time: switch the roles in a run of their own",
      ),
    },
    {
      name: "does not come with a new ladder",
      live: at(100),
      desired: { candidate: "blue", candidateTraffic: 0, ladder: ladderOf(10, 100) },
      says: refused(
        "the ladder changes (10/15,50/15,100/30 -> 10/15,100/30) in the same run as another change",
        "the ladder changes only at a live 0 or 100, in a run of its own",
      ),
    },
  ] as const)("$name", ({ live, desired, says }) => {
    expect(run(live, desired)).toEqual(says);
  });

  describe("waits for the soak of the last rung", () => {
    const asked = { candidate: "blue", candidateTraffic: 0 } as const;

    it("and says how much is left, when to try again and that the way down stays open", () => {
      expect(run({ ...at(100), hoursAgo: 0.3 }, asked)).toEqual(
        refused(
          "candidate green -> blue is held: 12 min 0 s of the soak of 30 min 0 s at 100 % are left",
          "try again in 12 min 0 s (2026-11-21T12:12:00Z); until then candidateTraffic 0 is one step away",
        ),
      );
    });

    it.each([
      ["to the second", { hoursAgo: 0.5 }, {}],
      ["as the stack's clock runs", { hoursAgo: 0.01 }, { soakSpeed: 60 }],
      ["only where soaks are kept", { hoursAgo: 0 }, { soakSpeed: undefined }],
    ])("%s", (_, live, desired) => {
      expect(run({ ...at(100), ...live }, { ...asked, ...desired })).toMatchObject({ allowed: true, move: "roles" });
    });

    it("but keeps nobody from going down meanwhile", () => {
      expect(run({ ...at(100), hoursAgo: 0 }, { candidateTraffic: 0 })).toMatchObject({ allowed: true, move: "down" });
    });
  });
});
