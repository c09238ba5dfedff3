import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Prometheus } from "../../cli/prometheus.ts";
import { kubectl } from "../../local/cluster/api.ts";
import { gateway } from "../../local/gateway.ts";
import { openAccounts } from "../../local/load/accounts.ts";
import { type Load, startLoad } from "../../local/load/load.ts";
import { places } from "../../local/places.ts";
import { openCluster } from "../../rollout/cluster.ts";
import { type Assessment, assess } from "../../rollout/gate/assess.ts";
import { verifyChain } from "../../rollout/ledger/chain.ts";
import { readLedger } from "../../rollout/ledger/read.ts";
import { readPages } from "../../rollout/ledger/store.ts";
import { openTrip } from "../../rollout/observed.ts";
import { golive } from "../support/clone.ts";
import { RunningDriver } from "../support/driver.ts";
import { bothGuardsTell } from "../support/guard-pods.ts";
import { answersAs, liveRoute, liveWeights, readyPods, scale, until } from "../support/live-cluster.ts";
import { LyingPrometheus } from "../support/lying-prometheus.ts";
import { stackSettings } from "../support/platform.ts";
import { LiveStack, textOf } from "../support/stack.ts";

const hostname = "taskflow.localhost";
const at = (blue: number, green: number) => [`/api: ${blue}/${green}`, `/: ${blue}/${green}`];
const rungs = [
  { percent: 50, soakMinutes: 8 },
  { percent: 100, soakMinutes: 1 },
];
const settings = stackSettings("local", {
  gate: { mode: "on" },
  ladder: rungs,
  cluster: { context: "golive-local", kubeconfig: places.kubeconfig },
});
const place = { namespace: "local", application: "taskflow" };
const cluster = openCluster({ ...settings.cluster, ...place });
const { api } = cluster;
const prometheus = new Prometheus(places.kubeconfig, settings.monitoring.namespace);
const judged = (): Promise<Assessment> => assess(settings, cluster);
/** Soak over, and something measured: whatever holds a step then is the fault. */
const measures = () =>
  until(
    "the soak is over, and something is measured",
    async () => {
      const { measured, soakLeftSeconds } = await judged();
      return soakLeftSeconds === 0 && Number.isFinite(measured?.newest);
    },
    180,
    1000,
  );
const fires = (alert: string, labels = "") =>
  until(`alert ${alert}`, async () => {
    const found = await prometheus.query(`ALERTS{alertname="${alert}", alertstate="firing"${labels}}`);
    return found.length > 0;
  });
const site = { origin: { host: gateway.host, port: gateway.publicPort }, hostname, slowMs: 15_000 };
const [succeeded, failed] = [() => true, () => false];
const newest = async () => (await readLedger(api, place)).at(-1);

