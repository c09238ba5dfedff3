import { describe, expect, it } from "vitest";
import { backupCronJob, backupVolume, drillCronJob, toolsCronJob } from "../../components/database/backup-jobs.ts";
import { metricsDeployment, metricsService } from "../../components/database/metrics.ts";
import { migrationJob, migrationJobName, requireRoom } from "../../components/database/migration-job.ts";
import { roleNames, rolesOf } from "../../components/database/roles.ts";
import { type Config, certificate, settingsWith } from "../support/config.ts";
import { programs } from "../support/platform.ts";

const names = roleNames("taskflow", "taskflow_user");
const roles = rolesOf(names);
const mounted = { programs: "taskflow-database-programs-1", migrations: "taskflow-migrations-2" };
const argsOf = (changes: Config = {}) => ({
  ...{ names, roles, mounted, ...programs },
  settings: settingsWith(changes, { preview: true }),
  database: "taskflow",
  restored: undefined,
});

const restricted = {
  automountServiceAccountToken: false,
  securityContext: {
    runAsNonRoot: true,
    runAsUser: 999,
    runAsGroup: 999,
    fsGroup: 999,
    fsGroupChangePolicy: "OnRootMismatch",
    seccompProfile: { type: "RuntimeDefault" },
  },
};
const locked = {
  securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
};
const runtime = {
  name: "runtime",
  image: "docker.io/library/node:24.11.1-bookworm-slim",
  ...locked,
  command: ["cp", "/usr/local/bin/node", "/runtime/node"],
  terminationMessagePolicy: "FallbackToLogsOnError",
  resources: { requests: { cpu: "50m", memory: "32Mi" }, limits: { memory: "256Mi" } },
  volumeMounts: [{ name: "runtime", mountPath: "/runtime" }],
};
const password = (login: string) => ({
  name: "passwords",
  mountPath: `/etc/golive/passwords/${login}`,
  subPath: login,
  readOnly: true,
});
const backupMounts = [
  { name: "backup-key", mountPath: "/etc/golive/backup-key", readOnly: true },
  { name: "backups", mountPath: "/backups" },
];
const program = (name: string, args: readonly string[], ...mounts: readonly object[]) => ({
  name,
  image: "docker.io/library/postgres:15.14",
  ...locked,
  command: ["/runtime/node", "/programs/database.mjs"],
  args,
  terminationMessagePolicy: "FallbackToLogsOnError",
  resources: { requests: { cpu: "50m", memory: "128Mi" }, limits: { memory: "1Gi" } },
  volumeMounts: [
    { name: "runtime", mountPath: "/runtime", readOnly: true },
    { name: "programs", mountPath: "/programs", readOnly: true },
    { name: "settings", mountPath: "/etc/golive/settings.json", subPath: "settings.json", readOnly: true },
    { name: "migrations", mountPath: "/migrations", readOnly: true },
    ...mounts,
    { name: "work", mountPath: "/work" },
    { name: "tmp", mountPath: "/tmp" },
  ],
});
const volumes = (logins: readonly string[], ...more: readonly object[]) => [
  { name: "runtime", emptyDir: { sizeLimit: "256Mi" } },
  { name: "programs", configMap: { name: "taskflow-database-programs-1" } },
  { name: "settings", configMap: { name: "taskflow-database-settings" } },
  { name: "migrations", configMap: { name: "taskflow-migrations-2" } },
  {
    name: "passwords",
    secret: {
      secretName: "taskflow-database",
      defaultMode: 0o440,
      items: logins.map((key) => ({ key, path: key })),
    },
  },
  ...more,
  { name: "work", emptyDir: { sizeLimit: "2Gi" } },
  { name: "tmp", emptyDir: { sizeLimit: "64Mi" } },
];
const backupVolumes = [
  { name: "backup-key", secret: { secretName: "postgres-backup-key", defaultMode: 0o440 } },
  { name: "backups", persistentVolumeClaim: { claimName: "postgres-backups" } },
];

