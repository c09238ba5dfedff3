import { metricsOf } from "./metric.ts";

const { gauge } = metricsOf({
  exporter: "programs/database/metrics.ts",
  job: "postgres-operations",
  targetLabels: ["job", "instance", "namespace", "pod"],
});

const labels = ["database"] as const;

/** What the database's own record says: backups, drills, migrations, and the business (S1-63) by SQL. */
export const postgresOperations = {
  databaseUp: gauge("database_up", {
    unit: "0/1",
    help: "Whether the exporter's login can read the database.",
    labels,
  }),
  migrationsApplied: gauge("database_migrations_applied", { unit: "1", help: "Migration files applied.", labels }),
  firstMigrationAt: gauge("database_first_migration_timestamp_seconds", {
    unit: "timestamp",
    help: "When the first migration was applied: how old the database is.",
    labels,
  }),
  backupAt: gauge("backup_last_success_timestamp_seconds", {
    unit: "timestamp",
    help: "When the last good backup was finished.",
    labels,
  }),
  backupSize: gauge("backup_size_bytes", {
    unit: "bytes",
    help: "Size of the last good backup, encrypted and compressed.",
    labels,
  }),
  drillAt: gauge("restore_drill_last_success_timestamp_seconds", {
    unit: "timestamp",
    help: "When a restore drill last found every row of a backup.",
    labels,
  }),
  drillDuration: gauge("restore_drill_duration_seconds", {
    unit: "seconds",
    help: "Time of the last successful restore drill.",
    labels,
  }),
  drillLag: gauge("restore_drill_lag_seconds", {
    unit: "seconds",
    help: "Age of the newest data in the backup at the last successful restore drill.",
    labels,
  }),
  activeUsers: gauge("taskflow_active_users", {
    unit: "1",
    help: "Users who were active in the last 24 hours.",
    labels,
  }),
  tasksCreated: gauge("taskflow_tasks_created_last_day", {
    unit: "1",
    help: "Tasks created in the last 24 hours.",
    labels,
  }),
  comments: gauge("taskflow_comments_last_day", {
    unit: "1",
    help: "Comments written in the last 24 hours.",
    labels,
  }),
  timeTracked: gauge("taskflow_time_tracked_seconds_last_day", {
    unit: "seconds",
    help: "Time tracked on tasks in the last 24 hours.",
    labels,
  }),
};
