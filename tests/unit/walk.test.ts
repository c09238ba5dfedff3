import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { walk } from "../../cli/rollout/drive.ts";
import { nextAction, type WalkState } from "../../rollout/walk/walk.ts";
import { ladderOf } from "../support/decision.ts";
import { fails, holds, type Kill, options, passes, standing, WalkWorld, walkThrough } from "../support/walk.ts";
import { happen, nothing } from "../support/world.ts";

const state = (changes: Partial<WalkState> = {}): WalkState => ({
  ladder: ladderOf(10, 50, 100),
  goal: 100,
  written: 10,
  live: 10,
  trip: undefined,
  edits: [],
  paused: undefined,
  unsettled: undefined,
  ready: true,
  refused: undefined,
  override: undefined,
  soakLeftSeconds: 0,
  verdict: passes,
  ...changes,
});

describe("what a driver does next", () => {
  it.each<[string, Partial<WalkState>, object]>([
    ["takes the next rung when the soak is over and the gate passes", {}, { kind: "step", from: 10, to: 50 }],
    ["waits for the soak", { soakLeftSeconds: 90 }, { kind: "wait", for: "soak", seconds: 90 }],
    ["waits for the gate as long as it says", { verdict: holds }, { kind: "wait", for: "gate", seconds: 40 }],
    ["takes a failing release down, also in the soak", { verdict: fails, soakLeftSeconds: 90 }, { kind: "trip" }],
    ["takes a failing release down, also when it is paused", { verdict: fails, paused: "ada" }, { kind: "trip" }],
    ["takes a failing release down after a hand edit", { verdict: fails, edits: ["rule / has …"] }, { kind: "trip" }],
    ["does not trip what has no traffic", { live: 0, verdict: fails }, { kind: "wait", for: "gate" }],
    ["acknowledges a trip before all else", { trip: "green was tripped", live: 0 }, { kind: "acknowledge", from: 10 }],
    ["goes down when the file says less than is live", { live: 50 }, { kind: "lower", from: 50, to: 10 }],
    [
      "goes on where a killed driver wrote a rung that is not live",
      { written: 50 },
      { kind: "step", from: 10, to: 50 },
    ],
    ["begins at 0 where there is no route", { live: undefined }, { kind: "settle", to: 0 }],
    ["brings the release up before the first rung", { live: 0, written: 0, unsettled: "x" }, { kind: "settle", to: 0 }],
    ["stays while it is paused", { paused: "ada (lunch)" }, { kind: "wait", for: "resume" }],
    [
      "waits for pods",
      { ready: false, refused: { allowed: false, reason: "no pods", next: "" } },
      { kind: "wait", for: "pods" },
    ],
    [
      "takes a step that was let off soak and gate",
      { override: "why", verdict: holds, soakLeftSeconds: 9 },
      { kind: "step", to: 50 },
    ],
    ["takes a failing release down, also with an override", { override: "why", verdict: fails }, { kind: "trip" }],
    [
      "finishes a way to 0 that was begun without a trip",
      { written: 0, verdict: fails },
      { kind: "lower", from: 10, to: 0 },
    ],
    [
      "is refused what the rules refuse",
      { refused: { allowed: false, reason: "r", next: "n" } },
      { kind: "refuse", reason: "r", next: "n" },
    ],
    ["ends at its goal", { goal: 10 }, { kind: "done", live: 10 }],
    ["waits for the soak at its goal, too", { goal: 10, soakLeftSeconds: 5 }, { kind: "wait", for: "soak" }],
    ["puts a file right that asks for more than the goal", { goal: 10, written: 50 }, { kind: "settle", to: 10 }],
  ])("%s", (_, changes, action) => {
    expect(nextAction(state(changes))).toMatchObject(action);
  });

  it("names the weight that somebody set by hand, and both ways out", () => {
    expect(
      nextAction(state({ written: 50, edits: ["rule / has blue 90, green 10 (told: blue 50, green 50)"] })),
    ).toEqual({
      kind: "refuse",
      reason: "someone edited the route by hand: rule / has blue 90, green 10 (told: blue 50, green 50)",
      next: "accept the live value with golive rollout step 10, or go down: golive rollout step 0",
    });
  });

  it("never goes up unless the gate passes on finite grounds, whatever else holds", () => {
    const arbitrary = fc.record<WalkState>({
      ladder: fc.constant(ladderOf(10, 50, 100)),
      goal: fc.constantFrom(10, 50, 100),
      written: fc.constantFrom(0, 10, 50, 100),
      live: fc.constantFrom(undefined, 0, 10, 33, 50, 100),
      trip: fc.constantFrom(undefined, "tripped"),
      edits: fc.constantFrom([], ["edited"]),
      paused: fc.constantFrom(undefined, "ada"),
      unsettled: fc.constantFrom(undefined, "a release"),
      ready: fc.boolean(),
      refused: fc.constantFrom(undefined, { allowed: false as const, reason: "r", next: "n" }),
      override: fc.constantFrom(undefined, "a reason"),
      soakLeftSeconds: fc.constantFrom(0, 1, 60),
      verdict: fc.constantFrom(passes, holds, fails),
    });
    fc.assert(
      fc.property(arbitrary, (each) => {
        const action = nextAction(each);
        const { live = 0, verdict, trip } = each;
        if (action.kind === "step") {
          expect(each.override === undefined ? ["pass"] : ["pass", "hold"]).toContain(verdict.outcome);
          expect([each.trip, each.paused, each.refused, each.edits.length]).toEqual([
            undefined,
            undefined,
            undefined,
            0,
          ]);
          expect(each.ready).toBe(true);
          expect(live === 0 || each.soakLeftSeconds === 0 || each.override !== undefined).toBe(true);
          expect(action.to).toBe(each.ladder.after(live));
        }
        // A failing release that has traffic goes down, whatever else is the matter.
        if (live > 0 && verdict.outcome === "rollback")
          expect(action.kind).toBe(trip ? "acknowledge" : each.written === 0 ? "lower" : "trip");
      }),
      { numRuns: 2000 },
    );
  });
});

