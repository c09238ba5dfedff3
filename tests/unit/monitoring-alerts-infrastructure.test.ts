import { describe, expect, it } from "vitest";
import { taskflow } from "../../applications/taskflow.ts";
import type { Alert } from "../../monitoring/alerts/alert.ts";
import { cacheAlerts } from "../../monitoring/alerts/cache.ts";
import { clusterAlerts } from "../../monitoring/alerts/cluster.ts";
import { databaseAlerts } from "../../monitoring/alerts/database.ts";
import { nodeAlerts } from "../../monitoring/alerts/node.ts";
import { Clock } from "../../monitoring/clock.ts";
import type { MonitoredStack } from "../../monitoring/stack.ts";
import { production } from "../support/alerts.ts";

const alertsOf = (stack: MonitoredStack): readonly Alert[] =>
  [databaseAlerts, cacheAlerts, nodeAlerts, clusterAlerts].flatMap((alerts) => alerts(stack));
const namesOf = (alerts: readonly Alert[]) => alerts.map(({ name }) => name);

const all = alertsOf(production);
const staging: MonitoredStack = { ...production, namespace: "staging", databaseKind: "statefulset" };
const local: MonitoredStack = { ...staging, environment: "local", namespace: "local" };

function rule(name: string, { from = all, clock = new Clock() } = {}) {
  const alert = from.find((each) => each.name === name);
  if (alert === undefined) throw new Error(`there is no alert ${name}`);
  return `${alert.expr.promql(clock)} for ${alert.for}s`;
}

describe("the alerts that the plan names", () => {
  it("DatabaseDown asks the database, not its exporter, and hears when nobody can tell (S1-57, V13)", () => {
    expect(rule("DatabaseDown")).toBe(
      '((max by (job, namespace) (pg_up{job="postgres",namespace="production"})) == 0) or ' +
        '(absent(pg_up{job="postgres",namespace="production"})) for 60s',
    );
  });

  it("DiskSpaceLow is about disks, and about a tenth of them (S1-58, V14)", () => {
    const which = '{job="node",fstype!~"tmpfs|ramfs|overlay|squashfs|iso9660",mountpoint!~".*/kubelet/pods/.*"}';
    expect(rule("DiskSpaceLow")).toBe(
      `(min by (instance, node, device) (((node_filesystem_avail_bytes${which}) / on (device, fstype, mountpoint, job, instance, node) ` +
        `((node_filesystem_size_bytes${which}) > 0)) unless on (device, fstype, mountpoint, job, instance, node) ` +
        `((node_filesystem_readonly${which}) == 1))) < 0.1 for 300s`,
    );
  });

  it("JobFailed is about Jobs that failed for good within a day, and leaves the database's to others (S4-79)", () => {
    const which = 'namespace="production",job_name!~"postgres-(backup|restore-drill)-.+|taskflow-migrate-.+"';
    expect(rule("JobFailed")).toBe(
      `((time() - (max by (namespace, job_name) (kube_job_status_start_time{job="kube-state-metrics",${which}}))) < 86400) ` +
        `and on (namespace, job_name) ((max by (namespace, job_name) (kube_job_failed{job="kube-state-metrics",${which},condition="true"})) == 1) for 60s`,
    );
  });

  it("SlowQueries reads the application's objective, and no other number", () => {
    const objectives = { ...taskflow.objectives, querySeconds: 0.1 };
    const from = databaseAlerts({ ...production, application: { ...taskflow, objectives } });
    expect(rule("SlowQueries")).toMatch(/\) > 0\.05\) and on/);
    expect(rule("SlowQueries", { from })).toBe(rule("SlowQueries").replace(") > 0.05) and", ") > 0.1) and"));
  });

  it("are as much faster as their stack lives, ages and windows included", () => {
    const clock = new Clock(15);
    expect(rule("BackupTooOld", { clock })).toMatch(/\) > 6240 for 300s$/);
    expect(rule("VolumeFillingUp", { clock })).toMatch(/predict_linear\([^[]*\[24m\], 23040\)/);
  });
});

describe("which alerts a stack has", () => {
  const replication = ["ReplicationLag", "ReplicationStopped", "SynchronousStandbysMissing", "WalArchivingFails"];

  it("depends on its database: only several servers can be behind each other", () => {
    const missing = namesOf(all).filter((name) => !namesOf(alertsOf(staging)).includes(name));
    expect(missing).toEqual(replication);
    expect(namesOf(alertsOf({ ...production, databaseKind: "external" }))).toEqual(namesOf(alertsOf(staging)));
  });

  it("depends on its stores: what is not there is not missed", () => {
    expect(databaseAlerts({ ...production, database: undefined })).toEqual([]);
    expect(cacheAlerts({ ...production, application: { ...taskflow, stores: {} } })).toEqual([]);
  });

  it("depends on its exporters: without kube-state-metrics nothing claims to watch objects", () => {
    expect(namesOf(clusterAlerts(local))).toEqual(["ContainerMemoryHigh"]);
    expect(namesOf(databaseAlerts(staging)).filter((name) => !namesOf(databaseAlerts(local)).includes(name))).toEqual([
      "BackupFailed",
      "MigrationFailed",
    ]);
  });

  it("leaves nothing out of JobFailed where there is no database", () => {
    expect(rule("JobFailed", { from: clusterAlerts({ ...production, database: undefined }) })).toContain(
      'namespace="production",job_name!~""',
    );
  });
});

