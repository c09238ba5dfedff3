import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { taskflow } from "../../applications/taskflow.ts";
import { lineProgress } from "../../cli/progress.ts";
import { ensureMonitoringTools, monitoringTools } from "../../local/debian/monitoring-tools.ts";
import { outcomeOf, run } from "../../local/run.ts";
import { alertmanagerConfig } from "../../monitoring/alertmanager/configuration.ts";
import { alertsOf } from "../../monitoring/alerts/all.ts";
import { Clock } from "../../monitoring/clock.ts";
import { renderRules } from "../../monitoring/rules/render.ts";
import type { NotifySettings } from "../../settings/monitoring.ts";
import { Alertmanager, OnCallTool } from "../support/alertmanager.ts";
import { firings, type Labels, production } from "../support/alerts.ts";
import { amlint, ensureAmlint } from "../support/amlint/amlint.ts";
import { Mailbox } from "../support/mailbox.ts";
import { until } from "../support/until.ts";

const email: NotifySettings["email"] = {
  smarthost: "mail.example.com:587",
  from: "alerts@taskflow.com",
  username: "alerts",
  requireTls: true,
};
/** amlint knows these as stand-ins; the real ones are in a Secret with the rest of the file. */
const standIns = { smtpPassword: "placeholder", onCallUrl: "https://oncall.example.com/hook" };
const contacts = taskflow.contacts;
const alerts = alertsOf(production);

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "golive-alertmanager-"));
  await ensureMonitoringTools(lineProgress());
});
afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

describe.each<[string, NotifySettings | undefined, number]>([
  ["mail and an on-call tool", { email, onCall: true }, 1],
  ["mail alone", { email: { ...email, username: undefined }, onCall: false }, 1],
  ["nobody to tell", undefined, 1],
  ["a clock fifteen times as fast", { email, onCall: true }, 15],
])("a configuration with %s", (title, notify, speed) => {
  let file: string;
  beforeAll(async () => {
    file = join(directory, `${title.replaceAll(" ", "-")}.yaml`);
    await writeFile(file, alertmanagerConfig({ contacts, notify, clock: new Clock(speed) }, standIns));
  });

  it("is one that Alertmanager loads", async () => {
    expect(await run(monitoringTools.amtool, ["check-config", file])).toContain("SUCCESS");
  });

  it("has nothing that amlint finds, but for the receiver that is nobody on purpose", async () => {
    await ensureAmlint();
    const rules = join(directory, "rules.yaml");
    await writeFile(rules, stringify({ groups: renderRules(production, new Clock()) }));
    const found = await amlint(file, rules);
    // Without anybody to tell, every alert falls to the root: amlint says so in one line, as it should.
    const meant = ["empty-receiver", ...(notify === undefined ? ["alert-hits-default-receiver"] : [])];
    expect(found.filter(({ level, code }) => level !== "info" || !meant.includes(code))).toEqual([]);
  });
});

