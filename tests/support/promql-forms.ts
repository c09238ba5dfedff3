import { Clock, days, hours, minutes } from "../../monitoring/clock.ts";
import { metricsOf } from "../../monitoring/metrics/metric.ts";
import {
  above,
  absent,
  absentOverTime,
  add,
  and,
  atLeast,
  atMost,
  avgBy,
  avgOverTime,
  below,
  buckets,
  changes,
  constant,
  count,
  countBy,
  countOverTime,
  deriv,
  differs,
  divide,
  equal,
  exceeds,
  fallsBelow,
  from,
  increase,
  maxBy,
  maxOverTime,
  minBy,
  minOverTime,
  minus,
  multiply,
  of,
  or,
  over,
  plus,
  predictLinear,
  quantile,
  rate,
  subtract,
  sum,
  sumBy,
  times,
  unequal,
  unless,
  type Vector,
} from "../../monitoring/promql/expression.ts";

/** A shop whose metrics the forms below are made of. */
const shop = metricsOf({ exporter: "shop 1", job: "shop", targetLabels: ["job", "pod"] });
export const served = shop.counter("served_total", { unit: "1", help: "Served.", labels: ["kind"] });
export const wait = shop.histogram("wait_seconds", { unit: "seconds", help: "Waited.", labels: ["kind"] });
export const queue = shop.gauge("queue", { unit: "1", help: "Waiting.", labels: ["kind"] });
export const seen = shop.gauge("seen_timestamp_seconds", { unit: "timestamp", help: "Seen." });
const anyJob = metricsOf({ exporter: "any", job: undefined, targetLabels: ["job", "pod"] });
export const up = anyJob.gauge("up", { unit: "0/1", help: "Up." });

export const kinds = sumBy(["kind"], of(queue));
export const pods = sumBy(["kind", "pod"], of(queue));

