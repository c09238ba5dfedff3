import { describe, expect, it } from "vitest";
import { Clock } from "../../monitoring/clock.ts";
import {
  above,
  absent,
  absentOverTime,
  and,
  buckets,
  constant,
  count,
  divide,
  equal,
  maxOverTime,
  of,
  or,
  quantile,
  rate,
  sumBy,
  unless,
} from "../../monitoring/promql/expression.ts";
import { kinds, pods, printed, queue, seen, served, up, wait } from "../support/promql-forms.ts";

const real = new Clock();
const hurried = new Clock(15);

describe("an expression", () => {
  it.each(printed)("prints %s", (_, vector, inRealTime, atFifteen = inRealTime) => {
    expect({ inRealTime: vector.promql(real), atFifteen: vector.promql(hurried) }).toEqual({ inRealTime, atFifteen });
  });

  it("knows each metric that it is made of", () => {
    const all = or(and(divide(rate(of(served), 60), kinds), of(up)), absent(of(seen)));
    expect(all.metrics).toEqual([served, queue, up, seen]);
  });

  it("keeps the labels that its series have, and no others", () => {
    const labels = {
      selector: of(queue).labels,
      buckets: buckets(wait).labels,
      quantile: quantile(0.5, rate(buckets(wait), 60)).labels,
      sum: pods.labels,
      share: divide(pods, kinds).labels,
      both: and(pods, kinds).labels,
      either: or(pods, kinds).labels,
      constant: constant(1).labels,
    };
    expect(labels).toEqual({
      selector: ["kind", "job", "pod"],
      buckets: ["kind", "job", "pod", "le"],
      quantile: ["kind", "job", "pod"],
      sum: ["kind", "pod"],
      share: ["kind", "pod"],
      both: ["kind", "pod"],
      either: ["kind"],
      constant: [],
    });
  });

  it("gives what is absent the labels that were asked for by value", () => {
    const labels = {
      ofItsJob: absent(of(queue)).labels,
      byValue: absent(of(queue, { kind: "bread", pod: { like: "a.*" } })).labels,
      anyJob: absentOverTime(of(up), 60).labels,
      otherJob: absent(of(queue, { job: { not: "shop" } })).labels,
      either: or(equal(of(queue), 0), absent(of(queue, { kind: "bread" }))).labels,
    };
    expect(labels).toEqual({
      ofItsJob: ["job"],
      byValue: ["kind", "job"],
      anyJob: [],
      otherJob: [],
      either: ["kind", "job"],
    });
  });
});

describe("an expression is refused", () => {
  it.each<[string, () => unknown, string]>([
    // Not what a type can see: names that come from elsewhere.
    ["with a label that is not there", () => of(queue, { color: "blue" } as object), "queue has no label color"],
    [
      "with a bound that versions write differently",
      () => buckets(wait, { le: "1" }),
      'wait_seconds: le="1" is a whole number; allowed: a bound such as 0.5, or +Inf',
    ],
    ["with a quantile in percent", () => quantile(95, rate(buckets(wait), 60)), "quantile: got 95; allowed: 0 to 1"],
    [
      "with a quantile of what has no buckets",
      () => quantile<"kind">(0.95, sumBy(["kind"], rate(buckets(wait), 60))),
      "quantile: the buckets have lost their label le",
    ],
    [
      "with a number that is none",
      () => above(of(up), Number.NaN).promql(real),
      "a rule compares with NaN; allowed: finite numbers",
    ],
  ])("%s", (_, make, message) => {
    expect(make).toThrow(message);
  });

  it("by the compiler, where it cannot mean anything", () => {
    // Never run: the compiler reads it, and fails where one of these would compile.
    const misuse = () => [
      // @ts-expect-error a gauge has no rate
      rate(of(queue), 60),
      // @ts-expect-error a counter's maximum means nothing
      maxOverTime(of(served), 60),
      // @ts-expect-error a histogram is no series
      of(wait),
      // @ts-expect-error a counter has no buckets
      buckets(served),
      // @ts-expect-error a rate is no series to rate again
      rate(rate(of(served), 60), 60),
      // @ts-expect-error sums are no series to rate
      rate(sumBy(["kind"], of(served)), 60),
      // @ts-expect-error the metric has no such label
      of(queue, { color: "blue" }),
      // @ts-expect-error one of the labels is not the metric's
      of(queue, { kind: "bread", color: "blue" }),
      // @ts-expect-error there is no such matcher
      of(queue, { kind: { matches: "b.*" } }),
      // @ts-expect-error only buckets have le
      count(wait, { le: "0.5" }),
      // @ts-expect-error the label was lost
      sumBy(["pod"], kinds),
      // @ts-expect-error the quantile takes le away
      sumBy(["le"], quantile(0.5, rate(buckets(wait), 60))),
      // @ts-expect-error the right side has a label more
      divide(kinds, pods),
      // @ts-expect-error one side has no such label
      divide(pods, kinds, ["pod"]),
      // @ts-expect-error the right side has a label more, and none is named
      and(kinds, pods),
      // @ts-expect-error one side has no such label
      unless(kinds, pods, ["pod"]),
      // @ts-expect-error only one side has the label
      sumBy(["pod"], or(pods, kinds)),
      // @ts-expect-error what is absent has no label that was not asked for by value
      sumBy(["pod"], absent(of(up, { job: "shop" }))),
      // @ts-expect-error absence is asked of series
      absent(kinds),
      // @ts-expect-error a text is no number
      above(of(queue), "3"),
    ];
    expect(misuse).toBeTypeOf("function");
  });
});

describe("a clock", () => {
  it("prints a duration in its largest whole unit", () => {
    const durations = [0.4, 1, 90, 300, 3600, 5400, 86_400, 90_000].map((each) => real.duration(each));
    expect(durations).toEqual(["400ms", "1s", "90s", "5m", "1h", "90m", "1d", "25h"]);
  });

  it("scales durations and seconds alike, never to nothing", () => {
    const scaled = [hurried.duration(300), hurried.seconds(300), hurried.duration(0), hurried.seconds(0)];
    expect(scaled).toEqual(["20s", 20, "1ms", 0.001]);
  });

  it.each([0, 0.5, Number.NaN, Number.POSITIVE_INFINITY])("refuses the speed %d", (speed) => {
    expect(() => new Clock(speed)).toThrow(`speed: got ${speed}; allowed: 1 or more`);
  });
});