/** Who hears of each alert: a new one has to be added here, by whoever knows whom it should wake. */
const receivers: Readonly<Record<string, string>> = {
  // Application
  AvailabilityBudgetFast: "page,oncall",
  AvailabilityBudgetSlow: "devops",
  CertificateExpiresSoon: "page,security",
  CertificateExpiry: "security",
  HighErrorRate: "page,oncall",
  HighLatency: "devops",
  LatencyBudgetFast: "page,oncall",
  LatencyBudgetSlow: "devops",
  OutageAftermath: "null",
  PerformanceRegression: "devops",
  PublicHostDown: "page,oncall",
  RequestErrorBudgetFast: "page,oncall",
  RequestErrorBudgetSlow: "devops",
  ServiceDown: "page,oncall",
  // Database and cache
  BackupFailed: "dba",
  BackupTooOld: "page,dba",
  CacheCannotWrite: "devops",
  CacheDown: "page,devops",
  CacheEvicts: "null",
  CacheMemoryHigh: "devops",
  CacheRejectsConnections: "devops",
  DatabaseConnectionsHigh: "dba",
  DatabaseDeadlocks: "dba",
  DatabaseDown: "page,dba",
  LongTransaction: "dba",
  MigrationFailed: "dba",
  ReplicationLag: "dba",
  ReplicationStopped: "dba",
  RestoreDrillTooOld: "dba",
  SlowQueries: "dba",
  SynchronousStandbysMissing: "page,dba",
  WalArchivingFails: "dba",
  // Nodes and what runs on them
  AutoscalerAtMaximum: "devops",
  ContainerMemoryHigh: "devops",
  CronJobLate: "devops",
  DaemonSetNotReady: "devops",
  DeploymentNotAvailable: "devops",
  DiskSpaceCritical: "page,oncall",
  DiskSpaceLow: "devops",
  JobFailed: "devops",
  NodeCpuHigh: "null",
  NodeMemoryLow: "devops",
  PodCrashLooping: "devops",
  StatefulSetNotReady: "devops",
  VolumeFillingUp: "devops",
  VolumeFull: "page,oncall",
  // Rollout
  CanaryErrors: "page,oncall",
  GuardBlind: "devops",
  GuardWithheld: "page,oncall",
  CanarySlow: "page,oncall",
  CandidateDown: "page,oncall",
  RollbackImmediate: "page,oncall",
  RollbackPlanned: "devops",
  RollbackSlow: "devops",
  RolloutStuck: "devops",
  RolloutTripped: "page,devops",
  RolloutUnreadable: "devops",
  // Monitoring
  AlertsNotDelivered: "devops",
  RuleEvaluationFailures: "devops",
  TargetDown: "devops",
  TargetMissing: "devops",
  Watchdog: "heartbeat",
};

describe("the receivers of each alert", () => {
  it("are as they are written down here, for every alert there is", { timeout: 60_000 }, async () => {
    const file = join(directory, "routes.yaml");
    await writeFile(
      file,
      alertmanagerConfig({ contacts, notify: { email, onCall: true }, clock: new Clock() }, standIns),
    );
    const found: [string, string][] = [];
    for (const alert of alerts) {
      for (const labels of new Set(firings(alert).map(matchersOf))) {
        const args = ["config", "routes", "test", `--config.file=${file}`, ...labels.split("\n")];
        const { stdout, stderr } = await outcomeOf(monitoringTools.amtool, args);
        found.push([alert.name, stdout.trim() || stderr.trim()]);
      }
    }
    expect(Object.fromEntries(found)).toEqual(receivers);
    // No alert goes one way with some labels and another way with others.
    expect(found.filter(([name, told]) => receivers[name] !== told)).toEqual([]);
  });
});

const matchersOf = (labels: Labels) =>
  Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join("\n");

