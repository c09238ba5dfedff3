import type { Metric } from "../metrics/metric.ts";
import { type Series, Vector } from "./expression.ts";

/**
 * Windows that Grafana sets, which only a panel can ask for. A fixed window in a panel is blind when somebody zooms out (it
 * skips what is between two points) and empty when they zoom in; this one is never shorter than four scrapes.
 */
const rateInterval = "$__rate_interval";
/** All the time that the dashboard shows. */
const shown = "$__range";

const over =
  (name: string, window: string) =>
  <L extends string>(vector: Vector<L>): Vector<L> =>
    new Vector(vector.labels, vector.metrics, (clock) => `${name}(${vector.promql(clock)}[${window}])`);

/** Per second, over the time between two points of the panel. */
export const panelRate: <L extends string>(counter: Series<"counter", L>) => Vector<L> = over("rate", rateInterval);
/** The mean of a gauge over all the time that the dashboard shows. */
export const meanOfShown: <L extends string>(gauge: Series<"gauge", L>) => Vector<L> = over("avg_over_time", shown);

/** The same series with their label `was` under the name `is`; what else they had is summed up. */
export const renamed = <L extends string, W extends L, const I extends string>(
  was: W,
  is: I,
  vector: Vector<L>,
): Vector<I> =>
  new Vector<I>(
    [is],
    vector.metrics,
    (clock) => `max by (${is}) (label_replace(${vector.promql(clock)}, "${is}", "$1", "${was}", "(.+)"))`,
  );

/** What a query reads, each metric once. */
export const distinct = (metrics: readonly Metric[]): readonly Metric[] => [...new Set(metrics)];
