import { describe, expect, it } from "vitest";
import { metricsText } from "../../programs/database/metrics.ts";

describe("the metrics of a database", () => {
  it("are Prometheus' text, each with its help, its type and the database", () => {
    const readings = {
      up: true,
      migrationsApplied: 14,
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

  it("are read right for a database with an odd name", () => {
    expect(metricsText('a"b\\c\nd', { up: true })).toContain('database_up{database="a\\"b\\\\c\\nd"} 1');
  });
});
