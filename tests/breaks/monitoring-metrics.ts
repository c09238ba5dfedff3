import type { Break } from "./break.ts";

const promql = "tests/unit/monitoring-promql.test.ts";
const names = "tests/unit/monitoring-metrics.test.ts";
const live = "tests/live/monitoring-metrics.test.ts";

/** What rules and panels are made of. */
export const breaks: readonly Break[] = [
  {
    promise: "What is absent has only labels that were asked for by value: an alert's words never name an empty one.",
    file: "monitoring/promql/expression.ts",
    find: 'label is L & F => typeof all[label] === "string"',
    replace: "label is L & F => all[label] !== null",
    test: promql,
    name: "gives what is absent the labels",
  },
  {
    promise:
      "One vector without another is matched by labels that both have: a label more does not make an alert blind.",
    file: "monitoring/promql/expression.ts",
    find: "on: readonly string[] = right.labels): Vector<L> =>",
    replace: "on: readonly string[] = left.labels): Vector<L> =>",
    test: promql,
    name: "prints both, by what the right side has",
  },
  {
    promise: "A rule finds the same buckets in Prometheus 2 and 3.",
    file: "monitoring/promql/expression.ts",
    find: "/^[0-9]+$/.test(bound)",
    replace: 'bound === ""',
    test: promql,
    name: "with a bound that versions write differently",
  },
  {
    promise: "A rehearsal at fifteen times the pace scales what a rule compares with, not its windows alone.",
    file: "monitoring/promql/expression.ts",
    find: "clock.seconds(value.seconds)",
    replace: "value.seconds",
    test: promql,
    name: "prints",
  },
  {
    promise: "A metric's name says its unit, or stands in the list of names that others gave.",
    file: "monitoring/metrics/rollout.ts",
    find: '"golive_soak_seconds"',
    replace: '"golive_soak"',
    test: names,
    name: "is named as Prometheus' conventions ask",
  },
  {
    promise: "A metric that redis_exporter does not have is in no rule.",
    file: "monitoring/metrics/redis.ts",
    find: '"redis_rejected_connections_total"',
    replace: '"redis_connections_rejected_total"',
    test: live,
    name: "redis_exporter",
  },
  {
    promise: "A gauge of postgres_exporter is never rated as a counter.",
    file: "monitoring/metrics/postgres.ts",
    find: 'gauge("pg_database_size_bytes"',
    replace: 'counter("pg_database_size_bytes"',
    test: live,
    name: "postgres_exporter",
  },
  {
    promise: "A label that node_exporter does not have is in no rule.",
    file: "monitoring/metrics/node.ts",
    find: '["device", "fstype", "mountpoint"]',
    replace: '["device", "fstype", "mountpoint", "label"]',
    test: live,
    name: "node_exporter",
  },
];
