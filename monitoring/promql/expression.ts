import type { Clock } from "../clock.ts";
import type { Metric, MetricType } from "../metrics/metric.ts";

/** An instant vector or a scalar, written in PromQL once it is known how fast its clock runs. `L`: the labels that its series have. */
export class Vector<L extends string> {
  readonly labels: readonly L[];
  /** The metrics it is made of, for whoever asks what a rule depends on. */
  readonly metrics: readonly Metric[];
  readonly #write: (clock: Clock) => string;

  constructor(labels: readonly L[], metrics: readonly Metric[], write: (clock: Clock) => string) {
    this.labels = labels;
    this.metrics = metrics;
    this.#write = write;
  }

  promql(clock: Clock): string {
    return this.#write(clock);
  }
}

/** A number: a constant, a duration on the clock (`seconds`), or `time()`. */
export type Scalar = number | Duration | "time()";

/** Seconds that a rule compares with; its clock scales them. */
export interface Duration {
  readonly seconds: number;
}

export type Matcher = string | { readonly not: string } | { readonly like: string } | { readonly unlike: string };
/** What a selector asks of labels: a value, `{not}`, or a regular expression that must match the whole value: `{like}`, `{unlike}`. */
export type Matchers<L extends string> = { readonly [K in L]?: Matcher };

/** The matchers that were given, and an error for those of labels that are not there. */
type Asked<L extends string, M> = M & { readonly [K in Exclude<keyof M, L>]: never };
/** Labels that matchers ask for by value. */
type Fixed<M> = { readonly [K in keyof M]-?: M[K] extends string ? K : never }[keyof M] & string;

/** Series of one metric as they are. `F`: the labels that all of them have with one value, which was asked for. */
export class Series<T extends MetricType, L extends string, F extends string = string> extends Vector<L> {
  readonly type: T;
  readonly fixed: readonly F[];
  constructor(type: T, labels: readonly L[], fixed: readonly F[], metric: Metric, write: (clock: Clock) => string) {
    super(labels, [metric], write);
    this.type = type;
    this.fixed = fixed;
  }
}

const quoted = (text: string) => JSON.stringify(text);

function matcherText(label: string, matcher: Matcher): string {
  if (typeof matcher === "string") return `${label}=${quoted(matcher)}`;
  if ("not" in matcher) return `${label}!=${quoted(matcher.not)}`;
  return "like" in matcher ? `${label}=~${quoted(matcher.like)}` : `${label}!~${quoted(matcher.unlike)}`;
}

function selector(name: string, matchers: Readonly<Record<string, Matcher | undefined>>): string {
  const parts = Object.entries(matchers).flatMap(([label, each]) =>
    each === undefined ? [] : [matcherText(label, each)],
  );
  return parts.length === 0 ? name : `${name}{${parts.join(",")}}`;
}

const isWhole = (bound: string) => /^[0-9]+$/.test(bound);

function series<T extends MetricType, L extends string, F extends string>(
  type: T,
  labels: readonly L[],
  metric: Metric,
  suffix: string,
  matchers: Readonly<Record<string, Matcher | undefined>> = {},
): Series<T, L, F> {
  // The job comes first, of itself: an exporter of another stack may have a metric of the same name.
  const { job } = metric.source;
  const all: Readonly<Record<string, Matcher | undefined>> = { ...(job === undefined ? {} : { job }), ...matchers };
  for (const [label, matcher] of Object.entries(all)) {
    if (!labels.some((each) => each === label)) throw new TypeError(`${metric.name} has no label ${label}`);
    // Prometheus 3 stores "1" as "1.0": what asks for either finds nothing in the other version.
    if (label === "le" && typeof matcher === "string" && isWhole(matcher))
      throw new TypeError(`${metric.name}: le="${matcher}" is a whole number; allowed: a bound such as 0.5, or +Inf`);
  }
  const fixed = labels.filter((label): label is L & F => typeof all[label] === "string");
  return new Series(type, labels, fixed, metric, () => selector(`${metric.name}${suffix}`, all));
}

/** Series of a gauge or a counter. */
export const of = <T extends "counter" | "gauge", L extends string, const M extends Matchers<L> = object>(
  metric: Metric<T, L>,
  matchers?: Asked<L, M>,
): Series<T, L, Fixed<M>> => series(metric.type, metric.labels, metric, "", matchers);

