import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Prometheus } from "../../cli/prometheus.ts";
import { monitoredStack } from "../../components/monitoring/rules.ts";
import { kubectl } from "../../local/cluster/api.ts";
import { network } from "../../local/cluster/layout.ts";
import { gateway } from "../../local/gateway.ts";
import { type Load, startLoad } from "../../local/load/load.ts";
import { places } from "../../local/places.ts";
import { alertsOf } from "../../monitoring/alerts/all.ts";
import { Clock } from "../../monitoring/clock.ts";
import { dashboards } from "../../monitoring/dashboards/dashboards.ts";
import { ruleFiles } from "../../monitoring/rules/render.ts";
import { AlertInbox, type Mark } from "../support/alert-inbox.ts";
import { panelQueries } from "../support/dashboards.ts";
import { orderFaults } from "../support/faults.ts";
import { answersAs, namespace, readyPods, scale, until } from "../support/live-cluster.ts";
import { stackSettings } from "../support/platform.ts";
import { LiveStack } from "../support/stack.ts";

const hostname = "taskflow.localhost";
const jobs = [
  "alertmanager",
  "cadvisor",
  "gateway",
  "kubelet",
  "node",
  "postgres",
  "postgres-operations",
  "probe",
  "prometheus",
  "redis",
  "rollout",
  "taskflow-backend",
  "taskflow-frontend",
];

