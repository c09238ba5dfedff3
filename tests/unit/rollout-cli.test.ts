import { describe, expect, it } from "vitest";
import { lineProgress } from "../../cli/progress.ts";
import { errorsIn, isLocked } from "../../cli/rollout/engine.ts";
import { DriverLease, holderText, leaseSeconds } from "../../cli/rollout/lease.ts";
import { lineOf } from "../../cli/rollout/line.ts";
import { pauseIn } from "../../cli/rollout/pause.ts";
import { tooEarly, unproven } from "../../cli/rollout/promote.ts";
import { exitCodeOf, resultText, type WalkResult } from "../../cli/rollout/result.ts";
import { retirableIn } from "../../cli/rollout/retire.ts";
import { rawSettingsOf } from "../../cli/rollout/stack.ts";
import { stepOnce } from "../../cli/rollout/step.ts";
import { rollout } from "../../cli/rollout.ts";
import { Session } from "../../cli/session.ts";
import type { KubeApi, KubeRequest } from "../../rollout/kube/api.ts";
import { nextCheck, watchSeconds } from "../../rollout/walk/cadence.ts";
import { parseSettings } from "../../settings.ts";
import { failureOf } from "../support/failure.ts";
import { now, pods, told } from "../support/live.ts";
import { lookOf } from "../support/rollout-look.ts";
import { fails, passes, WalkWorld } from "../support/walk.ts";
import { happen } from "../support/world.ts";

describe("the command line of golive rollout", () => {
  it("means the whole ladder, waits for others, and commits nothing, unless said otherwise", () => {
    expect(lineOf("start", [])).toEqual({
      word: "start",
      stack: "local",
      json: false,
      to: undefined,
      onConflict: "wait",
      commit: false,
      patienceSeconds: 240 * 60,
      reason: "",
    });
    expect(
      lineOf("step", ["50", "--stack", "production", "--commit", "--on-conflict", "fail", "--json"]),
    ).toMatchObject({
      ...{ stack: "production", to: 50, onConflict: "fail", commit: true, json: true },
    });
  });

  it.each([
    ["start", ["--to", "ten"], 'golive rollout start: got "ten"; allowed: a percentage, 0 or a rung of the ladder'],
    ["start", ["10"], 'golive rollout start: got "10"; allowed: options only'],
    ["step", ["10", "50"], 'golive rollout step: got "50"; allowed: a percentage only'],
    ["start", ["--on-conflict", "win"], 'golive rollout start: --on-conflict: got "win"; allowed: wait, fail'],
    ["start", ["--patience", "0"], 'golive rollout start: --patience: got "0"; allowed: minutes, 1 to 10080'],
    ["status", ["--commit"], "golive rollout status: got --commit; allowed: --stack, --json"],
    [
      "pause",
      [],
      "golive rollout pause: --reason: got nothing; allowed: why, in a few words, for whoever finds it paused",
    ],
  ] as const)("%s %j is refused with what is allowed", (word, args, message) => {
    expect(failureOf(() => lineOf(word, args))).toEqual({
      message: `${message}. See: golive rollout --help`,
      exitCode: 2,
    });
  });

  it("says what it may have meant", async () => {
    const session = new Session(lineProgress(() => {}));
    expect(await failureOf(() => rollout.run(["promot"], session))).toEqual({
      message: 'golive rollout: got "promot"; did you mean promote? See: golive rollout --help',
      exitCode: 2,
    });
  });
});

describe("a stack's file, read by the driver", () => {
  it("is what the engine would hand to the program, with secrets left encrypted", () => {
    const text = `encryptionsalt: v1:x
config:
  golive:application: taskflow
  golive:candidateTraffic: "10"
  golive:blue: {version: 1.0.0, images: {backend: "b:1"}}
  golive:sentryDsn: {secure: v1:abc}
  other:key: 1
`;
    const raw = rawSettingsOf("staging", text);
    expect(raw).toEqual({
      stack: "staging",
      values: {
        application: "taskflow",
        candidateTraffic: "10",
        blue: '{"version":"1.0.0","images":{"backend":"b:1"}}',
        sentryDsn: "(encrypted)",
      },
      secretKeys: new Set(["sentryDsn"]),
      preview: true,
    });
  });

  it("that is empty has every problem that the program would find", () => {
    expect(() => parseSettings(rawSettingsOf("staging", ""))).toThrow('in the configuration of stack "staging"');
  });
});

