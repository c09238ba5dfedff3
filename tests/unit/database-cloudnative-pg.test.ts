import { describe, expect, it } from "vitest";
import { clusterManifest } from "../../components/database/cloudnative-pg.ts";
import { objectStoreManifest, scheduledBackupManifest } from "../../components/database/cloudnative-pg-backups.ts";
import { podMonitorManifest } from "../../components/database/cloudnative-pg-monitor.ts";
import { roleNames, rolesOf } from "../../components/database/roles.ts";
import { askedReadiness } from "../../local/plugins/kubernetes/await/wait-for.ts";
import { type Config, settingsWith } from "../support/config.ts";

const names = roleNames("taskflow", "taskflow_user");
const roles = rolesOf(names);
const settingsOf = (database: object, changes: Config = {}) =>
  settingsWith({ database: { kind: "cloudnative-pg", ...database }, ...changes }, { preview: true });
const clusterOf = (database: object, changes?: Config) =>
  clusterManifest({ settings: settingsOf(database, changes), names, roles, database: "d" });
const metadata = { name: "postgres", namespace: "local", labels: { app: "taskflow", component: "postgres" } };
const objectStore = { path: "s3://bucket/taskflow", secret: "s3" };

describe("the Cluster of CloudNativePG", () => {
  it("is three synchronous servers on machines of their own, with the roles of the application and no superuser to log in", () => {
    const role = (name: string, changes: object) => ({
      ...{ name, ensure: "present", login: true, superuser: false, createrole: false, createdb: false },
      ...{ bypassrls: false, inherit: true, connectionLimit: -1, inRoles: [] },
      passwordSecret: { name: `postgres-login-${name.replaceAll("_", "-")}` },
      ...changes,
    });
    const group = (name: string) => {
      const { passwordSecret: _, ...rest } = role(name, { login: false });
      return rest;
    };
    const reconciled = (name: string) => `jsonpath={.status.managedRolesStatus.byStatus.reconciled[?(@ == "${name}")]}`;
    expect(clusterOf({})).toEqual({
      apiVersion: "postgresql.cnpg.io/v1",
      kind: "Cluster",
      metadata: {
        ...metadata,
        annotations: {
          "pulumi.com/waitFor": JSON.stringify(["condition=Ready", ...roles.map(({ name }) => reconciled(name))]),
        },
      },
      spec: {
        instances: 3,
        imageName: "ghcr.io/cloudnative-pg/postgresql:15.14",
        primaryUpdateStrategy: "unsupervised",
        enableSuperuserAccess: false,
        enablePDB: true,
        postgresql: {
          parameters: { max_slot_wal_keep_size: "10GB", wal_compression: "on", jit: "off", random_page_cost: "1.1" },
          pg_hba: [
            "host all all 127.0.0.1/32 scram-sha-256",
            "host all all ::1/128 scram-sha-256",
            "hostssl all all all scram-sha-256",
            "hostnossl all all all reject",
          ],
          synchronous: { method: "any", number: 1, dataDurability: "required", failoverQuorum: true },
        },
        bootstrap: {
          initdb: {
            database: "d",
            owner: "taskflow_user",
            secret: { name: "postgres-login-taskflow-user" },
            encoding: "UTF8",
            localeCollate: "C",
            localeCType: "C.UTF-8",
            dataChecksums: true,
          },
        },
        managed: {
          roles: [
            role("taskflow_user", { createdb: true, bypassrls: true }),
            group("taskflow_app"),
            group("taskflow_read"),
            role("taskflow_app_a", { inRoles: ["taskflow_app"] }),
            role("taskflow_app_b", { inRoles: ["taskflow_app"] }),
            role("taskflow_readonly", { inRoles: ["taskflow_read"], connectionLimit: 5 }),
            role("taskflow_backup", { inRoles: ["taskflow_read"], bypassrls: true }),
            role("taskflow_exporter", { inRoles: ["pg_monitor"], connectionLimit: 5 }),
          ],
        },
        storage: { size: "1Gi" },
        walStorage: { size: "1Gi" },
        affinity: {
          enablePodAntiAffinity: true,
          podAntiAffinityType: "required",
          topologyKey: "kubernetes.io/hostname",
        },
        resources: { requests: { cpu: "500m", memory: "2Gi" }, limits: { memory: "2Gi" } },
      },
    });
  });

  it("of one server has nobody to wait for", () => {
    const { spec } = clusterOf({ instances: 1, storageClass: "fast" });
    expect(spec).toMatchObject({
      instances: 1,
      enablePDB: false,
      storage: { size: "1Gi", storageClass: "fast" },
      walStorage: { size: "1Gi", storageClass: "fast" },
    });
    expect(spec.postgresql).not.toHaveProperty("synchronous");
  });

  it("runs as the user that its image has, where that is not the operator's own", () => {
    expect(clusterOf({ uid: 999 }).spec).toEqual({ ...clusterOf({}).spec, postgresUID: 999, postgresGID: 999 });
  });

  it("with an object store archives its log into a folder that no other stack has", () => {
    expect(clusterOf({ objectStore }).spec).toEqual({
      ...clusterOf({}).spec,
      plugins: [
        {
          name: "barman-cloud.cloudnative-pg.io",
          isWALArchiver: true,
          parameters: { barmanObjectName: "postgres", serverName: "taskflow-test" },
        },
      ],
    });
  });

  it("is awaited until every one of its roles is made, not only until it is ready", () => {
    const { annotations } = clusterOf({}).metadata as { readonly annotations?: Readonly<Record<string, string>> };
    const metadata = { annotations: { ...annotations } };
    const isReady = (reconciled: readonly string[]) => {
      const conditions = [{ type: "Ready", status: "True" }];
      const status = { conditions, managedRolesStatus: { byStatus: { reconciled } } };
      return askedReadiness({ metadata })?.({ metadata, status });
    };
    const all = roles.map(({ name }) => name);
    expect(isReady(all)?.ready).toBe(true);
    for (const missing of all)
      expect(isReady(all.filter((name) => name !== missing))).toMatchObject({
        ready: false,
        progress: `waiting for {.status.managedRolesStatus.byStatus.reconciled[?(@ == "${missing}")]}`,
      });
  });
});

