import { metricsOf } from "./metric.ts";

const { counter, gauge } = metricsOf({
  exporter: "Prometheus 2.42.0",
  job: "prometheus",
  targetLabels: ["job", "instance", "namespace", "pod"],
});

/** What Prometheus says of itself. */
export const prometheus = {
  evaluationFailures: counter("prometheus_rule_evaluation_failures_total", {
    unit: "1",
    help: "Rules that could not be evaluated.",
    labels: ["rule_group"],
  }),
  evaluations: counter("prometheus_rule_evaluations_total", {
    unit: "1",
    help: "Rules evaluated.",
    labels: ["rule_group"],
  }),
  missedIterations: counter("prometheus_rule_group_iterations_missed_total", {
    unit: "1",
    help: "Evaluations of a group left out because the one before took too long.",
    labels: ["rule_group"],
  }),
  groupDuration: gauge("prometheus_rule_group_last_duration_seconds", {
    unit: "seconds",
    help: "Time of a group's last evaluation.",
    labels: ["rule_group"],
  }),
  groupInterval: gauge("prometheus_rule_group_interval_seconds", {
    unit: "seconds",
    help: "Time between two evaluations of a group.",
    labels: ["rule_group"],
  }),
  notificationsSent: counter("prometheus_notifications_sent_total", {
    unit: "1",
    help: "Alerts sent to an Alertmanager.",
    labels: ["alertmanager"],
  }),
  notificationErrors: counter("prometheus_notifications_errors_total", {
    unit: "1",
    help: "Alerts that an Alertmanager did not take.",
    labels: ["alertmanager"],
  }),
  notificationsDropped: counter("prometheus_notifications_dropped_total", {
    unit: "1",
    help: "Alerts that no Alertmanager took.",
  }),
  notificationQueue: gauge("prometheus_notifications_queue_length", {
    unit: "1",
    help: "Alerts that wait to be sent.",
  }),
  alertmanagers: gauge("prometheus_notifications_alertmanagers_discovered", {
    unit: "1",
    help: "Alertmanagers that are known.",
  }),
  configReloaded: gauge("prometheus_config_last_reload_successful", {
    unit: "0/1",
    help: "Whether the last configuration could be read.",
  }),
  targetSyncFailures: counter("prometheus_target_sync_failed_total", {
    unit: "1",
    help: "Targets that could not be made from what was discovered.",
    labels: ["scrape_job"],
  }),
  headSeries: gauge("prometheus_tsdb_head_series", { unit: "1", help: "Series in memory." }),
  compactionFailures: counter("prometheus_tsdb_compactions_failed_total", {
    unit: "1",
    help: "Compactions that failed.",
  }),
  walCorruptions: counter("prometheus_tsdb_wal_corruptions_total", {
    unit: "1",
    help: "Times that the write-ahead log was found broken.",
  }),
  storageBytes: gauge("prometheus_tsdb_storage_blocks_bytes", { unit: "bytes", help: "Size of the blocks on disk." }),
  samplesAppended: counter("prometheus_tsdb_head_samples_appended_total", {
    unit: "1",
    help: "Samples taken in.",
    labels: ["type"],
  }),
};
