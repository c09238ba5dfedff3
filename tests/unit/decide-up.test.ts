import { describe, expect, it } from "vitest";
import { at, blue, green, ladderOf, refused, run } from "../support/decision.ts";
import { evenRules, pods, told } from "../support/live.ts";

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
