import { serverName } from "./address.ts";

/** Names of the objects around an application's database; each stands for one thing in the namespace. */
export const databaseNames = (application: string) => ({
  /** Secret: a key for each login, its password. */
  passwords: `${application}-database`,
  /** ConfigMap: `settings.json`. */
  settings: `${application}-database-settings`,
  /** ConfigMaps whose content never changes, each with a digest of it behind its name. */
  programs: `${application}-database-programs`,
  migrations: `${application}-migrations`,
  /** Job, with a digest of all that it depends on behind its name. */
  migrate: `${application}-migrate`,
});

/** PersistentVolumeClaim and Secret of golive's own backups. */
export const backupVolumeName = `${serverName}-backups`;
export const backupKeyName = `${serverName}-backup-key`;

/** The label `component` of the migrations' pods. */
export const migrateName = `${serverName}-migrate`;

/** CronJobs; the last is suspended: `golive database` makes Jobs of its pod template. */
export const backupJobName = `${serverName}-backup`;
export const drillJobName = `${serverName}-restore-drill`;
export const toolsJobName = `${serverName}-tools`;

/** Deployment and Service of what Prometheus reads about the database. */
export const metricsName = `${serverName}-metrics`;