/** One story: a release on half of the traffic, with gate and guard, and around it one thing after the other breaks. */
describe("what breaks around a release costs no user anything that it must not", () => {
  let stack: LiveStack;
  let load: Load;

  beforeAll(async () => {
    stack = await LiveStack.own();
    await stack.set({ "gate.mode": "on" });
    for (const [index, { percent, soakMinutes }] of rungs.entries())
      await stack.set({ [`ladder[${index}].percent`]: percent, [`ladder[${index}].soakMinutes`]: soakMinutes });
    await stack.succeedUp();
    await until("blue on the public route", () => answersAs(gateway.publicPort, hostname, "blue"));
    await until("both guards see the gateway", () => bothGuardsTell("gateway_up", 1));
  });
  // A load ends by itself after ten minutes at the latest: each story has its own.
  beforeEach(async () => {
    load = await startLoad({
      origin: { host: gateway.host, port: gateway.publicPort },
      ...{ hostname, requestsPerSecond: 80, seconds: 600 },
    });
  });
  afterEach(async () => {
    await load.stop();
  });
  afterAll(async () => {
    await stack.destroy();
    await stack.close();
  });

  /** An `up` to 100 that must be held at the moment of writing, with these texts, and leave the live weights alone. */
  const held = async (...texts: readonly string[]) => {
    const before = await liveWeights();
    const run = await stack.up();
    expect(textOf(run)).toContain("the route was not written");
    expect(run.exitCode).not.toBe(0);
    expect(await liveWeights()).toEqual(before);
    const record = await newest();
    expect(record).toMatchObject({ kind: "refused", to: { blue: 0, green: 100 } });
    for (const text of ["candidateTraffic 50 -> 100 is held: ", ...texts]) {
      expect(textOf(run)).toContain(text);
      expect(record?.reason).toContain(text);
    }
  };
  const nothingTripped = async () => {
    expect(await liveWeights()).toEqual(at(50, 50));
    const { route } = (await judged()).observed;
    expect(route && openTrip(route)).toBeUndefined();
    expect(await bothGuardsTell("armed", 1)).toBe(true);
    expect(await bothGuardsTell("trips_total", 0)).toBe(true);
  };

  it("a clock that is five minutes off, either way: step, record and soak go by the cluster's", async () => {
    const module = `--import=file://${join(import.meta.dirname, "..", "support", "clock-off.ts")}`;
    const off = (seconds: number) => ({ NODE_OPTIONS: module, GOLIVE_TEST_CLOCK_SECONDS: String(seconds) });
    await stack.set({ candidateTraffic: 50 });
    const run = await stack.run(["up", "--yes", "--skip-preview"], { env: off(-300) });
    expect(textOf(run)).toContain("up: candidateTraffic 0 -> 50");
    expect(run.exitCode).toBe(0);
    const { at: now } = await api.ask({ method: "GET", path: "/version" });
    const minutesFrom = (time: string | undefined) => Math.abs(now.getTime() - Date.parse(time ?? "")) / 60_000;
    expect(minutesFrom((await newest())?.at)).toBeLessThan(2);
    const statuses = await Promise.all(
      [0, 300, -300].map((seconds) => golive(places.root, ["rollout", "status", "--json"], off(seconds))),
    );
    for (const { stdout } of statuses) {
      const { at: time, live, next } = JSON.parse(stdout) as { at: string; live: unknown; next: { kind: string } };
      expect(minutesFrom(time)).toBeLessThan(2);
      expect([live, next.kind]).toEqual([{ blue: 50, green: 50 }, "wait"]);
    }
    await nothingTripped();
  });

  it("a Prometheus that answers NaN, or nothing: no step, no trip, and the reason is said", async () => {
    await stack.step(50);
    await measures();
    await stack.set({ candidateTraffic: 100 });
    const lying = await LyingPrometheus.start(settings);
    try {
      await lying.tell("nan");
      await held("the gate holds: ", "nothing was measured: there is no series");
      await lying.tell("empty");
      await held("nothing was measured: there is no series");
      await nothingTripped();
    } finally {
      await lying.stop();
    }
    await measures();
  });

  it("a Prometheus that is gone: no step, no trip, and what is measured counts again when it is back", async () => {
    const replicas = (count: number) =>
      kubectl([
        ...["--namespace", settings.monitoring.namespace, "patch", "prometheus", "taskflow", "--type=merge"],
        ...["--patch", JSON.stringify({ spec: { replicas: count } })],
      ]);
    await replicas(0);
    try {
      await until("nothing is measured", async () => (await judged()).unmeasured !== undefined);
      await until("the guard knows", () => bothGuardsTell("prometheus_up", 0));
      await held("the gate holds: nothing was measured (", "Prometheus");
      await nothingTripped();
    } finally {
      await replicas(1);
    }
    await until("the guard asks it again", () => bothGuardsTell("prometheus_up", 1));
    await measures();
  });

  it("both pods of the guard are gone: somebody is told, and nothing goes up until one is back", async () => {
    await scale("deployment", "guard", 0);
    try {
      await fires("TargetMissing", ', job="guard"');
      await held("no pod of the guard is ready: nothing would take this release back by itself");
    } finally {
      await scale("deployment", "guard", 2);
    }
    await until("both guards armed", () => bothGuardsTell("armed", 1));
    await measures();
  });

  it("the gateway restarts: nobody loses more than the restart, and counters that begin anew trip nothing", async () => {
    const begun = load.now();
    await kubectl(["--namespace", gateway.namespace, "delete", "pod", "--selector=app.kubernetes.io/name=traefik"]);
    await kubectl(["--namespace", gateway.namespace, "rollout", "status", "deployment/traefik", "--timeout=120s"]);
    await until("it answers", () => answersAs(gateway.publicPort, hostname, "blue"));
    const back = load.now();
    await until("the guards see it", () => bothGuardsTell("gateway_up", 1));
    await measures();
    const during = await load.sample(begun, back);
    const after = await load.sample(back, load.now());
    console.info(
      `the gateway restarted: ${during.failed} of ${during.requests} failed in ${((back - begun) / 1000).toFixed(1)} s`,
    );
    expect(after.failures).toEqual([]);
    await nothingTripped();
  });

  it("the database of both colours is down: no release is blamed, and nothing goes up", async () => {
    await scale("statefulset", "postgres", 0);
    try {
      await until(
        "both fail",
        async () => {
          const { measured } = await judged();
          const { candidate, stable } = measured?.services.backend?.window ?? {};
          return (candidate?.errors ?? 0) > 20 && (stable?.errors ?? 0) > 20;
        },
        240,
        1000,
      );
      await fires("DatabaseDown");
      await held("the gate holds: ", "stable");
      await nothingTripped();
    } finally {
      await scale("statefulset", "postgres", 1);
      await until("PostgreSQL is back", async () => (await readyPods("component=postgres")) === 1);
      // Services find their way back by themselves; the next story's users need it.
      await until("users can register", () => openAccounts(site, 1).then(succeeded, failed));
    }
  });

  it("a second field manager takes the weights: the next run names them, and the way down takes them back", async () => {
    const route = await liveRoute();
    const rules = route.spec?.rules?.map((rule) => ({
      ...rule,
      backendRefs: rule.backendRefs?.map((ref) => ({ ...ref, weight: ref.name.endsWith("green") ? 70 : 30 })),
    }));
    const name = place.application;
    const manifest = {
      ...{ apiVersion: "gateway.networking.k8s.io/v1", kind: "HTTPRoute" },
      metadata: { name, namespace: place.namespace },
      spec: { ...route.spec, rules },
    };
    await kubectl(["apply", "--server-side", "--force-conflicts", "--field-manager=helm", "--filename=-"], {
      input: JSON.stringify(manifest),
    });
    const refused = await stack.up();
    expect(textOf(refused)).toContain("someone edited the route by hand: rule /api has blue 30, green 70");
    expect(refused.exitCode).not.toBe(0);
    const status = new RunningDriver("status");
    expect((await status.ended).stdout).toContain("edited     by hand: rule /api has blue 30, green 70");
    await stack.step(0);
    expect(await liveWeights()).toEqual(at(100, 0));
    expect(await newest()).toMatchObject({ kind: "down", to: { blue: 100, green: 0 } });
  });

  it("a driver is killed in the middle of its up: the lower weight stays, and resume goes on to the end", async () => {
    const first = new RunningDriver("start", "--to", "50", "--json");
    await until("its up", () => stack.isLocked(), 120, 20);
    await first.kill();
    expect(await liveWeights()).toEqual(at(100, 0));
    const status = await new RunningDriver("status").ended;
    expect(status.stdout).toContain("asks for 50 %, which is not live");
    const second = await new RunningDriver("resume", "--to", "50", "--json").ended;
    expect(second.stderr).toContain("waiting: ");
    expect(JSON.parse(second.stdout)).toMatchObject({ outcome: "reached", live: 50 });
    expect(second.code).toBe(0);
    expect(await liveWeights()).toEqual(at(50, 50));
  });

  it("the candidate has no endpoints, though its pods are ready: the guard takes its traffic back", async () => {
    const patch = (selector: string) =>
      kubectl([
        ...["--namespace", "local", "patch", "service", "taskflow-backend-green", "--type=merge"],
        ...["--patch", JSON.stringify({ spec: { selector: { version: selector } } })],
      ]);
    await stack.step(50);
    await until("both guards armed", () => bothGuardsTell("armed", 1));
    await patch("nobody");
    try {
      await until("the trip", async () => (await liveWeights()).join() === at(100, 0).join(), 60, 100);
    } finally {
      await patch("green");
    }
    await until("its record", async () => (await newest())?.kind === "trip");
    const status = await new RunningDriver("status").ended;
    expect(status.stdout).toMatch(
      /trip {7}green was tripped by guard at .* \(a service of the candidate has 50 % of the requests and no pod /,
    );
    expect(status.stdout).toContain("next       acknowledge the trip: candidateTraffic 0, pulumi up");
    await stack.step(0);
    expect(await newest()).toMatchObject({
      to: { blue: 100, green: 0 },
      reason: expect.stringContaining("acknowledges"),
    });
  });

  it("an up is killed between route and ledger: the next command says so, and the next run writes it down", async () => {
    // Another release: that one has a tombstone.
    await stack.step(0);
    await stack.set({ "green.version": "2.0.1" });
    await stack.succeedUp();
    const before = await newest();
    await stack.set({ candidateTraffic: 50 });
    await stack.killUpWhen(async () => (await liveWeights()).join() === at(50, 50).join(), 5);
    expect(await newest()).toEqual(before);
    const { stdout } = await new RunningDriver("status").ended;
    expect(stdout).toContain(`unrecorded the route was written after record ${before?.number}`);
    await stack.succeedUp();
    const added = (await readLedger(api, place)).slice(before?.number);
    expect(added.map(({ kind, to }) => [kind, to.green])).toEqual([
      ["found", 50],
      ["stay", 50],
    ]);
    expect(verifyChain((await readPages(api, place)).pages)).toEqual([]);
  });
});
