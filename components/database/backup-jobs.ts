import type { types } from "@pulumi/kubernetes";
import type { Settings } from "../../settings.ts";
import { backupJobName, backupVolumeName, drillJobName, toolsJobName } from "./names.ts";
import { type Program, type ProgramPod, programPod } from "./program-pod.ts";
import type { RoleNames } from "./roles.ts";

export interface BackupJobArgs {
  readonly settings: Settings;
  readonly names: RoleNames;
  /** ConfigMaps with the bundle and the migrations. */
  readonly mounted: Pick<ProgramPod, "programs" | "migrations">;
}

/** Labels of what belongs to an application's backups. */
export const backupLabels = ({ application }: Settings, component: string) => ({ app: application.name, component });

/** The volume of golive's own backups: of every migration, and of every night. */
export function backupVolume(settings: Settings): types.input.core.v1.PersistentVolumeClaim {
  const { namespace, backup } = settings;
  return {
    metadata: {
      name: backupVolumeName,
      namespace,
      labels: backupLabels(settings, backupVolumeName),
      // Many storage classes wait for the first pod, which comes later: waiting for the volume would never end.
      annotations: { "pulumi.com/skipAwait": "true" },
    },
    spec: {
      accessModes: ["ReadWriteOnce"],
      ...(backup.storageClass === undefined ? {} : { storageClassName: backup.storageClass }),
      resources: { requests: { storage: backup.storage } },
    },
  };
}

/** A backup on a schedule, with the same checks as the one before a migration. */
export function backupCronJob(args: BackupJobArgs): types.input.batch.v1.CronJob {
  const program = { name: "backup", args: ["backup"], logins: [args.names.backup], backups: true };
  return cronJob(args, { name: backupJobName, schedule: args.settings.backup.schedule, program });
}

/** The newest backup restored to a scratch server on a schedule, and compared: a backup that nobody restored is none. */
export function drillCronJob(args: BackupJobArgs): types.input.batch.v1.CronJob {
  const program = { name: "drill", args: ["drill"], logins: [args.names.backup], backups: true };
  return cronJob(args, { name: drillJobName, schedule: args.settings.backup.drillSchedule, program });
}

/** Never runs by itself: `golive database` makes Jobs of its template, with arguments of their own. */
export function toolsCronJob(args: BackupJobArgs): types.input.batch.v1.CronJob {
  const { owner, backup, exporter, readOnly } = args.names;
  const program = { name: "tools", args: ["status"], logins: [owner, backup, exporter, readOnly], backups: true };
  return cronJob(args, { name: toolsJobName, schedule: "0 0 1 1 *", suspend: true, program });
}

interface Schedule {
  readonly name: string;
  /** Five cron fields, UTC. */
  readonly schedule: string;
  readonly suspend?: boolean;
  readonly program: Program;
}

function cronJob(
  { settings, mounted }: BackupJobArgs,
  { name, schedule, suspend = false, program }: Schedule,
): types.input.batch.v1.CronJob {
  const labels = backupLabels(settings, name);
  return {
    metadata: { name, namespace: settings.namespace, labels },
    spec: {
      schedule,
      timeZone: "Etc/UTC",
      suspend,
      // Two at a time would write the same volume.
      concurrencyPolicy: "Forbid",
      // A cluster that was down at the time makes up for it for an hour.
      startingDeadlineSeconds: 3_600,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 3,
      jobTemplate: {
        metadata: { labels },
        spec: {
          backoffLimit: 1,
          activeDeadlineSeconds: 7_200,
          template: {
            metadata: { labels },
            spec: programPod({ settings, ...mounted, restartPolicy: "Never", restores: true, run: [program] }),
          },
        },
      },
    },
  };
}
