import type { Break } from "./break.ts";

const unit = "tests/unit/monitoring-dashboards.test.ts";
const live = "tests/live/monitoring-dashboards.test.ts";
const dashboards = "monitoring/dashboards";

/** What a person sees in Grafana, and what they would believe of it. */
export const breaks: readonly Break[] = [
  {
    promise: "The four dashboards have exactly the panels that are asked for by name (S1-60..63).",
    file: `${dashboards}/api-performance.ts`,
    find: 'title: "Throughput (MB/s)"',
    replace: 'title: "Throughput"',
    test: unit,
    name: "have the 17 panels that are asked for by name (S1-60..63), and the rollout's",
  },
  {
    promise: "A panel follows the zoom: no window of a rate is fixed.",
    file: "monitoring/promql/panel-window.ts",
    find: '"$__rate_interval"',
    replace: '"5m"',
    test: unit,
    name: "keeps target-rate-interval",
  },
  {
    promise: "A rate of what is scraped once a minute is asked over more than one value.",
    file: `${dashboards}/grafana.ts`,
    find: '["kubelet", "cadvisor"]',
    replace: '["kubelet"]',
    test: unit,
    name: "asks Grafana for no window that holds one value only of what is scraped once a minute",
  },
  {
    promise: "A dashboard works with whichever Prometheus Grafana has.",
    file: `${dashboards}/grafana.ts`,
    find: "    datasource,\n    expr",
    replace: "    expr",
    test: unit,
    name: "keeps panel-datasource",
  },
  {
    promise: "A panel turns red at the objective (S1-74..77).",
    file: `${dashboards}/grafana.ts`,
    find: '["green", "red", limit.atMost]',
    replace: '["green", "red", limit.atMost * 10]',
    test: unit,
    name: "are where the panels turn red (S1-74..77, S0-71, S0-72)",
  },
  {
    promise: "A service that nobody called shows 0 and not `No data`.",
    file: `${dashboards}/requests.ts`,
    find: "const known = <L extends string>(vector: Vector<L>): Vector<L> => atLeast(vector, 0);",
    replace: "const known = <L extends string>(vector: Vector<L>): Vector<L> => vector;",
    test: live,
    name: "shows 0, not `No data`, for pods that nobody called",
  },
  {
    promise: "The verdict says rollback only while an alert fires, not while it waits.",
    file: `${dashboards}/rollout.ts`,
    find: 'alertstate: "firing"',
    replace: 'alertstate: "pending"',
    test: live,
    name: "say rollback while an alert asks for it, whatever the soak",
  },
  {
    promise: "What nothing was measured of does not pass.",
    file: `${dashboards}/rollout.ts`,
    find: "[and(traffic, measured, []), 2]",
    replace: "[traffic, 2]",
    test: live,
    name: "say hold when the soak is over and nothing is measured of the candidate",
  },
  {
    promise: "The candidate's numbers are the candidate's, also after the roles have switched.",
    file: `${dashboards}/rollout.ts`,
    find: "unless(vector, onTrial,",
    replace: "and(vector, onTrial,",
    test: live,
    name: "follow the roles when they switch",
  },
  {
    promise: "A record is marked when it was written, not in 1970.",
    file: `${dashboards}/grafana.ts`,
    find: "times(at, 1000)",
    replace: "times(at, 1)",
    test: live,
    name: "mark each record of the ledger at its time in milliseconds",
  },
  {
    promise: "A record is marked once, at its own time, and not at each look of Prometheus.",
    file: `${dashboards}/grafana.ts`,
    find: ".useValueForTime(true)",
    replace: ".useValueForTime(false)",
    test: unit,
    name: "marks each record of the ledger at its own time, whenever Prometheus first saw it",
  },
];