describe("what the engine said", () => {
  it("is its errors, each once, without colours and without the sum of them", () => {
    const event = (message: string, severity = "error") => JSON.stringify({ diagnosticEvent: { message, severity } });
    const log = [
      event("<{%fg 1%}>gate: hold: 3 requests of 500<{%reset%}>\n"),
      event("gate: hold: 3 requests of 500"),
      event("an aside", "info"),
      JSON.stringify({ resourcePreEvent: {} }),
      event("update failed"),
      "",
    ].join("\n");
    expect(errorsIn(log)).toEqual(["gate: hold: 3 requests of 500"]);
  });

  it.each([
    ["error: the stack is currently locked by 1 lock(s). Either wait …", true],
    ["[409] Conflict: Another update is currently in progress.", true],
    ["gate: hold: the route is locked in my heart", false],
  ])("%s: another up has the stack: %s", (text, locked) => {
    expect(isLocked(text)).toBe(locked);
  });
});

/** An API server with one Lease in it, whose clock is set by hand. */
class LeaseServer implements KubeApi {
  clock = Date.parse("2026-11-21T12:00:00Z");
  lease: { metadata: { resourceVersion: string }; spec: Record<string, unknown> } | undefined;
  /** Called before a write is looked at: somebody else may be faster. */
  beforeWrite: () => void = () => {};
  #version = 0;

  ask({ method, body }: KubeRequest) {
    if (method === "GET") return this.#answer(this.lease ? 200 : 404);
    this.beforeWrite();
    const { metadata, spec } = body as { metadata: { resourceVersion?: string }; spec: Record<string, unknown> };
    const isStale = method === "POST" ? this.lease : this.lease?.metadata.resourceVersion !== metadata.resourceVersion;
    if (isStale) return this.#answer(409);
    this.lease = { metadata: { resourceVersion: `${++this.#version}` }, spec };
    return this.#answer(method === "POST" ? 201 : 200);
  }

  #answer(status: number) {
    return Promise.resolve({ status, body: JSON.stringify(this.lease ?? {}), at: new Date(this.clock) });
  }
}

describe("one driver at a time", () => {
  const place = { namespace: "local", application: "taskflow" };
  const two = () => {
    const server = new LeaseServer();
    return { server, ada: new DriverLease(server, place, "ada"), bob: new DriverLease(server, place, "bob") };
  };

  it("is told who else drives, and since when it was not heard of", async () => {
    const { server, ada, bob } = two();
    expect(await ada.take()).toBeUndefined();
    server.clock += 12_000;
    const holder = await bob.take();
    expect(holder && holderText(holder)).toBe(
      "ada drives this stack (heard of 12 s ago; if it is dead, it counts as such in 18 s)",
    );
    expect(await ada.take()).toBeUndefined();
  });

  it("takes over from a dead one, by the cluster's clock alone", async () => {
    const { server, ada, bob } = two();
    await ada.take();
    server.clock += leaseSeconds * 1000;
    expect(await bob.take()).toBeUndefined();
    expect((await ada.take())?.who).toBe("bob");
  });

  it("loses to who was faster between its look and its write", async () => {
    const { server, ada, bob } = two();
    await ada.take();
    server.clock += leaseSeconds * 1000;
    let isFirst = true;
    server.beforeWrite = () => {
      if (!isFirst || !server.lease) return;
      isFirst = false;
      const renewTime = new Date(server.clock).toISOString();
      server.lease = { metadata: { resourceVersion: "other" }, spec: { holderIdentity: "eve", renewTime } };
    };
    expect((await bob.take())?.who).toBe("eve");
  });

  it("gives back only what is its own", async () => {
    const { ada, bob } = two();
    await ada.take();
    await bob.release();
    expect((await bob.holder())?.who).toBe("ada");
    await ada.release();
    expect(await bob.holder()).toBeUndefined();
    expect(await bob.take()).toBeUndefined();
  });

  it("is no obstacle before there is a namespace", async () => {
    const server: KubeApi = { ask: () => Promise.resolve({ status: 404, body: "", at: now }) };
    expect(await new DriverLease(server, place, "ada").take()).toBeUndefined();
  });

  it("says what the API server refused", async () => {
    const body = JSON.stringify({ message: "leases is forbidden" });
    const server: KubeApi = { ask: () => Promise.resolve({ status: 403, body, at: now }) };
    expect(await failureOf(() => new DriverLease(server, place, "ada").take())).toEqual({
      message: "cannot read Lease taskflow-driver in namespace local: the API server answered 403: leases is forbidden",
      exitCode: 1,
    });
  });
});

