import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type BackupJobArgs, backupCronJob, drillCronJob, toolsCronJob } from "./backup-jobs.ts";
import { metricsDeployment, metricsService } from "./metrics.ts";
import { backupJobName, drillJobName, metricsName, toolsJobName } from "./names.ts";
import type { ProgramSettingsArgs } from "./program-settings.ts";

export interface BackupsArgs extends BackupJobArgs, ProgramSettingsArgs {
  /** What their pods need: a schema to back up. */
  readonly after: readonly pulumi.Resource[];
}

/** Backups on a schedule, the drill that restores the newest, the template for commands, and the metrics of them all. */
export class Backups extends pulumi.ComponentResource {
  constructor(args: BackupsArgs, opts: pulumi.ComponentResourceOptions) {
    super("golive:database:Backups", `${args.settings.application.name}-backups`, {}, opts);
    const own = { parent: this, dependsOn: [...args.after] };
    new kubernetes.batch.v1.CronJob(backupJobName, backupCronJob(args), own);
    new kubernetes.batch.v1.CronJob(drillJobName, drillCronJob(args), own);
    new kubernetes.batch.v1.CronJob(toolsJobName, toolsCronJob(args), own);
    new kubernetes.core.v1.Service(metricsName, metricsService(args), own);
    new kubernetes.apps.v1.Deployment(metricsName, metricsDeployment(args), {
      ...own,
      customTimeouts: { create: "300s", update: "300s" },
    });
    this.registerOutputs({});
  }
}