describe("the migrations Job", () => {
  const labels = { app: "taskflow", component: "postgres-migrate" };

  it("judges the files, makes a backup and migrates, each after the success of the one before, and each with no more secrets than it needs", () => {
    const job = migrationJob(argsOf());
    expect(job).toEqual({
      metadata: {
        name: migrationJobName(argsOf()),
        namespace: "local",
        labels,
        annotations: {
          "golive/files": [
            `000_base.sql expand ${"0".repeat(64)}`,
            `101_more.sql expand ${"1".repeat(64)}`,
            `202_less.sql contract ${"2".repeat(64)}`,
          ].join("\n"),
          "pulumi.com/replaceUnready": "true",
        },
      },
      spec: {
        backoffLimit: 0,
        activeDeadlineSeconds: 1800,
        template: {
          metadata: { labels },
          spec: {
            ...restricted,
            restartPolicy: "Never",
            initContainers: [
              runtime,
              program("check", ["check"]),
              program("backup", ["backup"], password("taskflow_backup"), ...backupMounts),
            ],
            containers: [program("migrate", ["migrate"], password("taskflow_user"))],
            volumes: volumes(["taskflow_backup", "taskflow_user"], ...backupVolumes),
          },
        },
      },
    });
  });

  it("has the authorities of a server that must prove its name", () => {
    const database = { kind: "external", host: "db.example.com", ca: certificate };
    const mount = { name: "database-ca", mountPath: "/etc/golive/ca", readOnly: true };
    expect(migrationJob(argsOf({ database }))).toMatchObject({
      spec: {
        template: {
          spec: {
            containers: [{ volumeMounts: expect.arrayContaining([mount]) }],
            volumes: expect.arrayContaining([
              {
                name: "database-ca",
                configMap: { name: "taskflow-database-ca", items: [{ key: "ca.crt", path: "ca.crt" }] },
              },
            ]),
          },
        },
      },
    });
  });

  it("has a name that stays while there is nothing to do, whatever else changes", () => {
    const same = [
      {},
      { rotation: 3 },
      { backup: { keep: 9, schedule: "0 1 * * *" } },
      { candidateTraffic: 10 },
      { database: { kind: "statefulset", storage: "9Gi", forwardPort: 20000 } },
    ].map((changes) => migrationJobName(argsOf(changes)));
    expect(new Set(same)).toEqual(new Set([migrationJobName(argsOf())]));
    expect(same[0]).toMatch(/^taskflow-migrate-[0-9a-f]{10}$/);
  });

  it("has another name for other files, programs, images or servers, another contract, and after a restore", () => {
    const args = argsOf();
    const [first, ...others] = args.files;
    const edited = first ? [{ ...first, checksum: "f".repeat(64) }] : [];
    const renamed = first ? [{ ...first, name: "000_other.sql" }] : [];
    const all = [
      args,
      { ...args, files: others },
      { ...args, files: [...edited, ...others] },
      { ...args, files: [...renamed, ...others] },
      { ...args, bundle: "// other programs" },
      { ...args, restored: "taskflow-2026-11-21.backup 12:00" },
      { ...args, database: "taskflow_staging" },
      argsOf({ contract: "202_less.sql" }),
      argsOf({ programs: { image: "node:25" } }),
      argsOf({ programs: { postgresImage: "postgres:16" } }),
      argsOf({ database: { kind: "cloudnative-pg" } }),
    ].map(migrationJobName);
    expect(new Set(all).size).toBe(all.length);
  });

  it("is refused when its files are more than a ConfigMap holds", () => {
    const texts = { "000_base.sql": "x".repeat(600_000), "001_more.sql": "ß".repeat(200_000) };
    expect(() => requireRoom("the migrations of taskflow", texts)).toThrow(
      "the migrations of taskflow have 1000024 bytes together; a ConfigMap holds 1000000\nNext: make them smaller; data that is loaded belongs into a seed, not into a migration",
    );
    expect(requireRoom("one", { "000_base.sql": "x".repeat(600_000) })).toBe(undefined);
  });
});