/** The buckets of a histogram: counters with one label more, `le`. */
export const buckets = <L extends string, const M extends Matchers<L | "le"> = object>(
  metric: Metric<"histogram", L>,
  matchers?: Asked<L | "le", M>,
): Series<"counter", L | "le", Fixed<M>> =>
  series("counter", [...metric.labels, "le" as const], metric, "_bucket", matchers);

/** How many values a histogram has seen. */
export const count = <L extends string, const M extends Matchers<L> = object>(
  metric: Metric<"histogram", L>,
  matchers?: Asked<L, M>,
): Series<"counter", L, Fixed<M>> => series("counter", metric.labels, metric, "_count", matchers);

/** The sum of the values that a histogram has seen. */
export const sum = <L extends string, const M extends Matchers<L> = object>(
  metric: Metric<"histogram", L>,
  matchers?: Asked<L, M>,
): Series<"counter", L, Fixed<M>> => series("counter", metric.labels, metric, "_sum", matchers);

const overTime =
  (name: string) =>
  <L extends string>(vector: Vector<L>, seconds: number): Vector<L> =>
    new Vector(
      vector.labels,
      vector.metrics,
      (clock) => `${name}(${vector.promql(clock)}[${clock.duration(seconds)}])`,
    );

type OfCounter = <L extends string>(counter: Series<"counter", L>, seconds: number) => Vector<L>;
type OfGauge = <L extends string>(gauge: Series<"gauge", L>, seconds: number) => Vector<L>;

/** Per second, over a window of real seconds. */
export const rate: OfCounter = overTime("rate");
export const increase: OfCounter = overTime("increase");
export const maxOverTime: OfGauge = overTime("max_over_time");
export const minOverTime: OfGauge = overTime("min_over_time");
export const avgOverTime: OfGauge = overTime("avg_over_time");
export const sumOverTime: OfGauge = overTime("sum_over_time");
export const countOverTime: OfGauge = overTime("count_over_time");
export const changes: OfGauge = overTime("changes");
export const deriv: OfGauge = overTime("deriv");

/** The value of a gauge below which it was for this share of the window, 0 to 1. */
export const quantileOverTime = <L extends string>(q: number, gauge: Series<"gauge", L>, window: number): Vector<L> =>
  new Vector(
    gauge.labels,
    gauge.metrics,
    (clock) => `quantile_over_time(${q}, ${gauge.promql(clock)}[${clock.duration(window)}])`,
  );

/** What a gauge will be `ahead` real seconds from now when it goes on as in the window. */
export const predictLinear = <L extends string>(gauge: Series<"gauge", L>, window: number, ahead: number): Vector<L> =>
  new Vector(
    gauge.labels,
    gauge.metrics,
    (clock) => `predict_linear(${gauge.promql(clock)}[${clock.duration(window)}], ${clock.seconds(ahead)})`,
  );

const aggregate =
  (name: string) =>
  <L extends string, const K extends L>(labels: readonly K[], vector: Vector<L>): Vector<K> =>
    new Vector(labels, vector.metrics, (clock) => `${name} by (${labels.join(", ")}) (${vector.promql(clock)})`);

/** Aggregations keep the labels that are named and no others: naming one that is lost already does not compile. */
export const sumBy = aggregate("sum");
export const maxBy = aggregate("max");
export const minBy = aggregate("min");
export const avgBy = aggregate("avg");
export const countBy = aggregate("count");

/** A quantile, 0 to 1, of buckets that were rated and summed with `le`. */
export const quantile = <L extends string>(q: number, vector: Vector<L | "le">): Vector<Exclude<L, "le">> => {
  if (!(q >= 0 && q <= 1)) throw new RangeError(`quantile: got ${q}; allowed: 0 to 1`);
  if (!vector.labels.includes("le")) throw new TypeError("quantile: the buckets have lost their label le");
  return new Vector(
    vector.labels.filter((label): label is Exclude<L, "le"> => label !== "le"),
    vector.metrics,
    (clock) => `histogram_quantile(${q}, ${vector.promql(clock)})`,
  );
};

const scalarText = (value: Scalar, clock: Clock): string => {
  if (value === "time()") return value;
  const number = typeof value === "number" ? value : clock.seconds(value.seconds);
  if (!Number.isFinite(number)) throw new RangeError(`a rule compares with ${number}; allowed: finite numbers`);
  return String(number);
};