describe("a walk", () => {
  it("takes a good release from nothing to 100, each value written before its up", async () => {
    const it = new WalkWorld(nothing);
    const result = await walk(it, options);
    expect(result).toMatchObject({ outcome: "reached", live: 100, next: "" });
    expect(result.steps.map(({ from, to, outcome }) => [from, to, outcome])).toEqual([
      [0, 10, "success"],
      [10, 50, "success"],
      [50, 100, "success"],
    ]);
    expect(it.calls.filter((call) => !["read", "rest", "missing"].includes(call))).toEqual([
      "up 0",
      "write 10",
      "up 10",
      "write 50",
      "up 50",
      "write 100",
      "up 100",
    ]);
  });

  it("lets no user meet a release whose preflight misses something", async () => {
    const it = new WalkWorld();
    it.lacks = "the preflight misses backup";
    expect(await walk(it, options)).toMatchObject({
      ...{ outcome: "refused", reason: "the preflight misses backup", next: "golive rollout preflight", live: 0 },
    });
    expect(it.left).toMatchObject({ live: 0, written: 0 });
  });

  it("brings a new release up at 0 before it climbs", async () => {
    const it = new WalkWorld(standing, { releases: { blue: "r1", green: "r3" } });
    const result = await walk(it, options);
    expect(it.notes[0]).toContain("up at 0 %: the release of green changes (r2 -> r3)");
    expect(result.outcome).toBe("reached");
    expect(it.world.pods.green.backend?.release).toBe("r3");
  });

  it("undoes a bad release: 0 live, 0 in the file, the trip acknowledged, and nothing climbs again", async () => {
    const it = new WalkWorld();
    it.gate = (live) => (live >= 50 ? fails : passes);
    const result = await walk(it, options);
    expect(result).toMatchObject({
      outcome: "rolled back",
      live: 0,
      next: expect.stringContaining("golive rollout clear"),
    });
    expect(result.steps.map(({ from, to, outcome }) => [from, to, outcome])).toEqual([
      [0, 10, "success"],
      [10, 50, "success"],
      [50, 0, "rolled back"],
      [0, 10, "not executed"],
      [10, 50, "not executed"],
      [50, 100, "not executed"],
    ]);
    expect(it.left).toMatchObject({ live: 0, written: 0 });
    expect(it.world.route?.told.acknowledged).toBe(it.world.route?.trip);
  });

  it("follows a guard that was faster, and names its trip", async () => {
    const it = new WalkWorld();
    let tripped = false;
    it.meanwhile = (each) => {
      if (tripped || each.live !== 10) return;
      tripped = true;
      each.world = happen(each.world, { kind: "trip", colour: "green" });
    };
    const result = await walk(it, options);
    expect(result).toMatchObject({ outcome: "rolled back", live: 0 });
    expect(result.reason).toContain("green was tripped");
    expect(it.left).toMatchObject({ live: 0, written: 0 });
  });

  it("stays on its rung while the gate holds, and says after its patience how to go on", async () => {
    const it = new WalkWorld();
    it.gate = (live) => (live >= 10 ? holds : passes);
    const result = await walk(it, options);
    expect(result).toMatchObject({ outcome: "held", live: 10, next: "golive rollout resume" });
    expect(result.reason).toBe("3 requests of 500; held for 600 s");
    expect(it.left).toMatchObject({ live: 10, written: 10 });
  });

  it("is refused after a hand edit, and leaves the weight that it found", async () => {
    const it = new WalkWorld();
    it.meanwhile = (each) => {
      if (each.live !== 50) return;
      each.world = happen(each.world, { kind: "edit", weights: { blue: 70, green: 30 }, foreign: 0, rules: "all" });
    };
    const result = await walk(it, options);
    expect(result).toMatchObject({ outcome: "refused", live: 30, next: "go down: golive rollout step 0" });
    expect(result.reason).toContain("blue 70, green 30 (told: blue 50, green 50)");
  });

  it("goes on when pods that were missing come back, and holds until then", async () => {
    const it = new WalkWorld();
    let looks = 0;
    it.meanwhile = (each) => {
      if (each.live !== 10) return;
      looks++;
      if (looks === 2) each.world = happen(each.world, { kind: "die", colour: "green", service: "backend" });
      if (looks === 30) each.world = happen(each.world, { kind: "healAll" });
    };
    expect(await walk(it, options)).toMatchObject({ outcome: "reached" });
    expect(it.notes.some((note) => note.startsWith("waiting for the pods"))).toBe(true);
  });

  it("ends when an up is refused twice alike, with the file at what is live", async () => {
    const it = new WalkWorld();
    const up = it.up.bind(it);
    it.up = async () =>
      it.file.candidateTraffic === 50 ? { succeeded: false, reason: "the disk is full", seconds: 1 } : await up();
    const result = await walk(it, options);
    expect(result).toMatchObject({ outcome: "refused", reason: "the disk is full", live: 10 });
    expect(result.steps.at(1)).toMatchObject({ from: 10, to: 50, outcome: "refused" });
    expect(it.left).toMatchObject({ live: 10, written: 10 });
  });

  it("tries a step again when only the gate had changed its mind in between, but not for ever", async () => {
    const it = new WalkWorld();
    const up = it.up.bind(it);
    let refusals = 0;
    it.gate = (live, seconds) =>
      live === 10 && refusals > 0 && seconds % 2 === 0 ? passes : live === 10 && refusals > 0 ? holds : passes;
    it.up = async () => {
      if (it.file.candidateTraffic !== 50) return await up();
      refusals++;
      return { succeeded: false, reason: "gate: hold", seconds: 1 };
    };
    const result = await walk(it, options);
    expect(result).toMatchObject({ outcome: "refused", reason: "gate: hold", live: 10 });
    expect(refusals).toBeLessThanOrEqual(3);
  });

  it("leaves the lower of the two weights when it is stopped, and says how to go on", async () => {
    const it = new WalkWorld();
    const up = it.up.bind(it);
    it.up = async () => {
      if (it.file.candidateTraffic !== 50) return await up();
      it.stopped = "SIGINT";
      return { succeeded: false, reason: "interrupted", seconds: 1 };
    };
    const result = await walk(it, options);
    expect(result).toMatchObject({ outcome: "stopped", reason: "SIGINT", live: 10 });
    expect(result.next).toBe("golive rollout resume goes on from here");
    expect(it.left).toMatchObject({ live: 10, written: 10 });
  });

  it("ends when its steps are undone behind its back, instead of taking them for ever", async () => {
    const it = new WalkWorld();
    it.up = async () => ({ succeeded: true, reason: "", seconds: 1 });
    expect(await walk(it, options)).toMatchObject({
      ...{ outcome: "refused", live: 0, reason: "pulumi up took the step 0 -> 10, and 0 % is live" },
    });
  });

  it("waits while somebody paused it, and goes on when they resume it", async () => {
    const it = new WalkWorld();
    let looks = 0;
    it.meanwhile = (each) => {
      looks++;
      each.paused = looks > 3 && looks < 40 ? "ada (lunch)" : undefined;
    };
    expect(await walk(it, options)).toMatchObject({ outcome: "reached" });
    expect(it.notes).toContain("waiting for golive rollout resume: paused by ada (lunch)");
  });
});

