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

/** Series of one metric as they are. Counters and histograms are no vectors until `rate` or `increase` made one of them. */
export class Series<T extends MetricType, L extends string> extends Vector<L> {
  readonly type: T;
  constructor(type: T, labels: readonly L[], metric: Metric, write: (clock: Clock) => string) {
    super(labels, [metric], write);
    this.type = type;
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

function series<T extends MetricType, L extends string>(
  type: T,
  labels: readonly L[],
  metric: Metric,
  suffix: string,
  matchers: Matchers<L>,
): Series<T, L> {
  for (const label of Object.keys(matchers))
    if (!labels.some((each) => each === label)) throw new TypeError(`${metric.name} has no label ${label}`);
  // The job comes first, of itself: an exporter of another stack may have a metric of the same name.
  const { job } = metric.source;
  const all: Readonly<Record<string, Matcher | undefined>> = { ...(job === undefined ? {} : { job }), ...matchers };
  return new Series(type, labels, metric, () => selector(`${metric.name}${suffix}`, all));
}

/** Series of a gauge or a counter. */
export function of<T extends "counter" | "gauge", L extends string>(metric: Metric<T, L>, matchers: Matchers<L> = {}) {
  return series<T, L>(metric.type, metric.labels, metric, "", matchers);
}

/** The buckets of a histogram: counters with one label more, `le`. */
export const buckets = <L extends string>(metric: Metric<"histogram", L>, matchers: Matchers<L | "le"> = {}) =>
  series<"counter", L | "le">("counter", [...metric.labels, "le"], metric, "_bucket", matchers);

/** How many values a histogram has seen. */
export const count = <L extends string>(metric: Metric<"histogram", L>, matchers: Matchers<L> = {}) =>
  series<"counter", L>("counter", metric.labels, metric, "_count", matchers);

/** The sum of the values that a histogram has seen. */
export const sum = <L extends string>(metric: Metric<"histogram", L>, matchers: Matchers<L> = {}) =>
  series<"counter", L>("counter", metric.labels, metric, "_sum", matchers);

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
export const countOverTime: OfGauge = overTime("count_over_time");
export const changes: OfGauge = overTime("changes");
export const deriv: OfGauge = overTime("deriv");

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
export const quantile = <L extends string>(q: number, vector: Vector<L | "le">): Vector<Exclude<L, "le">> =>
  new Vector(
    vector.labels.filter((label): label is Exclude<L, "le"> => label !== "le"),
    vector.metrics,
    (clock) => `histogram_quantile(${q}, ${vector.promql(clock)})`,
  );

const scalarText = (value: Scalar, clock: Clock): string => {
  if (value === "time()") return value;
  return String(typeof value === "number" ? value : clock.seconds(value.seconds));
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

const setOperation =
  (operator: string) =>
  <L extends string, K extends string>(left: Vector<L>, right: Vector<K>, on?: readonly (L & K)[]): Vector<L> =>
    new Vector(left.labels, metricsIn(left, right), (clock) => {
      const matching = on === undefined ? "" : ` on (${on.join(", ")})`;
      return `${side(left, clock)} ${operator}${matching} ${side(right, clock)}`;
    });

/** Series of the left side that have (`and`) or do not have (`unless`) a partner on the right; `on`: by these labels alone. */
export const and = setOperation("and");
export const unless = setOperation("unless");

/** Series of the left side, and those of the right that have no partner there. Both sides have the same labels. */
export const or = <L extends string>(left: Vector<L>, right: Vector<L>): Vector<L> => setOperation("or")(left, right);

/** 1 when there is no such series; its labels are those that the selector asks for by value. */
export const absent = <L extends string>(vector: Series<MetricType, L>): Vector<L> =>
  new Vector(vector.labels, vector.metrics, (clock) => `absent(${vector.promql(clock)})`);

/** 1 when there was no such series in the whole window. */
export const absentOverTime = <L extends string>(vector: Series<MetricType, L>, seconds: number): Vector<L> =>
  new Vector(
    vector.labels,
    vector.metrics,
    (clock) => `absent_over_time(${vector.promql(clock)}[${clock.duration(seconds)}])`,
  );

/** A constant as a vector without labels. */
export const constant = (value: number): Vector<never> => new Vector([], [], () => `vector(${value})`);