const side = (value: Vector<string> | Scalar, clock: Clock): string =>
  value instanceof Vector ? `(${value.promql(clock)})` : scalarText(value, clock);

const metricsIn = (...sides: readonly (Vector<string> | Scalar)[]) =>
  sides.flatMap((each) => (each instanceof Vector ? each.metrics : []));

const withScalar =
  (operator: string) =>
  <L extends string>(vector: Vector<L>, scalar: Scalar): Vector<L> =>
    new Vector(
      vector.labels,
      vector.metrics,
      (clock) => `${side(vector, clock)} ${operator} ${scalarText(scalar, clock)}`,
    );

/** Comparisons keep the series for which they hold, with their value. */
export const above = withScalar(">");
export const atLeast = withScalar(">=");
export const below = withScalar("<");
export const atMost = withScalar("<=");
export const equal = withScalar("==");
export const unequal = withScalar("!=");
export const times = withScalar("*");
export const over = withScalar("/");
export const plus = withScalar("+");
export const minus = withScalar("-");

/** `scalar - vector`, such as the age of a timestamp: `from("time()", of(at))`. */
export const from = <L extends string>(scalar: Scalar, vector: Vector<L>): Vector<L> =>
  new Vector(vector.labels, vector.metrics, (clock) => `${scalarText(scalar, clock)} - ${side(vector, clock)}`);

const between =
  (operator: string) =>
  <L extends string, K extends L>(
    left: Vector<L>,
    right: Vector<K>,
    on: readonly (L & K)[] = right.labels,
  ): Vector<L> =>
    new Vector(left.labels, metricsIn(left, right), (clock) => {
      // Stated always: a label more on one side must not make the other side miss it.
      const matching = `on (${on.join(", ")})${on.length < left.labels.length ? " group_left ()" : ""}`;
      return `${side(left, clock)} ${operator} ${matching} ${side(right, clock)}`;
    });

/** Arithmetic and comparison of two vectors, matched on the right side's labels (or those of `on`). The left side's labels stay. */
export const divide = between("/");
export const multiply = between("*");
export const subtract = between("-");
export const add = between("+");
export const exceeds = between(">");
export const fallsBelow = between("<");
export const differs = between("!=");

interface SetOperation {
  /** Matched on the right side's labels. */
  <L extends string, K extends L>(left: Vector<L>, right: Vector<K>): Vector<L>;
  /** Matched on these labels alone. */
  <L extends string, K extends string>(left: Vector<L>, right: Vector<K>, on: readonly (L & K)[]): Vector<L>;
}

const setOperation =
  (operator: string): SetOperation =>
  <L extends string>(left: Vector<L>, right: Vector<string>, on: readonly string[] = right.labels): Vector<L> =>
    // Stated always, as above: with a label more on one side `and` would never hold and `unless` always.
    new Vector(
      left.labels,
      metricsIn(left, right),
      (clock) => `${side(left, clock)} ${operator} on (${on.join(", ")}) ${side(right, clock)}`,
    );

/** Series of the left side that have (`and`) or do not have (`unless`) a partner on the right. */
export const and = setOperation("and");
export const unless = setOperation("unless");

/** Series of the left side, and those of the right that have no partner there. Sure are only labels that both sides have. */
export const or = <L extends string, K extends string>(left: Vector<L>, right: Vector<K>): Vector<L & K> =>
  new Vector(
    left.labels.filter((label): label is L & K => right.labels.some((each: string) => each === label)),
    metricsIn(left, right),
    (clock) => `${side(left, clock)} or ${side(right, clock)}`,
  );

/** 1 when there is no such series; its labels are those that the selector asks for by value. */
export const absent = <F extends string>(vector: Series<MetricType, string, F>): Vector<F> =>
  new Vector(vector.fixed, vector.metrics, (clock) => `absent(${vector.promql(clock)})`);

/** 1 when there was no such series in the whole window; its labels are those that the selector asks for by value. */
export const absentOverTime = <F extends string>(vector: Series<MetricType, string, F>, seconds: number): Vector<F> =>
  new Vector(
    vector.fixed,
    vector.metrics,
    (clock) => `absent_over_time(${vector.promql(clock)}[${clock.duration(seconds)}])`,
  );

/** A constant as a vector without labels. */
export const constant = (value: number): Vector<never> => new Vector([], [], () => `vector(${value})`);