describe("a pause", () => {
  const record = (kind: "pause" | "resume" | "up", reason = "") => ({ kind, who: "ada", reason });

  it("holds until somebody resumes, whatever else is written meanwhile", () => {
    expect(pauseIn([])).toBeUndefined();
    expect(pauseIn([record("pause", "lunch"), record("up")])).toBe("ada (lunch)");
    expect(pauseIn([record("pause", "lunch"), record("resume")])).toBeUndefined();
    expect(pauseIn([record("resume"), record("pause", "again")])).toBe("ada (again)");
  });
});

describe("the result of a walk", () => {
  const result: WalkResult = {
    outcome: "rolled back",
    reason: "30 % of 900 failed",
    next: "give the candidate another release",
    live: 0,
    steps: [
      { from: 0, to: 10, outcome: "success", reason: "0 of 900 failed", seconds: 11.26 },
      { from: 10, to: 0, outcome: "rolled back", reason: "30 % of 900 failed", seconds: 4 },
      { from: 0, to: 10, outcome: "not executed" },
    ],
  };

  it("reads step by step, with why and what next", () => {
    expect(resultText(result)).toBe(
      [
        "0 -> 10 %    success      11.3 s; 0 of 900 failed",
        "10 -> 0 %    rolled back  4.0 s; 30 % of 900 failed",
        "0 -> 10 %    not executed",
        "rolled back: 30 % of 900 failed. Live: 0 %.",
        "Next: give the candidate another release",
      ].join("\n"),
    );
  });

  it("is a failure for a script unless what was asked for was reached", () => {
    const outcomes = ["reached", "rolled back", "lowered", "refused", "held", "stopped"] as const;
    expect(outcomes.map((outcome) => exitCodeOf({ outcome }))).toEqual([0, 1, 1, 1, 1, 1]);
  });
});

describe("one step", () => {
  it("goes to the next rung, the file first", async () => {
    const it = new WalkWorld();
    expect(await stepOnce(it, { to: undefined })).toMatchObject({ outcome: "reached", live: 10 });
    expect(it.calls).toEqual(["read", "write 10", "up 10", "read"]);
  });

  it("goes down from any rung, also where a walk would trip", async () => {
    const it = new WalkWorld();
    await stepOnce(it, { to: 10 });
    it.gate = () => fails;
    expect(await stepOnce(it, { to: 0 })).toMatchObject({ outcome: "reached", live: 0 });
  });

  it("that is refused leaves what is live in the file, and says why", async () => {
    const it = new WalkWorld();
    it.gate = () => passes;
    expect(await stepOnce(it, { to: 50 })).toMatchObject({
      outcome: "refused",
      live: 0,
      reason: "candidateTraffic 0 -> 50 skips a rung: the next is 10 (or any lower value)",
    });
    expect(it.left).toMatchObject({ live: 0, written: 0 });
  });

  it("up is refused after a hand edit before anything is written", async () => {
    const it = new WalkWorld();
    await stepOnce(it, { to: 10 });
    it.world = happen(it.world, { kind: "edit", weights: { blue: 60, green: 40 }, foreign: 0, rules: "all" });
    it.calls.length = 0;
    it.file = { ...it.file, candidateTraffic: 50 };
    const result = await stepOnce(it, { to: 50 });
    expect(result.outcome).toBe("refused");
    expect(result.reason).toContain("someone edited the route by hand");
    expect(it.calls).toEqual(["read"]);
  });
});

