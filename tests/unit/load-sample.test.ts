import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { colours, flagsOf, kinds, type LoadRecord, Records } from "../../local/load/records.ts";
import { failureReasons, percentile, sampleOf, settleSeconds, shareOf } from "../../local/load/sample.ts";
import { everyShare, Schedule } from "../../local/load/schedule.ts";

const record = (fields: Partial<LoadRecord>): LoadRecord => ({
  at: 0,
  ms: 1,
  ok: true,
  colour: "blue",
  kind: "page",
  ...fields,
});

/** One counted request every 10 ms; green as `isGreen` says. */
const stream = (length: number, isGreen: (index: number) => boolean): LoadRecord[] =>
  Array.from({ length }, (_, index) => record({ at: index * 10, colour: isGreen(index) ? "green" : "blue" }));

describe("records", () => {
  it("give back what was put in, in the order of sending, however many", () => {
    const anyRecord = fc.record({
      at: fc.integer({ min: 0, max: 600_000 }),
      ms: fc.integer({ min: 0, max: 10_000 }),
      ok: fc.boolean(),
      colour: fc.constantFrom(...colours),
      kind: fc.constantFrom(...kinds),
    });
    fc.assert(
      fc.property(fc.array(anyRecord, { maxLength: 3_000, size: "max" }), (all) => {
        const records = new Records();
        for (const each of all) records.add(each.at, each.ms, flagsOf(each));
        const sorted = [...all].sort((one, other) => one.at - other.at);
        expect(records.between(0, Number.POSITIVE_INFINITY)).toEqual(sorted);
        expect(records.between(1_000, 300_000)).toEqual(sorted.filter(({ at }) => at >= 1_000 && at < 300_000));
        expect(records.length).toBe(all.length);
      }),
      { numRuns: 20 },
    );
  });
});

describe("a share", () => {
  it("counts pages and API calls that a colour answered, failed ones too, and no assets", () => {
    const records = [
      record({ colour: "green" }),
      record({ colour: "green", kind: "asset" }),
      record({ colour: "green", kind: "asset" }),
      record({ colour: "blue", kind: "api" }),
      record({ colour: "blue", ok: false }),
      record({ colour: "none", ok: false }),
      record({ colour: "blue" }),
    ];
    expect(shareOf(records, "green")).toBe(25);
    expect(shareOf(records, "blue")).toBe(75);
    expect(shareOf([], "blue")).toBeNaN();
  });
});

describe("a percentile", () => {
  it.each([
    [[], 95, Number.NaN],
    [[7], 95, 7],
    [[3, 1, 2], 50, 2],
    [[1, 2, 3, 4], 50, 2],
    [[1, 2, 3, 4], 0, 1],
    [[10, 9, 8], 100, 10],
    [Array.from({ length: 100 }, (_, index) => index + 1), 95, 95],
  ])("of %j at %d is %d", (values, p, expected) => {
    expect(percentile(values, p)).toBe(expected);
  });
});

