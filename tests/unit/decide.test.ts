import { describe, expect, it } from "vitest";
import { decide } from "../../rollout/decide.ts";
import { at, blue, green, ladderOf, refused, run, usual } from "../support/decision.ts";
import { evenRules, observed, pods, told } from "../support/live.ts";

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

describe("a step up (rule 2)", () => {
  it.each([
    [0, 10],
    [10, 50],
    [50, 100],
  ])("goes from %i to %i, the next rung, and asks for the candidate's pods at the moment of writing", (from, to) => {
    expect(run(at(from), { candidateTraffic: to })).toEqual({
      allowed: true,
      move: "up",
      weights: { blue: 100 - to, green: to },
      told: told({ candidateTraffic: to }),
      mustBeReady: "green",
      notes: [],
    });
  });

  it.each([
    {
      name: "skips no rung",
      live: at(10),
      desired: { candidateTraffic: 100 },
      says: refused(
        "candidateTraffic 10 -> 100 skips a rung: the next is 50 (or any lower value)",
        "set candidateTraffic 50",
      ),
    },
    {
      name: "skips no rung from 0",
      live: at(0),
      desired: { candidateTraffic: 50 },
      says: refused(
        "candidateTraffic 0 -> 50 skips a rung: the next is 10 (or any lower value)",
        "set candidateTraffic 10",
      ),
    },
    {
      name: "waits for a candidate without ready pods",
      live: { ...at(0), pods: { green: pods({ release: green, replicas: 1 }, { ready: 0 }) } },
      desired: { candidateTraffic: 10 },
      says: refused(
        "candidateTraffic 0 -> 10, but green cannot serve: backend has 0 of 1 pods ready",
        "run `pulumi up` with candidateTraffic 0 until green is ready, then step",
      ),
    },
    {
      name: "waits for every pod of the candidate, not only for one of each service",
      live: { ...at(0), pods: { green: pods({ release: green, replicas: 3, ready: 2 }) } },
      desired: { candidateTraffic: 10, replicas: { backend: 3, frontend: 3 } },
      says: refused(
        "candidateTraffic 0 -> 10, but the pods of green are not ready: backend has 2 of 3 pods ready, frontend has 2 of 3 pods ready",
        "run `pulumi up` with candidateTraffic 0 until green is ready, then step",
      ),
    },
    {
      name: "waits until the pods run the candidate's release",
      live: { ...at(0), pods: { green: pods({ release: green }, { release: "1.9.0-cccc" }) } },
      desired: { candidateTraffic: 10 },
      says: refused(
        "candidateTraffic 0 -> 10, but the pods of green are not ready: backend runs 1.9.0-cccc, not 2.0.0-bbbb",
        "run `pulumi up` with candidateTraffic 0 until green is ready, then step",
      ),
    },
    {
      name: "changes no number of pods of the candidate",
      live: at(0),
      desired: { candidateTraffic: 10, replicas: { backend: 1, frontend: 2 } },
      says: refused(
        "candidateTraffic 0 -> 10, but the pods of green are not ready: frontend is asked for 1 pods, and would be for 2",
        "run `pulumi up` with candidateTraffic 0 until green is ready, then step",
      ),
    },
    {
      name: "changes no number of pods of stable",
      live: { ...at(0), pods: { blue: pods({ release: blue, replicas: 2 }) } },
      desired: { candidateTraffic: 10 },
      says: refused(
        "candidateTraffic 0 -> 10 in the same run as a change of blue's replicas: backend 2 -> 1, frontend 2 -> 1",
        "change replicas with candidateTraffic 0 first (`pulumi up --refresh` undoes a hand-made scale)",
      ),
    },
    {
      name: "needs a release on the candidate",
      live: at(0, { releases: { blue, green: undefined } }),
      desired: { candidateTraffic: 10, releases: { blue, green: undefined } },
      says: refused(
        "candidateTraffic 0 -> 10, but green cannot serve: green has no release",
        "run `pulumi up` with candidateTraffic 0 until green is ready, then step",
      ),
    },
    {
      name: "never goes to a retired candidate",
      live: at(0, { retired: ["green"] }),
      desired: { candidateTraffic: 10, retired: { blue: false, green: true } },
      says: refused(
        "candidateTraffic 0 -> 10, but green cannot serve: green is retired",
        "run `pulumi up` with candidateTraffic 0 until green is ready, then step",
      ),
    },
    {
      name: "is refused when someone edited the route by hand, and says which weight it found",
      live: { ...at(0), rules: evenRules({ blue: 75, green: 25 }) },
      desired: { candidateTraffic: 50 },
      says: refused(
        "candidateTraffic 25 -> 50, but someone edited the route by hand: rule /api has blue 75, green 25 (told: blue 100, green 0); rule / has blue 75, green 25 (told: blue 100, green 0)",
        "accept the live value with candidateTraffic 25 (if it is a rung), or go to any lower rung or 0",
      ),
    },
    {
      name: "does not spread a hand edit of one rule to the others",
      live: {
        ...at(0),
        rules: [...evenRules({ blue: 0, green: 100 }).slice(0, 1), ...evenRules({ blue: 100, green: 0 }).slice(1)],
      },
      desired: { candidateTraffic: 100 },
      says: refused(
        "candidateTraffic 0 -> 100, but someone edited the route by hand: rule /api has blue 0, green 100 (told: blue 100, green 0)",
        "accept the live value with candidateTraffic 0 (if it is a rung), or go to any lower rung or 0",
      ),
    },
    {
      name: "does not undo a hand-made step down",
      live: { ...at(50), rules: evenRules({ blue: 90, green: 10 }) },
      desired: { candidateTraffic: 50 },
      says: refused(
        "candidateTraffic 10 -> 50, but someone edited the route by hand: rule /api has blue 90, green 10 (told: blue 50, green 50); rule / has blue 90, green 10 (told: blue 50, green 50)",
        "accept the live value with candidateTraffic 10 (if it is a rung), or go to any lower rung or 0",
      ),
    },
    {
      name: "is the only change of its run on the way down, too",
      live: at(50),
      desired: { candidateTraffic: 0, releases: { blue, green: "3.0.0-cccc" } },
      says: refused(
        "the release of green changes (2.0.0-bbbb -> 3.0.0-cccc) in the same run as candidateTraffic 50 -> 0",
        "take the release change out of this run; green gets a new release at 0",
      ),
    },
    {
      name: "is the only change of its run: no release",
      live: at(0),
      desired: { candidateTraffic: 10, releases: { blue, green: "3.0.0-cccc" } },
      says: refused(
        "the release of green changes (2.0.0-bbbb -> 3.0.0-cccc) in the same run as candidateTraffic 0 -> 10",
        "change one thing at a time: keep candidateTraffic 0 for the release, or keep the release for the step",
      ),
    },
    {
      name: "is the only change of its run: no retirement",
      live: at(50),
      desired: { candidateTraffic: 100, retired: { blue: true, green: false } },
      says: refused(
        "blue would be retired while it serves 50 %",
        "only a colour at 0 can be retired: remove blue.retired",
      ),
    },
    {
      name: "is the only change of its run: no pods brought back",
      live: at(0, { retired: ["green"] }),
      desired: { candidateTraffic: 10 },
      says: refused(
        "green gets its pods back in the same run as another change",
        "retirement has a run of its own: make the other change before or after it",
      ),
    },
    {
      name: "is the only change of its run: no ladder",
      live: at(0),
      desired: { candidateTraffic: 10, ladder: ladderOf(10, 25, 100) },
      says: refused(
        "the ladder changes (10/15,50/15,100/30 -> 10/15,25/15,100/30) in the same run as another change",
        "the ladder changes only at a live 0 or 100, in a run of its own",
      ),
    },
  ])("$name", ({ live, desired, says }) => {
    expect(run(live, desired)).toEqual(says);
  });
});

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
          `set candidateTraffic 50; as blue cannot serve (${lacks}), golive:override {percent: 100, reason} lets it skip rungs`,
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
});

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