describe("an alert on the infrastructure", () => {
  const selectors = (alert: Alert) =>
    [...alert.expr.promql(new Clock()).matchAll(/(\w+)\{(.*?)\}/g)].map(([, metric = "", matchers = ""]) => ({
      metric,
      matchers,
    }));

  it.each(all.map((alert) => [alert.name, alert] as const))("%s reads no series of another stack", (_, alert) => {
    const found = selectors(alert);
    expect(found.length).toBeGreaterThan(0);
    for (const { metric, matchers } of found) {
      expect(matchers, metric).toMatch(/^job=~?"/);
      // A node is everybody's.
      if (!metric.startsWith("node_")) expect(matchers, metric).toMatch(/,namespace="production"/);
    }
  });

  it.each(all.map((alert) => [alert.name, alert] as const))(
    "%s is told whole: it fires, and it is silent",
    (_, alert) => {
      expect(alert.stories.some(({ begins }) => begins !== undefined)).toBe(true);
      expect(alert.stories.some(({ begins }) => begins === undefined)).toBe(true);
      expect(alert.stories.some(({ resolved }) => resolved !== undefined)).toBe(true);
    },
  );

  it("of the monitoring's own namespaces is heard, too", () => {
    const watching = alertsOf({ ...production, monitoringNamespaces: ["monitoring", "monitoring-nodes"] });
    for (const name of ["VolumeFull", "DeploymentNotAvailable", "DaemonSetNotReady", "ContainerMemoryHigh"])
      expect(rule(name, { from: watching })).toContain('namespace=~"production|monitoring|monitoring-nodes"');
    expect(rule("DatabaseDown", { from: watching })).toBe(rule("DatabaseDown"));
  });

  it("wakes somebody only where users lose something now", () => {
    const severities = Object.fromEntries(
      all
        .filter(({ severity }) => severity !== "warning")
        .map(({ name, severity, team }) => [name, `${severity} ${team}`]),
    );
    expect(severities).toEqual({
      DatabaseDown: "critical dba",
      SynchronousStandbysMissing: "critical dba",
      BackupTooOld: "critical dba",
      CacheDown: "critical devops",
      CacheEvicts: "info devops",
      DiskSpaceCritical: "critical oncall",
      NodeCpuHigh: "info devops",
      VolumeFull: "critical oncall",
    });
  });

  it("shares its cause with what is louder or softer than it, so that one of them speaks", () => {
    const causes = new Map<string, string[]>();
    for (const { name, labels } of all)
      if (labels?.cause !== undefined) causes.set(labels.cause, [...(causes.get(labels.cause) ?? []), name]);
    expect(Object.fromEntries(causes)).toEqual({
      database: [
        "DatabaseDown",
        "DatabaseConnectionsHigh",
        "DatabaseDeadlocks",
        "LongTransaction",
        "SlowQueries",
        "ReplicationLag",
        "ReplicationStopped",
        "SynchronousStandbysMissing",
      ],
      backup: ["WalArchivingFails", "BackupTooOld", "RestoreDrillTooOld", "BackupFailed"],
      cache: ["CacheDown", "CacheCannotWrite", "CacheMemoryHigh", "CacheRejectsConnections", "CacheEvicts"],
      disk: ["DiskSpaceLow", "DiskSpaceCritical"],
      volume: ["VolumeFillingUp", "VolumeFull"],
    });
  });
});

describe("what of a stack is watched", () => {
  const covered = (stack: MonitoredStack) =>
    [
      ...new Set(
        alertsOf(stack).flatMap(({ covers = [] }) =>
          covers.map(({ kind, name }) => (name === undefined ? kind : `${kind} ${name}`)),
        ),
      ),
    ].sort();
  const always = [
    "CronJob postgres-backup",
    "CronJob postgres-restore-drill",
    "Deployment postgres-exporter",
    "Deployment redis-exporter",
    "PersistentVolumeClaim",
    "StatefulSet redis",
  ];
  const objects = ["CronJob", "DaemonSet", "Deployment", "Job", "StatefulSet"];

  it("is everything of each kind, and the database by its kind", () => {
    expect(covered(production)).toEqual([...objects, ...always, "Cluster postgres"].sort());
    expect(covered(staging)).toEqual([...objects, ...always, "StatefulSet postgres"].sort());
    expect(covered({ ...production, databaseKind: "external" })).toEqual([...objects, ...always].sort());
  });

  it("is only what an alert can tell of: without kube-state-metrics no Deployment as such", () => {
    expect(covered(local)).toEqual([...always, "StatefulSet postgres"].sort());
  });
});
