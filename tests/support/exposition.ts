import type { Metric } from "../../monitoring/metrics/metric.ts";

/** One metric of an exporter: every label that any of its series has; one without a value is none for Prometheus. */
interface Family {
  readonly type: string;
  readonly labels: Set<string>;
  series: number;
}

const suffixes = ["", "_bucket", "_sum", "_count"];

/** The metrics of an answer in Prometheus' text format. */
function families(text: string): ReadonlyMap<string, Family> {
  const found = new Map<string, Family>();
  for (const line of text.split("\n")) {
    const [, name, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
    if (name !== undefined && type !== undefined) found.set(name, { type, labels: new Set(), series: 0 });
    if (line === "" || line.startsWith("#")) continue;
    const [, series = "", labels = ""] = /^([^{ ]+)(?:\{(.*)\})? /.exec(line) ?? [];
    const own = suffixes.flatMap((suffix) => found.get(series.slice(0, series.length - suffix.length)) ?? []);
    const family = own.find((each, index) => index === 0 || each.type === "histogram");
    if (family === undefined) continue;
    family.series += 1;
    for (const [, label = "", value] of labels.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g))
      if (value !== "") family.labels.add(label);
  }
  return found;
}

/**
 * Where the catalogue and an exporter's answer differ about these metrics: empty when all of it is true. `unsaid`: labels that
 * the catalogue leaves out on purpose.
 */
export function untruths(metrics: readonly Metric[], text: string, unsaid: readonly string[] = []): readonly string[] {
  const found = families(text);
  return metrics.flatMap(({ name, type, labels, source }) => {
    const family = found.get(name);
    if (family === undefined) return [`${name}: not there`];
    if (family.type !== type) return [`${name}: a ${type} in the catalogue, a ${family.type} there`];
    if (family.series === 0) return [`${name}: no series`];
    const known = [...labels, ...unsaid, ...(type === "histogram" ? ["le"] : [])];
    return [
      ...labels
        .filter((label) => !source.targetLabels.includes(label) && !family.labels.has(label))
        .map((label) => `${name}: no series has ${label}`),
      ...[...family.labels]
        .filter((label) => !known.includes(label))
        .map((label) => `${name}: has ${label}, which the catalogue does not know`),
    ];
  });
}
