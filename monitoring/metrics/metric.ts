/**
 * What Prometheus knows of a metric by name only, with its type, unit and labels: rules and panels are made of these, so
 * that an unknown name, a `rate()` of a gauge or a label that is not there cannot be written.
 */
export type MetricType = "counter" | "gauge" | "histogram";

/** As Prometheus names base units, or what is counted. `1` has none; `0/1` is no or yes; `timestamp` is seconds since 1970. */
export type Unit = "seconds" | "bytes" | "timestamp" | "ratio" | "percent" | "0/1" | "1";

export interface Metric<T extends MetricType = MetricType, L extends string = string> {
  /** Without `_bucket`, `_sum` and `_count` where it is a histogram. */
  readonly name: string;
  readonly type: T;
  readonly unit: Unit;
  readonly help: string;
  /** Every label of its series: its own, and those of the target that it was read from. */
  readonly labels: readonly L[];
  readonly source: Source;
}

/** Where metrics come from: one exporter in one version, or a rule of ours. */
export interface Source {
  /** Name and version, such as `redis_exporter 1.45.0`; `recording rule` for what rules record. */
  readonly exporter: string;
  /** The value of `job` on its series; undefined where series of several jobs have it. */
  readonly job: string | undefined;
  /** Labels that Prometheus gives every series read from it. */
  readonly targetLabels: readonly string[];
  /** Why no live test can hold its metrics against a running exporter; undefined: one does. */
  readonly documentedOnly?: string;
}

/** How a source declares its metrics: the target's labels come on their own. */
export function metricsOf<const L extends string>(source: Source & { readonly targetLabels: readonly L[] }) {
  const make =
    <T extends MetricType>(type: T) =>
    <const K extends string = never>(
      name: string,
      { unit, help, labels = [] }: { readonly unit: Unit; readonly help: string; readonly labels?: readonly K[] },
    ): Metric<T, K | L> => ({ name, type, unit, help, labels: [...labels, ...source.targetLabels], source });
  return { counter: make("counter"), gauge: make("gauge"), histogram: make("histogram") };
}