/** What fires at the same time, and which of it is heard of: the rest is muted by what is. */
const mutings: readonly Muting[] = [
  {
    because: "the database is down",
    fires: [
      "DatabaseDown job=postgres",
      "HighErrorRate service=backend",
      "RequestErrorBudgetFast service=backend",
      "CanaryErrors service=backend colour=green",
      "RollbackImmediate service=backend colour=green",
      "HighLatency service=backend",
      "SlowQueries",
      "DatabaseConnectionsHigh",
      "TargetDown job=postgres",
      "TargetDown job=redis",
      "PublicHostDown",
    ],
    speaks: ["DatabaseDown job=postgres", "TargetDown job=redis", "PublicHostDown"],
  },
  {
    because: "the cache is gone with its exporter",
    fires: ["CacheDown job=redis", "TargetMissing job=redis", "HighLatency", "CacheMemoryHigh", "LongTransaction"],
    speaks: ["CacheDown job=redis", "LongTransaction"],
  },
  {
    because: "a candidate has no pods",
    fires: [
      "CandidateDown service=backend colour=green",
      "CanaryErrors service=backend colour=green",
      "HighErrorRate service=backend",
      "HighErrorRate service=frontend",
    ],
    speaks: ["CandidateDown service=backend colour=green", "HighErrorRate service=frontend"],
  },
  {
    because: "a service of the stable colour is gone",
    fires: [
      "ServiceDown service=backend colour=blue",
      "HighErrorRate service=backend",
      "LatencyBudgetFast service=backend",
      "OutageAftermath",
    ],
    speaks: ["ServiceDown service=backend colour=blue", "OutageAftermath"],
  },
  {
    because: "a rollout has tripped",
    fires: [
      "RolloutTripped colour=green",
      "RollbackImmediate service=backend colour=green",
      "RollbackPlanned service=backend colour=green",
      "CanaryErrors service=backend colour=green",
      "CanarySlow service=backend colour=green",
      "CandidateDown service=backend colour=green",
      "RolloutStuck",
      "CandidateDown service=backend colour=blue",
    ],
    speaks: ["RolloutTripped colour=green", "CandidateDown service=backend colour=blue"],
  },
  {
    because: "a release must be undone at once",
    fires: [
      "RollbackImmediate service=backend colour=green",
      "RollbackPlanned service=backend colour=green",
      "CanaryErrors service=backend colour=green",
      "HighErrorRate service=backend",
      "RequestErrorBudgetFast service=backend",
      "RequestErrorBudgetSlow service=backend",
      "HighLatency service=backend",
      "OutageAftermath",
    ],
    speaks: ["RollbackImmediate service=backend colour=green", "HighLatency service=backend", "OutageAftermath"],
  },
  {
    because: "requests of a candidate are slow",
    fires: [
      "CanarySlow service=backend colour=green",
      "LatencyBudgetFast service=backend",
      "LatencyBudgetSlow service=backend",
      "HighLatency service=backend",
      "PerformanceRegression service=backend",
      "OutageAftermath",
    ],
    speaks: ["CanarySlow service=backend colour=green", "OutageAftermath"],
  },
  {
    because: "a release is slower than the one before",
    fires: [
      "RollbackSlow service=backend colour=green",
      "PerformanceRegression service=backend",
      "PerformanceRegression service=frontend",
    ],
    speaks: ["RollbackSlow service=backend colour=green", "PerformanceRegression service=frontend"],
  },
  {
    because: "the public host is down",
    fires: ["PublicHostDown", "AvailabilityBudgetFast", "AvailabilityBudgetSlow", "HighErrorRate", "OutageAftermath"],
    speaks: ["PublicHostDown", "HighErrorRate", "OutageAftermath"],
  },
  {
    because: "a fault was repaired that has spent a budget",
    fires: [
      "OutageAftermath",
      "AvailabilityBudgetFast",
      "RequestErrorBudgetFast service=backend",
      "LatencyBudgetFast service=backend",
      "HighErrorRate service=backend",
    ],
    speaks: ["OutageAftermath", "HighErrorRate service=backend"],
  },
  {
    because: "one of two disks is full",
    fires: [
      "DiskSpaceCritical instance=a device=/dev/sda",
      "DiskSpaceLow instance=a device=/dev/sda",
      "DiskSpaceLow instance=a device=/dev/sdb",
      "DiskSpaceLow instance=b device=/dev/sda",
    ],
    speaks: [
      "DiskSpaceCritical instance=a device=/dev/sda",
      "DiskSpaceLow instance=a device=/dev/sdb",
      "DiskSpaceLow instance=b device=/dev/sda",
    ],
  },
  {
    because: "one of two volumes is full",
    fires: [
      "VolumeFull persistentvolumeclaim=data",
      "VolumeFillingUp persistentvolumeclaim=data",
      "VolumeFillingUp persistentvolumeclaim=backups",
    ],
    speaks: ["VolumeFull persistentvolumeclaim=data", "VolumeFillingUp persistentvolumeclaim=backups"],
  },
  {
    because: "a certificate is about to end",
    fires: ["CertificateExpiresSoon", "CertificateExpiry", "CertificateExpiry instance=https://other.example.com/"],
    speaks: ["CertificateExpiresSoon", "CertificateExpiry instance=https://other.example.com/"],
  },
];

interface Muting {
  readonly because: string;
  readonly fires: readonly string[];
  readonly speaks: readonly string[];
}

