import { describe, expect, it } from "vitest";
import { catalogue, catalogueOf } from "../../monitoring/metrics/catalogue.ts";
import { type Metric, metricsOf, type Unit } from "../../monitoring/metrics/metric.ts";
import { untruths } from "../support/exposition.ts";

/**
 * Names that say less than Prometheus' conventions ask for: they are the exporter's own, or PostgreSQL's. None of ours is
 * here without a reason.
 */
const ownNames: readonly string[] = [
  // SQL's names: pg_stat_database, pg_stat_archiver and pg_stat_activity.
  "cnpg_pg_replication_lag",
  "cnpg_pg_stat_archiver_archived_count",
  "cnpg_pg_stat_archiver_failed_count",
  "cnpg_pg_stat_archiver_seconds_since_last_archival",
  "pg_stat_activity_max_tx_duration",
  "pg_stat_archiver_archived_count",
  "pg_stat_archiver_failed_count",
  "pg_stat_database_blks_hit",
  "pg_stat_database_blks_read",
  "pg_stat_database_deadlocks",
  "pg_stat_database_temp_bytes",
  "pg_stat_database_tup_deleted",
  "pg_stat_database_tup_fetched",
  "pg_stat_database_tup_inserted",
  "pg_stat_database_tup_updated",
  "pg_stat_database_xact_commit",
  "pg_stat_database_xact_rollback",
  // Kubernetes' names of its fields.
  "kube_cronjob_created",
  "kube_cronjob_next_schedule_time",
  "kube_cronjob_status_last_schedule_time",
  "kube_cronjob_status_last_successful_time",
  "kube_job_status_start_time",
  // Others.
  "cnpg_backends_total",
  "probe_ssl_earliest_cert_expiry",
  // A number of the last day, not a counter: the day comes last.
  "taskflow_time_tracked_seconds_last_day",
  "traefik_config_last_reload_success",
];

const ending: Readonly<Record<Unit, RegExp>> = {
  seconds: /_seconds(_total)?$/,
  bytes: /_bytes(_total)?$/,
  timestamp: /_(timestamp|time)_seconds$/,
  ratio: /_ratio$/,
  percent: /_percent$/,
  "0/1": /^(?!.*_(seconds|bytes|ratio|percent|total)$)/,
  "1": /^(?!.*_(seconds|bytes|ratio|percent)(_total)?$)/,
};

/** What is unusual in a name. */
function faults({ name, type, unit }: Metric): readonly string[] {
  return [
    ...(/^[a-zA-Z][a-zA-Z0-9_]*$/.test(name) ? [] : ["characters"]),
    ...((type === "counter") === name.endsWith("_total") ? [] : ["_total"]),
    ...(ending[unit].test(name) ? [] : ["unit"]),
    ...(/_(bucket|sum)$/.test(name) ? ["suffix of a histogram"] : []),
  ];
}

describe("a metric of the catalogue", () => {
  it("is named as Prometheus' conventions ask, but for names that others gave", () => {
    const unusual = new Set(catalogue.filter((metric) => faults(metric).length > 0).map(({ name }) => name));
    expect([...unusual].sort()).toEqual([...ownNames].sort());
  });

  it("has a sentence for a help", () => {
    const others = catalogue.map(({ help }) => help).filter((help) => !/^[A-Z][^\n]*[^. ]\.$/.test(help));
    expect(others).toEqual([]);
  });

  it("has each label once", () => {
    const faulty = catalogue.filter(({ labels }) => new Set(labels).size < labels.length).map(({ name }) => name);
    expect(faulty).toEqual([]);
  });

  it("has labels that are well formed, none of which Prometheus keeps for itself", () => {
    const labels = new Set(catalogue.flatMap((metric) => metric.labels));
    expect([...labels].filter((label) => !/^[a-z][a-z_]*$/.test(label) || ["le", "quantile"].includes(label))).toEqual(
      [],
    );
  });

  it("has the labels of its target, which are job and instance at least", () => {
    const targeted = catalogue.filter(({ name }) => name !== "ALERTS");
    const faulty = targeted.filter(
      ({ labels, source }) =>
        !["job", "instance", ...source.targetLabels].every((label) => labels.some((each) => each === label)),
    );
    expect(faulty.map(({ name }) => name)).toEqual([]);
  });

  it("is of one of the jobs that are scraped", () => {
    expect([...new Set(catalogue.map(({ source }) => source.job ?? "several"))].sort()).toEqual([
      "alertmanager",
      "cadvisor",
      "cloudnative-pg",
      "gateway",
      "guard",
      "kube-state-metrics",
      "kubelet",
      "node",
      "postgres",
      "postgres-operations",
      "probe",
      "prometheus",
      "redis",
      "rollout",
      "several",
    ]);
  });

  it("is refused when its source has it already", () => {
    const { gauge } = metricsOf({ exporter: "shop 1", job: "shop", targetLabels: ["job"] });
    const queue = gauge("queue", { unit: "1", help: "Waiting." });
    expect(() => catalogueOf({ queue }, { again: { ...queue, help: "Waiting again." } })).toThrow(
      "metric queue of shop 1 is in the catalogue twice",
    );
  });

  it("may have the name of another source's", () => {
    const sources = ["shop 1", "stall 2"].map((exporter) => {
      const { gauge } = metricsOf({ exporter, job: undefined, targetLabels: ["job"] });
      return { queue: gauge("queue", { unit: "1", help: "Waiting." }) };
    });
    expect(catalogueOf(...sources).map(({ source }) => source.exporter)).toEqual(["shop 1", "stall 2"]);
  });
});

