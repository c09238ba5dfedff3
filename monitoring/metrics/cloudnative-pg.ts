import { metricsOf } from "./metric.ts";

const { counter, gauge } = metricsOf({
  exporter: "CloudNativePG 1.28.0",
  job: "cloudnative-pg",
  targetLabels: ["job", "instance", "namespace", "pod"],
  documentedOnly:
    "its instances run in no cluster that a test has: docs/src/monitoring.md and config/manager/default-monitoring.yaml of module github.com/cloudnative-pg/cloudnative-pg@v1.28.0",
});

/** What each instance of a CloudNativePG cluster says. */
export const cloudnativePg = {
  up: gauge("cnpg_collector_up", { unit: "0/1", help: "Whether PostgreSQL runs.", labels: ["cluster"] }),
  lastCollectionError: gauge("cnpg_collector_last_collection_error", {
    unit: "0/1",
    help: "Whether a query of the last collection failed.",
  }),
  fenced: gauge("cnpg_collector_fencing_on", { unit: "0/1", help: "Whether the instance is fenced." }),
  replicationLag: gauge("cnpg_pg_replication_lag", {
    unit: "seconds",
    help: "How far a standby is behind the primary, 0 on the primary.",
  }),
  inRecovery: gauge("cnpg_pg_replication_in_recovery", { unit: "0/1", help: "Whether the instance is a standby." }),
  walReceiverUp: gauge("cnpg_pg_replication_is_wal_receiver_up", {
    unit: "0/1",
    help: "Whether a standby receives from its primary.",
  }),
  streamingReplicas: gauge("cnpg_pg_replication_streaming_replicas", {
    unit: "1",
    help: "Standbys that stream from this instance.",
  }),
  syncReplicas: gauge("cnpg_collector_sync_replicas", {
    unit: "1",
    help: "Synchronous standbys: expected, observed, min and max.",
    labels: ["value"],
  }),
  backends: gauge("cnpg_backends_total", {
    unit: "1",
    help: "Connections by state.",
    labels: ["datname", "usename", "application_name", "state"],
  }),
  longestTransaction: gauge("cnpg_backends_max_tx_duration_seconds", {
    unit: "seconds",
    help: "Age of the oldest open transaction.",
    labels: ["datname", "usename", "application_name", "state"],
  }),
  archivedSegments: counter("cnpg_pg_stat_archiver_archived_count", { unit: "1", help: "WAL segments archived." }),
  archiveFailures: counter("cnpg_pg_stat_archiver_failed_count", {
    unit: "1",
    help: "Attempts to archive a WAL segment that failed.",
  }),
  secondsSinceArchived: gauge("cnpg_pg_stat_archiver_seconds_since_last_archival", {
    unit: "seconds",
    help: "Time since a WAL segment was archived, -1 before the first.",
  }),
};