describe("a driver that is killed", () => {
  const scenarios: Readonly<Record<string, () => WalkWorld>> = {
    "with a good release": () => new WalkWorld(),
    "from nothing": () => new WalkWorld(nothing),
    "with a new release": () => new WalkWorld(standing, { releases: { blue: "r1", green: "r3" } }),
    "with a release that fails at 50": () => {
      const it = new WalkWorld();
      it.gate = (live) => (live >= 50 ? fails : passes);
      return it;
    },
  };
  const counts = (each: WalkWorld) => {
    const { told, ...rest } = each.left;
    // A trip's text holds the number of the write before it.
    return { ...rest, told: told && { ...told, acknowledged: told.acknowledged !== undefined, corrected: undefined } };
  };

  it.each(Object.keys(scenarios))("at any await, and started again, ends as if undisturbed: %s", async (name) => {
    const make = scenarios[name];
    if (!make) throw new Error(name);
    const undisturbed = make();
    await walk(undisturbed, options);
    const expected = counts(undisturbed);
    let kills = 0;
    for (const [call, what] of undisturbed.calls.entries()) {
      const middles = what.startsWith("up")
        ? [0, 1, 2, 3, 4, 5, 6].flatMap((after) => [true, false].map((routeFirst) => ({ after, routeFirst })))
        : [];
      for (const when of ["before", "after", ...middles] satisfies Kill["when"][]) {
        const it = make();
        it.kill = { call, when };
        await walkThrough(it);
        expect(counts(it), `killed at ${call} (${what}), ${JSON.stringify(when)}`).toEqual(expected);
        kills++;
      }
    }
    expect(kills).toBeGreaterThan(30);
  });

  it("leaves the lower of the two weights live, wherever it dies on the way up", async () => {
    const undisturbed = new WalkWorld();
    await walk(undisturbed, options);
    for (const call of undisturbed.calls.keys()) {
      const it = new WalkWorld();
      it.kill = { call, when: "before" };
      await expect(walk(it, options)).rejects.toThrow();
      expect(it.live).toBeLessThanOrEqual(it.file.candidateTraffic);
    }
  });
});