/** Every form that an expression can have: its text in real time, and at fifteen times the pace where that differs. */
export const printed: readonly [string, Vector<string>, string, string?][] = [
  ["a selector", of(queue), 'queue{job="shop"}'],
  ["a metric of several jobs", of(up), "up"],
  ["a job that is asked for", of(up, { job: "shop" }), 'up{job="shop"}'],
  ["another job than the metric's own", of(queue, { job: { like: "shop|stall" } }), 'queue{job=~"shop|stall"}'],
  ["a label that is not a value", of(queue, { kind: { not: "bread" } }), 'queue{job="shop",kind!="bread"}'],
  ["a label that is like", of(queue, { kind: { like: "b.*" } }), 'queue{job="shop",kind=~"b.*"}'],
  ["a label that is unlike", of(queue, { kind: { unlike: "b.*" } }), 'queue{job="shop",kind!~"b.*"}'],
  ["a value to be escaped", of(queue, { kind: 'a"b\\c\n' }), 'queue{job="shop",kind="a\\"b\\\\c\\n"}'],
  ["buckets", buckets(wait, { le: "0.5" }), 'wait_seconds_bucket{job="shop",le="0.5"}'],
  ["the last bucket", buckets(wait, { le: "+Inf" }), 'wait_seconds_bucket{job="shop",le="+Inf"}'],
  ["a count", count(wait, { kind: "bread" }), 'wait_seconds_count{job="shop",kind="bread"}'],
  ["a sum", sum(wait, { kind: "bread" }), 'wait_seconds_sum{job="shop",kind="bread"}'],

  ["a rate", rate(of(served), minutes(5)), 'rate(served_total{job="shop"}[5m])', 'rate(served_total{job="shop"}[20s])'],
  [
    "an increase",
    increase(of(served), hours(1)),
    'increase(served_total{job="shop"}[1h])',
    'increase(served_total{job="shop"}[4m])',
  ],
  ["a maximum", maxOverTime(of(up), days(1)), "max_over_time(up[1d])", "max_over_time(up[96m])"],
  ["a minimum", minOverTime(of(up), 90), "min_over_time(up[90s])", "min_over_time(up[6s])"],
  ["a mean", avgOverTime(of(up), 1), "avg_over_time(up[1s])", "avg_over_time(up[67ms])"],
  ["a number of samples", countOverTime(of(up), 15), "count_over_time(up[15s])", "count_over_time(up[1s])"],
  ["changes", changes(of(up), minutes(10)), "changes(up[10m])", "changes(up[40s])"],
  ["a slope", deriv(of(up), minutes(10)), "deriv(up[10m])", "deriv(up[40s])"],
  [
    "a prediction",
    predictLinear(of(up), hours(6), days(4)),
    "predict_linear(up[6h], 345600)",
    "predict_linear(up[24m], 23040)",
  ],

  ["a sum by labels", kinds, 'sum by (kind) (queue{job="shop"})'],
  ["a sum of all", sumBy([], of(up)), "sum by () (up)"],
  ["a greatest", maxBy(["pod"], of(up)), "max by (pod) (up)"],
  ["a least", minBy(["pod"], of(up)), "min by (pod) (up)"],
  ["an average", avgBy(["pod"], of(up)), "avg by (pod) (up)"],
  ["a number of series", countBy(["job"], of(up)), "count by (job) (up)"],
  [
    "a quantile",
    quantile(0.95, sumBy(["kind", "le"], rate(buckets(wait), minutes(5)))),
    'histogram_quantile(0.95, sum by (kind, le) (rate(wait_seconds_bucket{job="shop"}[5m])))',
    'histogram_quantile(0.95, sum by (kind, le) (rate(wait_seconds_bucket{job="shop"}[20s])))',
  ],

  ["above", above(of(up), 0.5), "(up) > 0.5"],
  ["at least", atLeast(of(up), 1), "(up) >= 1"],
  ["below", below(of(up), 1), "(up) < 1"],
  ["at most", atMost(of(up), 1), "(up) <= 1"],
  ["equal", equal(of(up), 0), "(up) == 0"],
  ["unequal", unequal(of(up), 0), "(up) != 0"],
  ["times", times(of(up), 100), "(up) * 100"],
  ["over", over(of(up), 1000), "(up) / 1000"],
  ["plus", plus(of(up), -1), "(up) + -1"],
  ["minus", minus(of(up), 1), "(up) - 1"],
  ["an age", from("time()", of(seen)), 'time() - (seen_timestamp_seconds{job="shop"})'],
  ["what is left of 1", from(1, of(up)), "1 - (up)"],
  ["more than a duration", above(of(up), { seconds: hours(26) }), "(up) > 93600", "(up) > 6240"],
  ["later than now", above(of(up), "time()"), "(up) > time()"],

  [
    "a share within the same labels",
    divide(kinds, above(kinds, 0)),
    '(sum by (kind) (queue{job="shop"})) / on (kind) ((sum by (kind) (queue{job="shop"})) > 0)',
  ],
  [
    "a share of what has fewer labels",
    divide(pods, kinds),
    '(sum by (kind, pod) (queue{job="shop"})) / on (kind) group_left () (sum by (kind) (queue{job="shop"}))',
  ],
  [
    "a share of the whole",
    divide(kinds, sumBy([], of(queue))),
    '(sum by (kind) (queue{job="shop"})) / on () group_left () (sum by () (queue{job="shop"}))',
  ],
  ["a product by named labels", multiply(of(up), of(up), ["pod"]), "(up) * on (pod) group_left () (up)"],
  ["a difference", subtract(of(up), of(up)), "(up) - on (job, pod) (up)"],
  ["a total", add(of(up), of(up)), "(up) + on (job, pod) (up)"],
  ["one that exceeds another", exceeds(of(up), of(up)), "(up) > on (job, pod) (up)"],
  ["one that falls below another", fallsBelow(of(up), of(up)), "(up) < on (job, pod) (up)"],
  ["one that differs from another", differs(of(up), of(up)), "(up) != on (job, pod) (up)"],

  ["both", and(above(of(up), 0), of(up)), "((up) > 0) and on (job, pod) (up)"],
  [
    "both, by what the right side has",
    and(pods, kinds),
    '(sum by (kind, pod) (queue{job="shop"})) and on (kind) (sum by (kind) (queue{job="shop"}))',
  ],
  ["both, by named labels", and(kinds, pods, ["kind"]), `(${text(kinds)}) and on (kind) (${text(pods)})`],
  ["one without the other", unless(of(up), of(up), ["pod"]), "(up) unless on (pod) (up)"],
  ["one or another", or(equal(of(up), 0), absent(of(up))), "((up) == 0) or (absent(up))"],
  ["absence", absent(of(up, { job: "shop" })), 'absent(up{job="shop"})'],
  ["long absence", absentOverTime(of(up), minutes(5)), "absent_over_time(up[5m])", "absent_over_time(up[20s])"],
  ["a constant", constant(1), "vector(1)"],
];

function text(vector: Vector<string>): string {
  return vector.promql(new Clock());
}