describe("the watch of the first day", () => {
  it("looks each minute for an hour, then 20 times more (S4-78)", () => {
    const checks: number[] = [];
    for (let at = nextCheck(0); at !== undefined; at = nextCheck(at)) checks.push(at);
    const hour = 3600;
    expect(checks.filter((at) => at <= hour)).toHaveLength(60);
    expect(checks.filter((at) => at > hour && at <= 4 * hour)).toHaveLength(6);
    expect(checks.filter((at) => at > 4 * hour && at <= 12 * hour)).toHaveLength(8);
    expect(checks.filter((at) => at > 12 * hour)).toHaveLength(6);
    expect(checks.at(-1)).toBe(watchSeconds);
  });
});

describe("promotion", () => {
  const full = { told: told({ candidateTraffic: 100 }), hoursAgo: 25 };
  const fine = { trip: undefined, edits: [], paused: undefined, verdict: passes };

  it("is allowed after a day at 100", () => {
    expect(unproven(lookOf(full, { retireAfterHours: 24 }), fine)).toBeUndefined();
  });

  it.each([
    ["before the day is over", { ...full, hoursAgo: 23 }, fine, "allowed after 24 h (golive:retireAfterHours), in 1 h"],
    ["below 100", { told: told({ candidateTraffic: 50 }) }, fine, "green has 50 %, not 100"],
    ["on a failing release", full, { ...fine, verdict: fails }, "the gate says rollback: 30 % of 900 failed"],
    ["while it is paused", full, { ...fine, paused: "ada (lunch)" }, "paused by ada (lunch)"],
    ["after a hand edit", full, { ...fine, edits: ["rule / is gone"] }, "edited the route by hand: rule / is gone"],
    ["after a trip", full, { ...fine, trip: "green was tripped (x)" }, "green was tripped (x)"],
  ])("is refused %s", (_, live, state, reason) => {
    expect(unproven(lookOf(live, { retireAfterHours: 24 }), state)).toContain(reason);
  });

  it("waits no second day for a colour that was retired after the first: there is nothing to go back to", () => {
    const retired = { told: told({ candidateTraffic: 100, retired: ["blue"] }), hoursAgo: 1 };
    expect(unproven(lookOf(retired, { retireAfterHours: 24 }), fine)).toBeUndefined();
    expect(unproven(lookOf({ ...full, hoursAgo: 1 }, { retireAfterHours: 24 }), fine)).toContain("in 23 h");
  });

  it("never takes a route without a time for an old one", () => {
    expect(tooEarly(undefined, now, 24)).toContain("in 24 h");
  });
});

describe("retirement", () => {
  const full = { told: told({ candidateTraffic: 100 }), hoursAgo: 25 };

  it("takes the colour that lost its traffic, a day after", () => {
    expect(retirableIn(lookOf(full, { retireAfterHours: 24 }))).toEqual({ colour: "blue", begun: false });
  });

  it("is refused by the rules before that, in their words", () => {
    expect(retirableIn(lookOf({ ...full, hoursAgo: 2 }, { retireAfterHours: 24 }))).toEqual({
      reason: "blue would be retired 2.0 h after the route was last written; allowed after 24 h",
      next: "keep it for a rollback until then: remove the retired flag",
    });
  });

  it("is refused while both colours serve", () => {
    expect(retirableIn(lookOf({ told: told({ candidateTraffic: 50 }) }, {}))).toMatchObject({
      reason: "no colour is at 0: both get traffic",
    });
  });

  it("goes on where a driver was killed that had written it into the file", () => {
    const written = { blue: { version: "1.0.0", images: imagesOf("1.0.0"), retired: true } };
    expect(retirableIn(lookOf(full, { retireAfterHours: 24, ...written }))).toEqual({ colour: "blue", begun: false });
  });

  it("that the route tells of was begun before", () => {
    const asleep = {
      ...full,
      told: told({ candidateTraffic: 100, retired: ["blue"] }),
      pods: { blue: pods({ replicas: 0 }) },
    };
    expect(
      retirableIn(lookOf(asleep, { blue: { version: "1.0.0", images: imagesOf("1.0.0"), retired: true } })),
    ).toEqual({ colour: "blue", begun: true });
  });
});

const imagesOf = (version: string) => ({
  backend: `golive.local/taskflow-backend:${version}`,
  frontend: `golive.local/taskflow-frontend:${version}`,
});
