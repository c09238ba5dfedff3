import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rungAt, soakLeft, soakSeconds } from "../../rollout/gate/soak.ts";
import { Ladder } from "../../rollout/ladder.ts";

function ladderOf(text: string): Ladder {
  const ladder = Ladder.parse(text);
  if (!(ladder instanceof Ladder)) throw new Error(ladder.join("; "));
  return ladder;
}

const ladder = ladderOf("10/15,50/20,100/30");
const steppedAt = 1_000_000;
const soaking = { ladder, percent: 10, steppedAt, at: steppedAt, speed: 1 };
const minutes = (count: number) => count * 60;

describe("the soak of a rung", () => {
  it.each([
    ["begins with the step", 0, minutes(15)],
    ["goes on by the cluster's clock", minutes(4), minutes(11)],
    ["is over to the second", minutes(15), 0],
    ["stays over", minutes(600), 0],
  ])("%s", (_, passed, left) => {
    expect(soakLeft({ ...soaking, at: steppedAt + passed })).toBe(left);
  });

  it.each([
    ["no traffic: nothing soaks", 0, undefined, 0],
    ["a hand edit below the first rung is on the first", 3, 10, minutes(15)],
    ["between two rungs it is on the lower one", 30, 10, minutes(15)],
    ["on the second", 50, 50, minutes(20)],
    ["at the top", 100, 100, minutes(30)],
  ])("is that of the rung that the live weight has reached: %s", (_, percent, rung, seconds) => {
    expect(rungAt(ladder, percent)?.percent).toBe(rung);
    expect(soakSeconds({ ladder, percent, speed: 1 })).toBe(seconds);
  });

  it("passes faster in a rehearsal", () => {
    expect(soakLeft({ ...soaking, speed: 15 })).toBe(60);
  });

  it("is not over for a route of which nobody knows when it was written", () => {
    expect(soakLeft({ ...soaking, steppedAt: undefined, at: steppedAt + minutes(600) })).toBe(minutes(15));
    expect(soakLeft({ ...soaking, at: Number.NaN })).toBe(minutes(15));
  });

  it("never lasts longer than the ladder says, whatever the clocks say, and never goes back up", () => {
    const moment = fc.integer({ min: 0, max: 4_000_000_000 });
    fc.assert(
      fc.property(moment, moment, fc.integer({ min: 0, max: 10_000 }), (since, at, later) => {
        const left = soakLeft({ ...soaking, steppedAt: since, at });
        expect(left).toBeGreaterThanOrEqual(0);
        expect(left).toBeLessThanOrEqual(minutes(15));
        expect(soakLeft({ ...soaking, steppedAt: since, at: at + later })).toBeLessThanOrEqual(left);
      }),
    );
  });
});