describe("settling", () => {
  const settling = { colour: "green", percent: 50, from: 0, window: 100 } as const;
  const alternating = (index: number) => index % 2 === 0;

  it("took no time when the share is right from the end of the step on", () => {
    expect(settleSeconds(stream(500, alternating), settling)).toBe(0);
    const late = stream(500, (index) => index >= 100 && alternating(index));
    expect(settleSeconds(late, { ...settling, from: 1_000 })).toBe(0);
  });

  it("took until the first window from which on every window is right", () => {
    // All blue for 2 s: the first window within 3 points of 50 holds 6 blue requests from before the change.
    const seconds = settleSeconds(
      stream(600, (index) => index >= 200 && alternating(index)),
      settling,
    );
    expect(seconds).toBeGreaterThan(1.9);
    expect(seconds).toBeLessThanOrEqual(2);
  });

  it("begins anew when the share was right, then wrong, then right", () => {
    const isGreen = (index: number) => alternating(index) && !(index >= 300 && index < 340);
    const seconds = settleSeconds(stream(800, isGreen), settling);
    expect(seconds).toBeGreaterThan(3);
    expect(seconds).toBeLessThanOrEqual(3.4);
  });

  it("is unknown while the share is wrong at the end, or too few requests were counted", () => {
    expect(
      settleSeconds(
        stream(500, (index) => index < 450 && alternating(index)),
        settling,
      ),
    ).toBeUndefined();
    expect(settleSeconds(stream(99, alternating), settling)).toBeUndefined();
    expect(settleSeconds(stream(500, alternating), { ...settling, from: 4_500 })).toBeUndefined();
  });

  it("ignores assets, and accepts exactly the tolerance", () => {
    const assets = stream(500, () => false).map((each) => ({ ...each, kind: "asset" as const }));
    const mixed = [...assets, ...stream(500, alternating)].sort((one, other) => one.at - other.at);
    expect(settleSeconds(mixed, settling)).toBe(0);
    const thirteenPercent = stream(500, (index) => index % 100 < 13);
    expect(settleSeconds(thirteenPercent, { ...settling, percent: 10 })).toBe(0);
    expect(settleSeconds(thirteenPercent, { ...settling, percent: 10, tolerance: 2.9 })).toBeUndefined();
  });

  it("finds what a plain search over all windows finds", () => {
    const slow = (records: readonly LoadRecord[], window: number): number | undefined => {
      const right = Array.from({ length: records.length - window + 1 }, (_, start) => {
        const share = shareOf(records.slice(start, start + window), "green");
        return Math.abs(share - 50) <= 3 + 1e-9;
      });
      const lastWrong = right.lastIndexOf(false);
      if (lastWrong === right.length - 1) return undefined;
      return lastWrong < 0 ? 0 : (records[lastWrong + 1]?.at ?? Number.NaN) / 1000;
    };
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 20, maxLength: 120 }), (greens) => {
        const records = stream(greens.length, (index) => greens[index] === true);
        expect(settleSeconds(records, { ...settling, window: 20 })).toBe(slow(records, 20));
      }),
    );
  });
});

describe("a sample", () => {
  it("sums up a span, and says why requests failed, most frequent first", () => {
    const records = [
      record({ ms: 10 }),
      record({ ms: 20, colour: "green", kind: "api" }),
      record({ ms: 2_000, ok: false, colour: "none" }),
    ];
    const note = { at: 5, kind: "page", colour: "none", reason: "page: slower than 2000 ms" } as const;
    const earlier = { ...note, at: 2 };
    const other = { ...note, reason: "page: status 500" };
    const { records: kept, ...rest } = sampleOf({ from: 0, to: 100 }, records, [other, note, earlier]);
    expect(kept).toBe(records);
    expect(rest).toEqual({
      from: 0,
      to: 100,
      requests: 3,
      failed: 1,
      failures: [
        { reason: note.reason, count: 2, first: { at: 2, kind: "page", colour: "none" } },
        { reason: other.reason, count: 1, first: { at: 5, kind: "page", colour: "none" } },
      ],
      counted: { blue: 1, green: 1 },
      share: { blue: 50, green: 50 },
      p50Ms: 20,
      p95Ms: 2_000,
      p99Ms: 2_000,
    });
  });

  it("lists at most ten reasons", () => {
    const notes = Array.from({ length: 30 }, (_, index) => ({
      at: index,
      kind: "api" as const,
      colour: "blue",
      reason: `reason ${index % 15}`,
    }));
    expect(failureReasons(notes)).toHaveLength(10);
  });
});

describe("the schedule", () => {
  it("makes up what a late tick missed, and gives exactly what was asked for in the end", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1, max: 170, noNaN: true }),
        fc.integer({ min: 1, max: 60 }),
        fc.array(fc.integer({ min: 0, max: 5_000 }), { maxLength: 50 }),
        (perSecond, seconds, pauses) => {
          const schedule = new Schedule(perSecond, seconds);
          let [now, given] = [0, 0];
          for (const pause of pauses) {
            now += pause;
            given += schedule.due(now);
            expect(given).toBe(Math.min(schedule.total, Math.floor((now / 1000) * perSecond) + 1));
          }
          given += schedule.due(seconds * 1000);
          expect(given).toBe(Math.floor(perSecond * seconds));
          expect(schedule.isOver).toBe(true);
        },
      ),
    );
  });

  it("spreads a share evenly", () => {
    for (const share of [0, 0.2, 0.5, 1]) {
      const next = everyShare(share);
      const taken = Array.from({ length: 1_000 }, next).filter(Boolean).length;
      expect(taken).toBe(share * 1_000);
    }
  });
});