describe("the backups of CloudNativePG", () => {
  it("go to an object store for 30 days, with the keys of a Secret", () => {
    const key = (name: string) => ({ name: "s3", key: name });
    expect(objectStoreManifest(settingsOf({ objectStore }), { ...objectStore, endpoint: undefined })).toEqual({
      apiVersion: "barmancloud.cnpg.io/v1",
      kind: "ObjectStore",
      metadata,
      spec: {
        retentionPolicy: "30d",
        configuration: {
          destinationPath: "s3://bucket/taskflow",
          s3Credentials: { accessKeyId: key("ACCESS_KEY_ID"), secretAccessKey: key("ACCESS_SECRET_KEY") },
          wal: { compression: "gzip", maxParallel: 4 },
          data: { compression: "gzip" },
        },
        instanceSidecarConfiguration: {
          resources: { requests: { cpu: "100m", memory: "256Mi" }, limits: { memory: "512Mi" } },
        },
      },
    });
  });

  it("go to a store that is not Amazon's where config names it", () => {
    const { spec } = objectStoreManifest(settingsOf({ objectStore }), { ...objectStore, endpoint: "https://s3.test" });
    expect(spec).toMatchObject({ configuration: { endpointURL: "https://s3.test" } });
  });

  it("are taken at once and then with golive's own, whose schedule has no seconds", () => {
    const settings = settingsOf({ objectStore }, { backup: { schedule: "15 1 * * 1-5" } });
    expect(scheduledBackupManifest(settings)).toEqual({
      apiVersion: "postgresql.cnpg.io/v1",
      kind: "ScheduledBackup",
      metadata,
      spec: {
        schedule: "0 15 1 * * 1-5",
        immediate: true,
        backupOwnerReference: "cluster",
        cluster: { name: "postgres" },
        target: "prefer-standby",
        method: "plugin",
        pluginConfiguration: { name: "barman-cloud.cloudnative-pg.io" },
      },
    });
  });
});

describe("the figures of CloudNativePG", () => {
  it("are read of every server of the Cluster", () => {
    expect(podMonitorManifest(settingsOf({}))).toEqual({
      apiVersion: "monitoring.coreos.com/v1",
      kind: "PodMonitor",
      // Without the label no Prometheus takes it.
      metadata: { ...metadata, labels: { ...metadata.labels, "golive/monitoring": "local" } },
      spec: {
        selector: { matchLabels: { "cnpg.io/cluster": "postgres" } },
        podMetricsEndpoints: [
          {
            port: "metrics",
            interval: "1s",
            scrapeTimeout: "1s",
            relabelings: [
              { targetLabel: "job", replacement: "cloudnative-pg" },
              { action: "labeldrop", regex: "container|endpoint" },
            ],
          },
        ],
        sampleLimit: 10_000,
        labelLimit: 40,
        labelNameLengthLimit: 200,
        labelValueLengthLimit: 1_000,
      },
    });
  });
});