interface Target {
  readonly health: string;
  readonly lastError: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** What a young stack without TLS has no series of: no backup was made, none restored, no release proven for an hour. */
const notYet = [
  "backup_last_success_timestamp_seconds",
  "golive:baseline:latency:p95",
  "probe_ssl_earliest_cert_expiry",
  "restore_drill_last_success_timestamp_seconds",
];

/** What an outage leaves burning for days, as it should. The start is one, too: there was no server yet. */
const lasting = /BudgetSlow( |$)/;

/** One story: a stack under load whose minutes last four seconds, and what people are told when a part of it fails. */
describe("a stack that watches itself", () => {
  const settings = stackSettings("local");
  const watched = monitoredStack(settings);
  const clock = new Clock(settings.monitoring.speed);
  const prometheus = new Prometheus(places.kubeconfig, settings.monitoring.namespace);
  let stack: LiveStack;
  let inbox: AlertInbox;
  let load: Load;

  beforeAll(async () => {
    inbox = await AlertInbox.open(network.node);
    stack = await LiveStack.open("local");
    await stack.set({
      "monitoring.notify.email.smarthost": inbox.smarthost,
      "monitoring.notify.email.from": "alerts@taskflow.localhost",
      "monitoring.notify.email.requireTls": false,
      "monitoring.notify.onCall": true,
      // A volume that can be full.
      "cache.storageClass": "golive-bounded",
      "cache.storage": "256Mi",
      // What stands in it counts as memory of whoever wrote it.
      "cache.memoryMiB": 768,
    });
    await stack.run(["config", "set", "--secret", "golive:onCallUrl", inbox.onCallUrl]);
    await stack.succeedUp();
    await until("blue on the public route", () => answersAs(gateway.publicPort, hostname, "blue"));
  });
  // A load ends by itself after ten minutes at the latest: each story has its own.
  beforeEach(async () => {
    load = await startLoad({
      origin: { host: gateway.host, port: gateway.publicPort },
      hostname,
      requestsPerSecond: 60,
      seconds: 600,
    });
  });
  afterEach(async () => {
    await load.stop();
  });
  afterAll(async () => {
    await stack.destroy();
    await stack.close();
    await inbox.close();
  });

  const firing = (since?: Mark) => inbox.firing(since).filter((alert) => !lasting.test(alert));
  const messages = (since: Mark) => inbox.messages(since).filter((message) => !lasting.test(message));

  const targets = async () =>
    ((await prometheus.get("/api/v1/targets?state=active")) as { activeTargets: Target[] }).activeTargets;

  it("reads every target that there is", async () => {
    await until("all targets are up", async () => {
      const found = await targets();
      const up = found.filter(({ health }) => health === "up").map(({ labels }) => labels.job);
      return up.length === found.length && jobs.every((job) => up.includes(job));
    });
    expect([...new Set((await targets()).map(({ labels }) => labels.job))].sort()).toEqual(jobs);
  });

  it("puts colour and version on every series of both colours", async () => {
    const bare = await prometheus.query('{job=~"taskflow-.*", __name__!~"ALERTS.*", colour!~"blue|green"}');
    expect(bare).toEqual([]);
    const found = await prometheus.query('count by (service, colour, version) (up{job=~"taskflow-.*"})');
    expect(found.map(({ labels }) => `${labels.service} ${labels.colour} ${labels.version}`).sort()).toEqual([
      "backend blue 1.0.0",
      "backend green 2.0.0",
      "frontend blue 1.0.0",
      "frontend green 2.0.0",
    ]);
  });

  it("has every rule loaded and evaluated without an error", async () => {
    interface Loaded {
      readonly name: string;
      readonly health: string;
      readonly lastError?: string;
    }
    const rules = async () => {
      const { groups } = (await prometheus.get("/api/v1/rules")) as { groups: { rules: Loaded[] }[] };
      return groups.flatMap((group) => group.rules);
    };
    const wanted = ruleFiles(watched, clock).flatMap(({ groups }) => groups.flatMap((group) => group.rules));
    await until("all rules were evaluated", async () => {
      const found = await rules();
      return found.length >= wanted.length && found.every(({ health }) => health !== "unknown");
    });
    expect((await rules()).filter(({ health }) => health !== "ok")).toEqual([]);
    expect((await rules()).map(({ name }) => name).sort()).toEqual(
      wanted.map((rule) => ("record" in rule ? rule.record : rule.alert)).sort(),
    );
  });

  it("is silent while a good release walks up", async () => {
    // While it was brought up, its servers were really not there.
    await until("what was said of the first minute is over", async () => firing().length === 0, 300);
    const before = inbox.mark();
    for (const percent of [10, 50]) await stack.step(percent);
    await until("the dead man's switch is heard", async () => inbox.alive);
    expect(messages(before)).toEqual([]);
  });

  it("has data for every panel of every dashboard", async () => {
    const queries = dashboards(watched, clock).flatMap((dashboard) =>
      panelQueries(dashboard, { rateInterval: "20s", range: "1m" }),
    );
    expect(queries.length).toBeGreaterThanOrEqual(17);
    const empty: string[] = [];
    for (const { of, expr } of queries) {
      const found = await prometheus.query(expr);
      if (!found.some(({ value }) => Number.isFinite(value))) empty.push(`${of}: ${expr}`);
    }
    expect(empty).toEqual([]);
  });

  it("has a series of every metric that an alert or a panel uses, or knows that nobody here exports it", async () => {
    const names = new Set((await prometheus.get("/api/v1/label/__name__/values")) as string[]);
    const used = [
      ...alertsOf(watched).flatMap(({ expr }) => expr.metrics),
      ...dashboards(watched, clock).flatMap(({ panels }) =>
        panels.flatMap(({ queries }) => queries.flatMap(({ metrics }) => metrics)),
      ),
    ].filter(({ source }) => source.documentedOnly === undefined);
    const missing = used
      .map(({ name, type }) => (type === "histogram" ? `${name}_bucket` : name))
      .filter((name) => !names.has(name));
    expect([...new Set(missing)].sort()).toEqual(notYet);
  });

  /** Breaks something, waits for the messages, repairs it, and waits until everything is said to be over. */
  const told = async (broken: () => Promise<void>, repaired: () => Promise<void>, wanted: readonly string[]) => {
    const before = inbox.mark();
    const names = [...new Set(wanted.map((each) => each.split(" ")[0] ?? ""))].sort();
    try {
      await broken();
      await until(`messages of ${names.join(", ")}`, async () => names.every((name) => firing(before).includes(name)));
    } catch (error) {
      const alerts = await prometheus.query('ALERTS{alertname!="Watchdog"}');
      const known = alerts.map(({ labels }) => `${labels.alertname} ${labels.alertstate}`).join(", ");
      throw new Error(`told: ${messages(before).join(", ")}; Prometheus has: ${known}`, { cause: error });
    } finally {
      await repaired();
    }
    await until("everything is resolved", async () => firing(before).length === 0, 240);
    expect(messages(before)).toEqual([...wanted].sort());
  };

  it("tells of PostgreSQL that is gone, and of nothing that follows from it", async () => {
    await told(
      () => scale("statefulset", "postgres", 0),
      () => scale("statefulset", "postgres", 1),
      ["DatabaseDown -> on call", "DatabaseDown -> dba@taskflow.com"],
    );
  });

  it("tells of Redis that is gone", async () => {
    await told(
      () => scale("statefulset", "redis", 0),
      () => scale("statefulset", "redis", 1),
      ["CacheDown -> on call", "CacheDown -> devops@taskflow.com"],
    );
  });

  it("tells of a colour whose pods are gone", async () => {
    await told(() => scale("deployment", "taskflow-backend-green", 0), async () => {
      await scale("deployment", "taskflow-backend-green", 1);
      await until("green is back", async () => (await readyPods("component=backend,version=green")) === 1);
    }, ["CandidateDown -> on call", "CandidateDown -> oncall@taskflow.com"]);
  });

  it("tells of a volume that fills up", async () => {
    const shell = (script: string) => kubectl(["exec", "--namespace", namespace, "redis-0", "--", "sh", "-c", script]);
    await told(
      // All but 6 %.
      async () =>
        void (await shell(
          "set -- $(df -Pk /data | tail -n 1); head -c $((($4 - $2 * 6 / 100) * 1024)) /dev/zero > /data/fill",
        )),
      async () => void (await shell("rm /data/fill")),
      ["VolumeFillingUp -> devops@taskflow.com"],
    );
  });

  it("tells of a release that fails, by what must be done about it", async () => {
    // Before that a canary's errors count for nothing, and the rate of all errors, which needs no sample, would be told first.
    const asked =
      'sum(increase(http_requests_total{service="backend", colour="green", route!~"/health|/ready|/metrics"}[30s]))';
    await until("the candidate was asked often enough", async () =>
      (await prometheus.query(asked)).some(({ value }) => value >= watched.application.triggers.canary.requests),
    );
    await told(
      () => orderFaults("green", { errorShare: 0.3 }),
      () => orderFaults("green", { errorShare: 0 }),
      // First that the canary fails, then that it has failed for so long that it must go.
      ["CanaryErrors", "RollbackImmediate"].flatMap((alert) => [
        `${alert} -> on call`,
        `${alert} -> oncall@taskflow.com`,
      ]),
    );
  });
});