describe("a running Alertmanager", () => {
  const password = "of the mail server";
  let mailbox: Mailbox;
  let tool: OnCallTool;
  let alertmanager: Alertmanager;

  beforeAll(async () => {
    mailbox = await Mailbox.open({ user: "alerts", password });
    tool = await new OnCallTool().open();
    const notify = { email: { ...email, smarthost: mailbox.smarthost, requireTls: false }, onCall: true };
    alertmanager = await Alertmanager.start(
      alertmanagerConfig({ contacts, notify, clock: new Clock(60) }, { smtpPassword: password, onCallUrl: tool.url }),
    );
  });
  afterAll(async () => {
    await alertmanager?.stop();
    await tool?.close();
    await mailbox?.close();
  });

  /** An alert of ours as it fires, in a namespace of the test's own. */
  const firing = (namespace: string, name: string, labels: Labels = {}) => {
    const alert = alerts.find((each) => each.name === name);
    const [first] = alert ? firings(alert) : [];
    if (alert === undefined || first === undefined) throw new Error(`no alert ${name} fires in any of its stories`);
    return {
      labels: { ...first, namespace, ...labels },
      annotations: { summary: alert.summary, description: "7.1 % of the requests fail.", runbook_url: alert.runbook },
    };
  };

  const mailsFor = (namespace: string) => mailbox.mails.filter(({ subject }) => subject.includes(` in ${namespace}`));
  const callsFor = (namespace: string) => tool.calls.filter(({ commonLabels }) => commonLabels.namespace === namespace);

  it.each([
    ["devops", "RollbackPlanned"],
    ["dba", "SlowQueries"],
    ["security", "CertificateExpiry"],
  ])("mails a warning to %s, and wakes nobody", async (team, name) => {
    const namespace = `warning-${team}`;
    const alert = firing(namespace, name);
    await alertmanager.tell([alert]);
    await until(`a mail about ${name}`, async () => mailsFor(namespace).length > 0, 30);
    const [mail] = mailsFor(namespace);
    expect(mail?.to).toEqual([`${team}@taskflow.com`]);
    expect(mail?.from).toBe("alerts@taskflow.com");
    expect(mail?.subject).toMatch(new RegExp(`^\\[WARNING\\] ${name} in ${namespace}`));
    for (const part of [
      name,
      "warning",
      alert.annotations.summary,
      "7.1 % of the requests fail.",
      alert.annotations.runbook_url,
    ])
      expect(mail?.text).toContain(part);
    expect(callsFor(namespace)).toEqual([]);
  });

  it("says in a mail which service, colour and version it is about, and when it is over", async () => {
    const alert = firing("told-well", "RollbackPlanned", { service: "backend", colour: "green", version: "2.0.0" });
    await alertmanager.tell([alert]);
    await until("the mail", async () => mailsFor("told-well").length > 0, 30);
    const [mail] = mailsFor("told-well");
    expect(mail?.subject).toBe("[WARNING] RollbackPlanned in told-well, backend green");
    expect(mail?.text).toContain("Service: backend\nColour: green\nVersion: 2.0.0\n");
    await alertmanager.tell([alert], true);
    await until("the second mail", async () => mailsFor("told-well").length > 1, 30);
    expect(mailsFor("told-well")[1]?.subject).toBe("[RESOLVED] RollbackPlanned in told-well, backend green");
  });

  it.each([
    ["oncall", "HighErrorRate"],
    ["dba", "DatabaseDown"],
    ["devops", "CacheDown"],
    ["security", "CertificateExpiresSoon"],
  ])("calls the on-call tool for a critical alert of %s and mails that team", async (team, name) => {
    const namespace = `critical-${team}`;
    await alertmanager.tell([firing(namespace, name)]);
    await until(`a call about ${name}`, async () => callsFor(namespace).length > 0, 30);
    await until(`a mail about ${name}`, async () => mailsFor(namespace).length > 0, 30);
    expect(callsFor(namespace)[0]).toMatchObject({
      receiver: "page",
      status: "firing",
      commonLabels: { alertname: name, severity: "critical" },
    });
    expect(mailsFor(namespace)[0]?.to).toEqual([`${team}@taskflow.com`]);
  });

  it("tells nobody of what is for information only", async () => {
    await alertmanager.tell([firing("for-information", "CacheEvicts")]);
    // What came later has been told: so would this have been.
    await alertmanager.tell([
      firing("after-information", "RollbackPlanned"),
      firing("after-information", "HighErrorRate"),
    ]);
    await until("what came later", async () => mailsFor("after-information").length >= 1, 30);
    await until("the page that came later", async () => callsFor("after-information").length >= 1, 30);
    expect(mailsFor("for-information")).toEqual([]);
    expect(callsFor("for-information")).toEqual([]);
    expect(await alertmanager.shown("for-information")).toHaveLength(1);
  });

  it("sends an alert that it has no route for to devops", async () => {
    await alertmanager.tell([{ labels: { alertname: "Foreign", namespace: "foreign" } }]);
    await until("the mail", async () => mailsFor("foreign").length > 0, 30);
    expect(mailsFor("foreign")[0]?.to).toEqual(["devops@taskflow.com"]);
  });

  it("repeats the heartbeat to the on-call tool, every five minutes of its clock, and never says that it is over", async () => {
    const watchdog = firing("heartbeat", "Watchdog");
    await alertmanager.tell([watchdog]);
    await until("three heartbeats", async () => callsFor("heartbeat").length >= 3, 60);
    const beats = callsFor("heartbeat");
    expect(beats.map(({ receiver }) => receiver)).toEqual(beats.map(() => "heartbeat"));
    const apart = beats.slice(1).map(({ at }, index) => at - (beats[index]?.at ?? 0));
    // 5 minutes are 5 seconds here, and a round is one second more.
    for (const milliseconds of apart) expect(milliseconds).toBeLessThan(7500);
    await alertmanager.tell([watchdog], true);
    await until("the heartbeat's end", async () => (await alertmanager.shown("heartbeat")).length === 0, 30);
    // A round is a second: by now its end would have been told.
    await new Promise((resolve) => setTimeout(resolve, 3000));
    expect(callsFor("heartbeat").filter(({ status }) => status === "resolved")).toEqual([]);
    expect(mailsFor("heartbeat")).toEqual([]);
  });

  it.each(mutings)("while $because, hears only of $speaks", async ({ because, fires, speaks }) => {
    const namespace = because.replaceAll(/[^a-z]+/g, "-");
    const elsewhere = `not-${namespace}`;
    const muted = fires.filter((each) => !speaks.includes(each));
    const all = (where: string, texts: readonly string[]) => texts.map((text) => written(where, text));
    // The same symptoms where the cause does not fire are heard of: one at a time, for some mute each other.
    await alertmanager.tell([...all(namespace, fires), ...all(elsewhere, muted.slice(0, 1))]);
    const heard = async (where: string) =>
      (await alertmanager.shown(where)).flatMap(({ muted, labels }) => (muted ? [] : [labels.written])).sort();
    await until("all of them", async () => (await alertmanager.shown(namespace)).length === fires.length, 15);
    await until("the mute", async () => (await heard(namespace)).length <= speaks.length, 15);
    expect(await heard(namespace)).toEqual([...speaks].sort());
    expect(await heard(elsewhere)).toEqual(muted.slice(0, 1));
  });

  it("sends nothing of what is muted, and sends it when the cause is over and it is not", async () => {
    const cause = written("over", "DatabaseDown");
    await alertmanager.tell([cause, written("over", "HighErrorRate")]);
    await until("the call about the cause", async () => callsFor("over").length > 0, 30);
    // Five seconds are five rounds of a page.
    await new Promise((resolve) => setTimeout(resolve, 5000));
    expect(callsFor("over").map(({ commonLabels }) => commonLabels.alertname)).toEqual(["DatabaseDown"]);
    await alertmanager.tell([cause], true);
    const names = () => callsFor("over").map(({ commonLabels }) => commonLabels.alertname);
    await until("the call about the symptom", async () => names().includes("HighErrorRate"), 30);
  });

  /** An alert written as `Name label=value …`; it carries that text, to be known by. */
  function written(namespace: string, text: string) {
    const [name = "", ...pairs] = text.split(" ");
    const labels = Object.fromEntries(pairs.map((pair) => pair.split("=")));
    const alert = firing(namespace, name);
    for (const label of Object.keys(labels))
      if (!(label in alert.labels)) throw new Error(`${text}: ${name} never has a label ${label}`);
    return { ...alert, labels: { ...alert.labels, ...labels, written: text } };
  }
});
