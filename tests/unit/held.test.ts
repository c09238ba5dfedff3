import { describe, expect, it } from "vitest";
import { heldBack, isFirst, isGated } from "../../rollout/gate/held.ts";
import { assessment, failing, holding } from "../support/assessment.ts";
import { observed, told } from "../support/live.ts";

const at10 = observed({ told: told({ candidateTraffic: 10 }) });
const up = { move: "up", told: told({ candidateTraffic: 50 }) } as const;

describe("which runs wait for soak and gate", () => {
  it("steps up, also the first: somebody must be awake who would take the release back", () => {
    expect(isGated(up)).toBe(true);
  });

  it("nothing else: nobody waits on a way down or back", () => {
    for (const move of ["create", "stay", "down", "return", "roles", "retire", "ladder", "contract"] as const)
      expect(isGated({ ...up, move })).toBe(false);
  });

  it("not a way up that rescues users from a colour that cannot serve", () => {
    expect(isGated({ ...up, rescue: "blue has no ready pod" })).toBe(false);
  });
});

describe("which runs ask for the candidate's smoke tests", () => {
  it("the first step up, when nobody has used the release yet, and no other", () => {
    expect(isFirst(observed(), up)).toBe(true);
    expect(isFirst(at10, up)).toBe(false);
    expect(isFirst(observed(), { ...up, move: "stay" })).toBe(false);
    expect(isFirst(observed(), { ...up, rescue: "blue has no ready pod" })).toBe(false);
  });
});

describe("a step up", () => {
  const asked = (changes: Parameters<typeof assessment>[0], override?: string) =>
    heldBack(assessment(changes), { to: 50, override });

  it("is taken when the soak is over and the gate passes", () => {
    expect(asked({})).toBe(undefined);
  });

  const wait = "a step that cannot wait needs golive:override {percent: 50, release, reason}";

  it.each([
    [
      "until its soak is over, with what is left of it and the time when it is",
      { soakLeftSeconds: 750.2 },
      "candidateTraffic 10 -> 50 is held: 12 min 31 s of the soak of 15 min 0 s at 10 % are left",
      `try again in 12 min 31 s (2026-11-21T12:12:31Z); ${wait}`,
    ],
    [
      "while there are too few requests, and says how long it takes until there are enough",
      { verdict: holding(40) },
      "candidateTraffic 10 -> 50 is held: the gate holds: backend has 120 of 500 requests",
      `try again in 40 s (2026-11-21T12:00:40Z); ${wait}`,
    ],
    [
      "for both, until the later of the two",
      { soakLeftSeconds: 30, verdict: holding(90) },
      "candidateTraffic 10 -> 50 is held: 30 s of the soak of 15 min 0 s at 10 % are left; the gate holds: backend has 120 of 500 requests",
      `try again in 1 min 30 s (2026-11-21T12:01:30Z); ${wait}`,
    ],
    [
      "without a time where nobody knows one",
      { verdict: holding(undefined) },
      "candidateTraffic 10 -> 50 is held: the gate holds: backend has 120 of 500 requests",
      `nobody can say when to try again: first what is missing; ${wait}`,
    ],
    [
      "with the end of the soak as the earliest time where nobody knows more",
      { soakLeftSeconds: 30, verdict: holding(undefined) },
      "candidateTraffic 10 -> 50 is held: 30 s of the soak of 15 min 0 s at 10 % are left; the gate holds: backend has 120 of 500 requests",
      `try again in 30 s (2026-11-21T12:00:30Z) at the earliest; ${wait}`,
    ],
  ])("is held %s", (_, changes, reason, next) => {
    expect(asked(changes)).toEqual({ allowed: false, reason, next });
  });

  it("is refused when the gate would take the release back, whatever the soak", () => {
    expect(asked({ verdict: failing, soakLeftSeconds: 30 })).toEqual({
      allowed: false,
      reason: "candidateTraffic 10 -> 50, but the gate says rollback: 30 % of 400 requests fail",
      next: "set candidateTraffic 0",
    });
  });

  it("is let through by an override where it would only wait, never where it would be taken back", () => {
    const reason = "blue loses orders";
    expect(asked({ soakLeftSeconds: 600, verdict: holding(undefined) }, reason)).toBe(undefined);
    expect(asked({ verdict: failing }, reason)).toEqual({
      allowed: false,
      reason: "candidateTraffic 10 -> 50, but the gate says rollback: 30 % of 400 requests fail",
      next: "set candidateTraffic 0; golive:override lets no step through that the gate would roll back",
    });
  });
});
