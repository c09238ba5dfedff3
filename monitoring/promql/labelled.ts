import { Vector } from "./expression.ts";

/** The same series with one label more, of one value: two sides can be matched on what only one of them knew. */
export const labelled = <L extends string, const K extends string>(
  vector: Vector<L>,
  label: K,
  value: string,
): Vector<L | K> =>
  new Vector<L | K>(
    [...vector.labels, label],
    vector.metrics,
    (clock) => `label_replace(${vector.promql(clock)}, ${JSON.stringify(label)}, ${JSON.stringify(value)}, "", "")`,
  );
