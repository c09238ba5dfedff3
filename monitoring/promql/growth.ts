import { hours } from "../clock.ts";
import { increase, or, type Series, unless, Vector } from "./expression.ts";
import { labelled } from "./labelled.ts";

/** A series that was read in so long before a window is not new in it, even where Prometheus was away for a while. */
const memory = hours(1);

/**
 * How much each counter grew in a window of real seconds, counters that were born in it included. `increase` alone starts at
 * a counter's first sample: the one failure of each of ten routes, with a series each, it would not see at all.
 */
export function growth<L extends string>(counter: Series<"counter", L>, seconds: number): Vector<L> {
  const { labels, metrics } = counter;
  const first = new Vector(
    labels,
    metrics,
    (clock) => `min_over_time(${counter.promql(clock)}[${clock.duration(seconds)}])`,
  );
  const before = new Vector(
    labels,
    metrics,
    (clock) => `last_over_time(${counter.promql(clock)}[${clock.duration(memory)}] offset ${clock.duration(seconds)})`,
  );
  // A label of its own, so that both parts of one series are kept, and summed.
  return or(labelled(increase(counter, seconds), "part", "later"), unless(first, before));
}