describe("a source", () => {
  it("gives each metric its type, its labels before the target's, and itself", () => {
    const source = { exporter: "shop 1", job: "shop", targetLabels: ["job", "pod"] } as const;
    const { counter, gauge, histogram } = metricsOf(source);
    const words = { unit: "1", help: "Words." } as const;
    expect([counter("a_total", words), gauge("b", { ...words, labels: ["kind"] }), histogram("c", words)]).toEqual([
      { name: "a_total", type: "counter", ...words, labels: ["job", "pod"], source },
      { name: "b", type: "gauge", ...words, labels: ["kind", "job", "pod"], source },
      { name: "c", type: "histogram", ...words, labels: ["job", "pod"], source },
    ]);
  });

  it("has its help as one line", () => {
    expect(catalogue.filter(({ help }) => help.length > 100).map(({ name }) => name)).toEqual([]);
  });
});

describe("what an exporter answers", () => {
  const { counter, gauge, histogram } = metricsOf({ exporter: "shop 1", job: "shop", targetLabels: ["job"] });
  const words = { unit: "1", help: "Words.", labels: ["kind"] } as const;
  const all = [counter("served_total", words), gauge("queue", words), histogram("wait_seconds", words)];
  const answer = `# HELP served_total Served.
# TYPE served_total counter
served_total{kind="a \\"quoted\\", {x=\\"y\\"} one"} 3
# TYPE queue gauge
queue{} 1
queue{name="",kind="bread"} 1 1795279217144
# TYPE wait_seconds histogram
wait_seconds_bucket{kind="bread",le="0.5"} 1
wait_seconds_sum{kind="bread"} 1
wait_seconds_count{kind="bread"} 1
`;

  it("is what the catalogue says", () => {
    expect(untruths(all, answer)).toEqual([]);
  });

  it.each<[string, string, string]>([
    ["lacks a metric", answer.replace("# TYPE queue gauge", ""), "queue: not there"],
    [
      "has a metric of another type",
      answer.replace("queue gauge", "queue counter"),
      "queue: a gauge in the catalogue, a counter there",
    ],
    ["has a metric without series", answer.replace(/^served_total.*$/m, ""), "served_total: no series"],
    ["has a label without a value", answer.replace('kind="bread"} 1 17', 'kind=""} 1 17'), "queue: no series has kind"],
    ["has a label more", answer.replace('name="",', 'name="a",'), "queue: has name, which the catalogue does not know"],
    ["lacks a label", answer.replace(',kind="bread"} 1 17', "} 1 17"), "queue: no series has kind"],
    [
      "lacks the label of a histogram",
      answer.replaceAll(/(wait_seconds_\w+\{)kind="bread",?/g, "$1"),
      "wait_seconds: no series has kind",
    ],
    ["has a label in a value only", answer.replace('{kind="a', '{job="kind= a'), "served_total: no series has kind"],
  ])("is told apart where it %s", (_, text, problem) => {
    expect(untruths(all, text)).toEqual([problem]);
  });
});