describe("a trip (rule 7)", () => {
  const trip = "green: error ratio 12 %";
  const tripped = { ...at(50), trip, rules: evenRules({ blue: 100, green: 0 }) };

  it.each([10, 50])("lets no run give the colour %i %", (candidateTraffic) => {
    expect(run(tripped, { candidateTraffic })).toEqual(
      refused(
        `green was tripped (error ratio 12 %) and would get ${candidateTraffic} %`,
        "acknowledge it first: candidate green, candidateTraffic 0",
      ),
    );
  });

  it("is acknowledged by a run at 0", () => {
    const edits =
      "rule /api has blue 100, green 0 (told: blue 50, green 50); rule / has blue 100, green 0 (told: blue 50, green 50)";
    expect(run(tripped, { candidateTraffic: 0 })).toEqual({
      allowed: true,
      move: "stay",
      weights: { blue: 100, green: 0 },
      told: told({ acknowledged: trip, corrected: `generation 1: ${edits}` }),
      mustBeReady: undefined,
      notes: [`overwrites a hand edit: ${edits}`, "acknowledges the trip of green: error ratio 12 %"],
    });
  });

  it("that was acknowledged lets the colour climb again; another one does not", () => {
    const acknowledged = at(0, { acknowledged: trip });
    expect(run({ ...acknowledged, trip }, { candidateTraffic: 10 })).toMatchObject({ allowed: true, move: "up" });
    expect(run({ ...acknowledged, trip: `${trip} again` }, { candidateTraffic: 10 })).toMatchObject({ allowed: false });
  });

  it("of the colour with all traffic after the switch says how it is acknowledged", () => {
    const live = { ...at(0, { candidate: "blue", proven: { blue, green } }), trip };
    expect(run(live, { candidate: "blue", candidateTraffic: 0 })).toEqual(
      refused(
        "green was tripped (error ratio 12 %) and would get 100 %",
        "acknowledge it first: candidate blue, candidateTraffic 100",
      ),
    );
    expect(run(live, { candidate: "blue", candidateTraffic: 100 })).toMatchObject({
      allowed: true,
      move: "return",
      notes: ["acknowledges the trip of green: error ratio 12 %"],
    });
  });

  it("of stable is acknowledged, too, where the candidate has everything already", () => {
    const live = {
      ...at(10),
      rules: evenRules({ blue: 0, green: 100 }),
      trip: "blue: slow (Ada, 2026-11-21T11:00:00Z)",
    };
    expect(run(live, { candidateTraffic: 10 })).toEqual(
      refused(
        "blue was tripped by Ada at 2026-11-21T11:00:00Z (slow) and would get 90 %",
        "acknowledge it first: candidate green, candidateTraffic 100",
      ),
    );
    expect(run(live, { candidateTraffic: 100 })).toMatchObject({ allowed: true, move: "stay" });
  });

  it("of stable says what is left when the candidate was never proven", () => {
    expect(run({ ...at(10), trip: "blue: error ratio 12 %" }, { candidateTraffic: 10 })).toEqual(
      refused(
        "blue was tripped (error ratio 12 %) and would get 90 %",
        "green was never proven at 100, so no run sends it everything: set the weights by hand, or remove the annotation golive/trip",
      ),
    );
  });
});

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
