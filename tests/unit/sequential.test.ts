import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Ended, Sequential, type Tick } from "../../rollout/gate/sequential.ts";
import { thresholds } from "../support/gate.ts";

const ended = (requests: number, errors = 0): Ended => ({ requests, errors });
/** A second at a tenth: 150 requests to the candidate, 1,350 to stable. */
const second = (errors: number, ofStable = 1): Tick => ({
  seconds: 1,
  candidate: ended(150, errors),
  stable: ended(1350, ofStable),
});
const quiet = second(0);

/** How many ticks it takes, one after the other; undefined: more than there are. */
function trippedAt(test: Sequential, ticks: readonly Tick[]): number | undefined {
  const index = ticks.findIndex((tick) => test.take(tick) === "rollback");
  return index < 0 ? undefined : index + 1;
}
const times = (count: number, ...ticks: readonly Tick[]) => Array.from({ length: count }, () => ticks).flat();

describe("a release that fails plainly", () => {
  it.each([
    ["30 % of it", times(60, second(45)), 3],
    ["all of it", times(60, second(150)), 3],
    ["10 % of it", times(60, second(15)), 8],
    ["5 % of it", times(60, second(8)), 21],
    ["30 %, half a second each look", times(60, { seconds: 0.5, candidate: ended(75, 23), stable: ended(675, 1) }), 5],
    ["30 % of 3 requests a second", times(400, { seconds: 1, candidate: ended(3, 1), stable: ended(27) }), 37],
  ])("is ended: %s", (_, ticks, within) => {
    expect(trippedAt(new Sequential(thresholds), [...times(3600, quiet), ...ticks])).toBe(3600 + within);
  });

  it("says what was counted since it began, not since the release did", () => {
    const test = new Sequential(thresholds);
    trippedAt(test, [...times(600, quiet), ...times(3, second(45))]);
    expect(test.reason).toBe("in 3 s 135 of 450 requests to the candidate failed, and 3 of 4,050 to stable");
  });
});

describe("no release is ended", () => {
  it.each([
    ["for a second in which all of it fails", times(100, ...times(60, quiet), second(150))],
    [
      "for a burst that a long look shows at once",
      times(100, ...times(60, quiet), { seconds: 30, candidate: ended(4500, 4500), stable: ended(40_500, 9) }),
    ],
    ["for 1 %, which a canary may have", times(3600, second(1), second(2))],
    ["for what stable suffers as well", times(3600, second(75, 675))],
    [
      "for a shared fault that ends for stable a second before it does for the candidate",
      times(50, ...times(60, second(150, 1350)), ...times(1, second(150)), ...times(30, quiet)),
    ],
    [
      "with all traffic on it: there is nothing to compare with",
      times(3600, { seconds: 1, candidate: ended(1500, 1500), stable: ended(0) }),
    ],
    ["for failures of stable", times(3600, second(0, 600))],
    ["without any requests", times(3600, { seconds: 1, candidate: ended(0), stable: ended(0) })],
  ])("%s", (_, ticks) => {
    expect(trippedAt(new Sequential(thresholds), ticks)).toBeUndefined();
  });

  it.each([
    ["no time passed", { ...second(150), seconds: 0 }],
    ["time went back", { ...second(150), seconds: -1 }],
    ["a counter went back", { ...second(0), candidate: ended(-150, -150) }],
    ["more failed than ended", { ...second(0), candidate: ended(10, 20) }],
    ["a number is none", { ...second(150), stable: ended(Number.NaN) }],
    ["a number is infinite", { ...second(150), candidate: ended(Number.POSITIVE_INFINITY, 10) }],
  ])("by a look that measured nothing: %s", (_, tick) => {
    const test = new Sequential(thresholds);
    expect(trippedAt(test, times(100, tick))).toBeUndefined();
    // Nor does it forget what was known.
    expect([second(45), second(45), tick, second(45)].map((each) => test.take(each))).toEqual([
      "continue",
      "continue",
      "continue",
      "rollback",
    ]);
  });

  it("for what was counted before it was reset", () => {
    const test = new Sequential(thresholds);
    trippedAt(test, times(10, second(150)));
    test.reset();
    expect(trippedAt(test, times(2, second(150)))).toBeUndefined();
  });
});

describe("whatever is counted, the test", () => {
  const end = fc
    .record({ requests: fc.nat(2000), part: fc.double({ min: 0, max: 1, noNaN: true }) })
    .map(({ requests, part }) => ended(requests, Math.floor(requests * part)));
  const tick = fc.record({ seconds: fc.constantFrom(0.5, 1, 2, 30), candidate: end, stable: end });

  it("ends no release whose requests fail no more often than stable's", () => {
    const shared = tick.map(({ seconds, candidate, stable }) => {
      const ratio = candidate.requests === 0 ? 0 : candidate.errors / candidate.requests;
      return { seconds, candidate, stable: ended(stable.requests, Math.ceil(stable.requests * ratio)) };
    });
    fc.assert(
      fc.property(fc.array(shared, { maxLength: 200 }), (ticks) => {
        expect(trippedAt(new Sequential(thresholds), ticks)).toBeUndefined();
      }),
    );
  });

  it("needs more than one look, whatever was in it", () => {
    fc.assert(
      fc.property(tick, (one) => {
        expect(trippedAt(new Sequential(thresholds), [...times(10, quiet), one])).toBeUndefined();
      }),
    );
  });

  it("ends a release no later for failing more", () => {
    fc.assert(
      fc.property(fc.array(tick, { maxLength: 60 }), fc.nat(100), (ticks, more) => {
        const worse = ticks.map((each) => ({
          ...each,
          candidate: ended(each.candidate.requests, Math.min(each.candidate.requests, each.candidate.errors + more)),
        }));
        const late = (of: readonly Tick[]) => trippedAt(new Sequential(thresholds), of) ?? Number.POSITIVE_INFINITY;
        expect(late(worse)).toBeLessThanOrEqual(late(ticks));
      }),
    );
  });
});
