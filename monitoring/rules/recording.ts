import { type Metric, metricsOf } from "../metrics/metric.ts";
import type { Vector } from "../promql/expression.ts";

/** What a rule records: series that other rules, panels and the gate read as they read a metric. */
export type Recorded<L extends string = string> = Metric<"gauge", L>;

/** A record and how it is computed. The expression has exactly the labels that the record declares. */
export interface Recording {
  readonly record: Recorded;
  readonly expr: Vector<string>;
}

const { gauge } = metricsOf({ exporter: "recording rule", job: undefined, targetLabels: [] });

/** Declares a record. Percent of a record are 0 to 100, ratios 0 to 1. */
export const record = gauge;

/** Says how a record is computed; an expression with other labels does not compile. */
export const recording = <L extends string>(record: Recorded<L>, expr: Vector<NoInfer<L>>): Recording => ({
  record,
  expr,
});
