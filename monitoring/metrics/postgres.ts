import { metricsOf } from "./metric.ts";

// Its series also have `server`, which what later versions read by collectors does not have: no rule may rest on it.
const { counter, gauge } = metricsOf({
  exporter: "postgres_exporter 0.11.1",
  job: "postgres",
  targetLabels: ["job", "instance", "namespace", "pod"],
});

/**
 * What postgres_exporter reads of the server. pg_stat_database_* are counters under PostgreSQL's own names. Upstream's changelog
 * renames none of these up to 0.20.1; pg_stat_activity_* have more labels from 0.12 on, so a rule aggregates them. What
 * 0.20 renamed (pg_replication_slot_*) is not here.
 */
export const postgres = {
  up: gauge("pg_up", { unit: "0/1", help: "Whether the last connection to the server was made." }),
  lastScrapeError: gauge("pg_exporter_last_scrape_error", {
    unit: "0/1",
    help: "Whether a query of the last scrape failed.",
  }),
  connections: gauge("pg_stat_activity_count", {
    unit: "1",
    help: "Connections by state.",
    labels: ["datname", "state"],
  }),
  longestTransaction: gauge("pg_stat_activity_max_tx_duration", {
    unit: "seconds",
    help: "Age of the oldest open transaction by state.",
    labels: ["datname", "state"],
  }),
  maxConnections: gauge("pg_settings_max_connections", { unit: "1", help: "Most connections that the server takes." }),
  reservedConnections: gauge("pg_settings_superuser_reserved_connections", {
    unit: "1",
    help: "Connections of these that only a superuser gets.",
  }),
  sharedBuffers: gauge("pg_settings_shared_buffers_bytes", { unit: "bytes", help: "Size of the shared buffers." }),
  locks: gauge("pg_locks_count", { unit: "1", help: "Locks by mode.", labels: ["datname", "mode"] }),
  databaseSize: gauge("pg_database_size_bytes", { unit: "bytes", help: "Size of a database.", labels: ["datname"] }),
  backends: gauge("pg_stat_database_numbackends", {
    unit: "1",
    help: "Connections to a database.",
    labels: ["datid", "datname"],
  }),
  commits: counter("pg_stat_database_xact_commit", {
    unit: "1",
    help: "Transactions committed.",
    labels: ["datid", "datname"],
  }),
  rollbacks: counter("pg_stat_database_xact_rollback", {
    unit: "1",
    help: "Transactions rolled back.",
    labels: ["datid", "datname"],
  }),
  blocksHit: counter("pg_stat_database_blks_hit", {
    unit: "1",
    help: "Blocks found in the shared buffers.",
    labels: ["datid", "datname"],
  }),
  blocksRead: counter("pg_stat_database_blks_read", {
    unit: "1",
    help: "Blocks read from disk or the system's cache.",
    labels: ["datid", "datname"],
  }),
  deadlocks: counter("pg_stat_database_deadlocks", {
    unit: "1",
    help: "Deadlocks found.",
    labels: ["datid", "datname"],
  }),
  rowsFetched: counter("pg_stat_database_tup_fetched", {
    unit: "1",
    help: "Rows fetched by queries.",
    labels: ["datid", "datname"],
  }),
  rowsInserted: counter("pg_stat_database_tup_inserted", {
    unit: "1",
    help: "Rows inserted.",
    labels: ["datid", "datname"],
  }),
  rowsUpdated: counter("pg_stat_database_tup_updated", {
    unit: "1",
    help: "Rows updated.",
    labels: ["datid", "datname"],
  }),
  rowsDeleted: counter("pg_stat_database_tup_deleted", {
    unit: "1",
    help: "Rows deleted.",
    labels: ["datid", "datname"],
  }),
  temporaryBytes: counter("pg_stat_database_temp_bytes", {
    unit: "bytes",
    help: "Bytes that queries wrote to temporary files.",
    labels: ["datid", "datname"],
  }),
  archivedSegments: counter("pg_stat_archiver_archived_count", { unit: "1", help: "WAL segments archived." }),
  archiveFailures: counter("pg_stat_archiver_failed_count", {
    unit: "1",
    help: "Attempts to archive a WAL segment that failed.",
  }),
};
