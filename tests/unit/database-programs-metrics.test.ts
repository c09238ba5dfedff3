import { describe, expect, it } from "vitest";
import { businessMetrics, metricsText } from "../../programs/database/metrics.ts";

describe("the metrics of a database", () => {
  it("are Prometheus' text, each with its help, its type and the database", () => {
    const readings = {
      up: true,
      migrationsApplied: 14,
      firstMigrationAt: 1_794_000_000,
      backupAt: 1_795_000_000.25,
      backupBytes: 54_739,
      drillAt: 1_795_000_100,
      drillSeconds: 1.834,
      drillLagSeconds: 120,
    };
    expect(
      metricsText("taskflow", readings),
    ).toBe(`# HELP database_up 1 when the exporter's login can read the database, 0 when not.
# TYPE database_up gauge
database_up{database="taskflow"} 1
# HELP database_migrations_applied Migration files in schema_migrations.
# TYPE database_migrations_applied gauge
database_migrations_applied{database="taskflow"} 14
# HELP database_first_migration_timestamp_seconds When the first migration was applied: how old the database is.
# TYPE database_first_migration_timestamp_seconds gauge
database_first_migration_timestamp_seconds{database="taskflow"} 1794000000
# HELP backup_last_success_timestamp_seconds When the last good backup was finished.
# TYPE backup_last_success_timestamp_seconds gauge
backup_last_success_timestamp_seconds{database="taskflow"} 1795000000.25
# HELP backup_size_bytes Size of the last good backup, encrypted and compressed.
# TYPE backup_size_bytes gauge
backup_size_bytes{database="taskflow"} 54739
# HELP restore_drill_last_success_timestamp_seconds When a restore drill last found every row of a backup.
# TYPE restore_drill_last_success_timestamp_seconds gauge
restore_drill_last_success_timestamp_seconds{database="taskflow"} 1795000100
# HELP restore_drill_duration_seconds What the last successful restore drill took.
# TYPE restore_drill_duration_seconds gauge
restore_drill_duration_seconds{database="taskflow"} 1.834
# HELP restore_drill_lag_seconds Age of the newest data in the backup at the last successful restore drill.
# TYPE restore_drill_lag_seconds gauge
restore_drill_lag_seconds{database="taskflow"} 120
`);
  });

  it("have no series for what is not known, so that an alert on its absence can fire", () => {
    const series = metricsText("taskflow", { up: false })
      .split("\n")
      .filter((line) => !line.startsWith("#"));
    expect(series).toEqual(['database_up{database="taskflow"} 0', ""]);
    const never = metricsText("taskflow", { up: true, migrationsApplied: 0, backupAt: undefined });
    expect(never).toContain('database_migrations_applied{database="taskflow"} 0\n');
    expect(never).not.toContain("backup_");
  });

  it("end with what the application counts of itself", () => {
    const business = [{ name: "taskflow_active_users", help: "Users.", value: 12 }];
    expect(metricsText("taskflow", { up: true, business })).toMatch(
      /# HELP taskflow_active_users Users\.\n# TYPE taskflow_active_users gauge\ntaskflow_active_users\{database="taskflow"\} 12\n$/,
    );
  });

  it("take from the application only gauges of its own name, each once: another would break them all, or pass for ours", () => {
    const help = "Users.";
    const good = { name: "task_flow_users", help, value: 1 };
    const rows = [
      good,
      { name: "database_up", help, value: 1 },
      { name: "task_flow_Users", help, value: 1 },
      { name: "task_flow_", help, value: 1 },
      { name: "task_flow_users{}", help, value: 1 },
      { name: null, help, value: 1 },
      good,
      { name: "task_flow_text", help: "one\ndatabase_up 0", value: 1 },
      { name: "task_flow_none", help, value: null },
      { name: "task_flow_nan", help, value: Number.NaN },
    ];
    expect(businessMetrics("task-flow", rows)).toEqual({
      metrics: [good],
      refused: [
        "database_up: no name in small letters that begins with task_flow_",
        "task_flow_Users: no name in small letters that begins with task_flow_",
        "task_flow_: no name in small letters that begins with task_flow_",
        "task_flow_users{}: no name in small letters that begins with task_flow_",
        "null: no name in small letters that begins with task_flow_",
        "task_flow_users: given twice",
        "task_flow_text: its help is no single line",
        "task_flow_none: null is no number",
        "task_flow_nan: NaN is no number",
      ],
    });
  });

  it("are read right for a database with an odd name", () => {
    expect(metricsText('a"b\\c\nd', { up: true })).toContain('database_up{database="a\\"b\\\\c\\nd"} 1');
  });
});