describe("backups", () => {
  const labels = (component: string) => ({ app: "taskflow", component });

  it("have a volume of their own, which nobody waits for", () => {
    expect(backupVolume(settingsWith())).toEqual({
      metadata: {
        name: "postgres-backups",
        namespace: "local",
        labels: labels("postgres-backups"),
        annotations: { "pulumi.com/skipAwait": "true" },
      },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
    });
    expect(backupVolume(settingsWith({ backup: { storageClass: "slow", storage: "3Gi" } })).spec).toMatchObject({
      storageClassName: "slow",
      resources: { requests: { storage: "3Gi" } },
    });
  });

  /** What restores a database has room for as much as the server has. */
  const withWork = (all: readonly object[], work: object = { sizeLimit: "1Gi" }) =>
    all.map((volume) => ("name" in volume && volume.name === "work" ? { name: "work", emptyDir: work } : volume));

  it("are made nightly, one at a time", () => {
    expect(backupCronJob(argsOf())).toEqual({
      metadata: { name: "postgres-backup", namespace: "local", labels: labels("postgres-backup") },
      spec: {
        schedule: "30 2 * * *",
        timeZone: "Etc/UTC",
        suspend: false,
        concurrencyPolicy: "Forbid",
        startingDeadlineSeconds: 3600,
        successfulJobsHistoryLimit: 3,
        failedJobsHistoryLimit: 3,
        jobTemplate: {
          metadata: { labels: labels("postgres-backup") },
          spec: {
            backoffLimit: 1,
            activeDeadlineSeconds: 7200,
            template: {
              metadata: { labels: labels("postgres-backup") },
              spec: {
                ...restricted,
                restartPolicy: "Never",
                initContainers: [runtime],
                containers: [program("backup", ["backup"], password("taskflow_backup"), ...backupMounts)],
                volumes: withWork(volumes(["taskflow_backup"], ...backupVolumes)),
              },
            },
          },
        },
      },
    });
  });

  it("are restored in a drill every week, by the login that may record it", () => {
    const pod = {
      containers: [program("drill", ["drill"], password("taskflow_backup"), ...backupMounts)],
      volumes: withWork(volumes(["taskflow_backup"], ...backupVolumes)),
    };
    expect(drillCronJob(argsOf())).toMatchObject({
      metadata: { name: "postgres-restore-drill" },
      spec: { schedule: "0 4 * * 0", suspend: false, jobTemplate: { spec: { template: { spec: pod } } } },
    });
  });

  it("and all else that `golive database` does has a template that never runs by itself", () => {
    const logins = ["taskflow_user", "taskflow_backup", "taskflow_exporter", "taskflow_readonly"];
    const pod = {
      restartPolicy: "Never",
      initContainers: [runtime],
      containers: [program("tools", ["status"], ...logins.map(password), ...backupMounts)],
      volumes: withWork(volumes(logins, ...backupVolumes)),
    };
    expect(toolsCronJob(argsOf())).toMatchObject({
      metadata: { name: "postgres-tools", namespace: "local" },
      spec: { suspend: true, jobTemplate: { spec: { template: { spec: pod } } } },
    });
  });

  it("have no limit of room to be restored in when nobody here knows how large the database is", () => {
    const database = { kind: "external", host: "db.example.com" };
    expect(drillCronJob(argsOf({ database }))).toMatchObject({
      spec: {
        jobTemplate: {
          spec: { template: { spec: { volumes: expect.arrayContaining([{ name: "work", emptyDir: {} }]) } } },
        },
      },
    });
  });
});

describe("the metrics of the database", () => {
  const labels = { app: "taskflow", component: "postgres-metrics" };
  const healthy = { httpGet: { path: "/health", port: "metrics" }, timeoutSeconds: 5 };

  it("come from a pod that sees neither backups nor rows, and starts anew with its password and its settings", () => {
    const deployment = metricsDeployment(argsOf({ rotation: 2 }));
    expect(deployment).toEqual({
      metadata: { name: "postgres-metrics", namespace: "local", labels },
      spec: {
        replicas: 1,
        revisionHistoryLimit: 3,
        selector: { matchLabels: labels },
        strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
        template: {
          metadata: {
            labels,
            annotations: { "golive/rotation": "2", "golive/settings": expect.stringMatching(/^[0-9a-f]{10}$/) },
          },
          spec: {
            ...restricted,
            restartPolicy: "Always",
            terminationGracePeriodSeconds: 10,
            initContainers: [runtime],
            containers: [
              {
                ...program("metrics", ["metrics"], password("taskflow_exporter")),
                ports: [{ name: "metrics", containerPort: 9188 }],
                startupProbe: { ...healthy, periodSeconds: 2, failureThreshold: 60 },
                readinessProbe: { ...healthy, periodSeconds: 10, failureThreshold: 3 },
                livenessProbe: { ...healthy, periodSeconds: 20, failureThreshold: 3 },
                resources: { requests: { cpu: "10m", memory: "64Mi" }, limits: { memory: "256Mi" } },
              },
            ],
            volumes: volumes(["taskflow_exporter"]),
          },
        },
      },
    });
    const settings = (changes: Config) => metricsDeployment(argsOf(changes)).spec;
    expect(settings({ backup: { keep: 9 } })).not.toEqual(settings({}));
  });

  it("are read at a Service that no run waits for", () => {
    expect(metricsService(argsOf())).toEqual({
      metadata: {
        name: "postgres-metrics",
        namespace: "local",
        labels,
        annotations: { "pulumi.com/skipAwait": "true" },
      },
      spec: { selector: labels, ports: [{ name: "metrics", port: 9188, targetPort: "metrics" }] },
    });
  });
});
