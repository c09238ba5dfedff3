import { days, hours, minutes } from "../clock.ts";
import type { Metric } from "../metrics/metric.ts";
import { postgresOperations } from "../metrics/postgres-operations.ts";
import { above, from, maxBy, of, or } from "../promql/expression.ts";
import type { MonitoredStack } from "../stack.ts";
import type { Alert } from "./alert.ts";
import { causes } from "./causes.ts";
import { failedJobFor, failedJobStories, failedJobs, tellsOfObjects } from "./failed-jobs.ts";
import { runbook } from "./runbook.ts";
import { exporterOf, stretch } from "./stories/stretches.ts";
import { gauge, series } from "./stories/timeline.ts";

/** Seconds that the newest good backup and restore drill may be old: a night and two hours for the backup itself; a week and a day. */
export const oldestAllowed = { backup: hours(26), drill: days(8) } as const;

/** Whether what is lost could be had back, and whether a migration went wrong. */
export const backupAlerts = (stack: MonitoredStack, database: string): readonly Alert[] => [
  tooOld(stack, database, {
    name: "BackupTooOld",
    severity: "critical",
    last: postgresOperations.backupAt,
    allowed: oldestAllowed.backup,
    summary: "There is no recent backup.",
    what: "The newest backup",
    runs: ["postgres-backup"],
  }),
  tooOld(stack, database, {
    name: "RestoreDrillTooOld",
    severity: "warning",
    last: postgresOperations.drillAt,
    allowed: oldestAllowed.drill,
    summary: "No backup was restored for a long time.",
    what: "The newest restore drill",
    runs: ["postgres-restore-drill"],
  }),
  ...(tellsOfObjects(stack) ? [backupFailed(stack), migrationFailed(stack)] : []),
];

/** Names of the Jobs that alerts of their own speak of; JobFailed leaves them out. */
export const databaseJobs = ({ application, database }: MonitoredStack) =>
  database === undefined
    ? undefined
    : { backups: "postgres-(backup|restore-drill)-.+", migrations: `${application.name}-migrate-.+` };

interface Age {
  readonly name: string;
  readonly severity: Alert["severity"];
  /** When it was last done; no series where it never was. */
  readonly last: typeof postgresOperations.backupAt;
  readonly allowed: number;
  readonly summary: string;
  readonly what: string;
  readonly runs: readonly string[];
}

function tooOld(stack: MonitoredStack, database: string, { name, severity, allowed, ...age }: Age): Alert {
  const { namespace } = stack;
  const by = ["namespace", "database"] as const;
  const since = (at: Age["last"]) => from("time()", maxBy(by, of(at, { namespace })));
  const record = { ...exporterOf(stack, "postgres-operations"), database };
  const at = (metric: Metric, ...values: readonly (number | "gone")[]) => ({
    [series(metric.name, record)]: gauge(...values.map((value) => [value, stretch] as const)),
  });
  const { firstMigrationAt } = postgresOperations;
  // promtool's time begins at 0.
  const old = -days(30);
  return {
    name,
    severity,
    team: "dba",
    labels: { cause: causes.backup },
    // Where it was never done, the age of the database counts: its first days are no fault, its first weeks are.
    expr: above(or(since(age.last), since(firstMigrationAt)), { seconds: allowed }),
    for: minutes(5),
    summary: age.summary,
    description: `${age.what} of database {{ $labels.database }} in {{ $labels.namespace }} (or the database itself, if there never was one) is {{ $value | humanizeDuration }} old.`,
    runbook: runbook("database", name),
    source: "S4-74, issue 5",
    covers: age.runs.map((each) => ({ kind: "CronJob", name: each })),
    stories: [
      {
        title: "until the next one is done",
        series: {
          ...at(firstMigrationAt, old, old),
          [series(age.last.name, record)]: gauge([minutes(10) - allowed, stretch], [stretch, stretch]),
        },
        begins: minutes(10) + 15,
        resolved: stretch,
        labels: { namespace, database },
      },
      {
        title: "when there never was one",
        series: {
          ...at(firstMigrationAt, minutes(10) - allowed, minutes(10) - allowed),
          ...at(age.last, "gone", stretch),
        },
        begins: minutes(10) + 15,
        resolved: stretch,
        labels: { namespace, database },
      },
      {
        title: "not for a new database",
        series: at(firstMigrationAt, 0, 0),
      },
      {
        title: "not in the hour before the next one is due",
        series: { ...at(firstMigrationAt, old), ...at(age.last, hours(1) - allowed) },
      },
    ],
  };
}

function backupFailed(stack: MonitoredStack): Alert {
  const name = "BackupFailed";
  return {
    name,
    severity: "warning",
    team: "dba",
    labels: { cause: causes.backup },
    expr: failedJobs(stack, { like: databaseJobs(stack)?.backups ?? "" }),
    for: failedJobFor,
    summary: "A backup or a restore drill failed.",
    description:
      "Job {{ $labels.job_name }} in {{ $labels.namespace }}, begun {{ $value | humanizeDuration }} ago, failed.",
    runbook: runbook("database", name),
    source: "S4-79, issue 5",
    covers: [
      { kind: "CronJob", name: "postgres-backup" },
      { kind: "CronJob", name: "postgres-restore-drill" },
    ],
    stories: failedJobStories(stack, "postgres-backup-29385570", `${stack.application.name}-migrate-4f1c9a7e`),
  };
}

function migrationFailed(stack: MonitoredStack): Alert {
  const name = "MigrationFailed";
  return {
    name,
    severity: "warning",
    team: "dba",
    expr: failedJobs(stack, { like: databaseJobs(stack)?.migrations ?? "" }),
    for: failedJobFor,
    summary: "A migration of the database failed.",
    description:
      "Job {{ $labels.job_name }} in {{ $labels.namespace }}, begun {{ $value | humanizeDuration }} ago, failed; the next release waits for it.",
    runbook: runbook("database", name),
    source: "S4-79, S0-63",
    covers: [{ kind: "Job" }],
    stories: failedJobStories(stack, `${stack.application.name}-migrate-4f1c9a7e`, "postgres-restore-drill-29385570"),
  };
}
