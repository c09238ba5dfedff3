import { describe, expect, it } from "vitest";
import { assess } from "../../rollout/gate/assess.ts";
import type { KubeApi } from "../../rollout/kube/api.ts";
import type { Observed } from "../../rollout/observed.ts";
import { type Config, settingsWith } from "../support/config.ts";
import { now, observed, pods, told } from "../support/live.ts";

/** What Prometheus answers to each kind of question; the first whose text is in the expression. */
type Answers = readonly (readonly [text: string, value: string | undefined])[];

const good: Answers = [
  ["timestamp(", String(now.getTime() / 1000 - 1)],
  ["golive:baseline", undefined],
  ["traefik_", undefined],
  ["histogram_quantile", "0.04"],
  ["5..", "0"],
  ['colour="green"', "1000"],
  ['colour="blue"', "9000"],
];

/** A cluster in which this is live and Prometheus answers so; and what it was asked. */
function cluster(live: Observed, answers: Answers = good, status = 200, guards = 2) {
  const asked: string[] = [];
  const api: KubeApi = {
    async ask({ path }) {
      if (path.endsWith("/deployments/guard"))
        return { status: 200, body: JSON.stringify({ status: { readyReplicas: guards } }), at: now };
      const promql = new URL(path, "http://here").searchParams.get("query") ?? "";
      asked.push(path);
      const value = answers.find(([text]) => promql.includes(text))?.[1];
      const result = value === undefined ? [] : [{ metric: {}, value: [0, value] }];
      const body = {
        status: status === 200 ? "success" : "error",
        error: "starting up",
        data: { resultType: "vector", result },
      };
      return { status, body: JSON.stringify(body), at: now };
    },
  };
  return { asked, observe: async () => live, api };
}

const gated = (changes: Config = {}) =>
  settingsWith({ gate: { mode: "on" }, monitoring: { speed: 1 }, candidateTraffic: 10, ...changes });
const at10 = (hoursAgo: number, more: Parameters<typeof observed>[0] = {}) =>
  observed({ told: told({ candidateTraffic: 10 }), hoursAgo, ...more });

describe("a step up is judged by", () => {
  it("soak, numbers since the last step and the share that was measured, at the cluster's time", async () => {
    const judged = await assess(gated(), cluster(at10(0.25)));
    expect(judged).toMatchObject({
      from: 10,
      verdict: { outcome: "pass" },
      soakSeconds: 900,
      soakLeftSeconds: 0,
      share: { asked: 10, measured: 10 },
      unmeasured: undefined,
    });
    const { measured } = judged;
    expect(measured && measured.at - measured.since).toBe(900);
    expect(measured?.services.backend?.window.candidate.requests).toBe(1000);
    expect(measured?.queries.length).toBeGreaterThan(20);
  });

  it("the soak that is left, whatever this machine's clock says", async () => {
    const judged = await assess(gated(), cluster(at10(0.1)));
    expect(judged.soakLeftSeconds).toBe(540);
  });

  it("a rehearsal's pace", async () => {
    const judged = await assess(gated({ monitoring: { speed: 15 } }), cluster(at10(0.01)));
    expect(judged).toMatchObject({ soakSeconds: 60, soakLeftSeconds: 24 });
    expect(judged.thresholds.immediate.seconds).toBe(40);
  });

  it("what the gate makes of a release that fails", async () => {
    const answers: Answers = [['colour="green",status=~"5.."', "300"], ...good];
    const judged = await assess(gated(), cluster(at10(0.25), answers));
    expect(judged.verdict.outcome).toBe("rollback");
  });

  it("whether the guard is awake: without one nothing goes up, and what must go back still does", async () => {
    const alone = await assess(gated(), cluster(at10(0.25), good, 200, 0));
    expect(alone.verdict).toMatchObject({
      outcome: "hold",
      reason: "no pod of the guard is ready: nothing would take this release back by itself",
      waitSeconds: undefined,
    });
    const answers: Answers = [['colour="green",status=~"5.."', "300"], ...good];
    expect((await assess(gated(), cluster(at10(0.25), answers, 200, 0))).verdict.outcome).toBe("rollback");
    const first = observed({ told: told({ candidateTraffic: 0 }) });
    expect((await assess(gated(), cluster(first, good, 200, 0))).verdict.outcome).toBe("hold");
  });

  it("nothing where Prometheus does not answer, which holds and says why", async () => {
    const judged = await assess(gated(), cluster(at10(0.25), good, 503));
    expect(judged.measured).toBe(undefined);
    expect(judged.verdict).toMatchObject({ outcome: "hold" });
    expect(judged.verdict.reason).toContain("Prometheus (prometheus:9090 in monitoring) answered 503: starting up");
    expect(judged.share.measured).toBeNaN();
  });

  it("pods alone: a candidate that is out completely is taken back, without any number", async () => {
    const out = at10(0.25, { pods: { green: pods({ release: "2.0.0-bbbb" }, { ready: 0 }) } });
    expect((await assess(gated(), cluster(out, good, 503))).verdict.outcome).toBe("rollback");
  });

  it("nothing yet while it has no traffic", async () => {
    const judged = await assess(gated(), cluster(observed(), good, 503));
    expect(judged).toMatchObject({ from: 0, soakSeconds: 0, soakLeftSeconds: 0, verdict: { outcome: "pass" } });
  });

  it("nothing at all where the gate is off, or there is no route", async () => {
    const off = await assess(settingsWith(), cluster(at10(0.001)));
    expect(off).toMatchObject({
      verdict: { outcome: "pass", reason: "the gate is off (golive:gate)" },
      soakLeftSeconds: 0,
    });
    const nowhere = cluster(observed({ noRoute: true }));
    expect((await assess(gated(), nowhere)).unmeasured).toBe("there is no route yet");
    expect(nowhere.asked).toEqual([]);
  });

  it("no route of which nobody knows when it was written", async () => {
    const live = at10(0.25);
    const forgotten = { ...live, route: live.route && { ...live.route, changedAt: undefined } };
    const judged = await assess(gated(), cluster(forgotten));
    expect(judged).toMatchObject({
      unmeasured: "the route does not say when it was last written",
      soakLeftSeconds: 900,
      verdict: { outcome: "hold" },
    });
  });
});
