import { beforeEach, describe, expect, it } from "vitest";
import { lineProgress } from "../../cli/progress.ts";
import { abort } from "../../cli/rollout/abort.ts";
import { abortNow, abortText } from "../../cli/rollout/abort-now.ts";
import { Session } from "../../cli/session.ts";
import { GuardedCluster } from "../support/guarded-cluster.ts";
import { place } from "../support/ledger-api.ts";
import { told } from "../support/live.ts";

const order = { colour: undefined, reason: "checkout fails", by: "Ada", stack: "production" };
const green = "2.0.0-bbbb";

describe("golive rollout abort --now", () => {
  let cluster: GuardedCluster;
  beforeEach(() => {
    cluster = new GuardedCluster();
  });
  const run = (changes: Partial<Parameters<typeof abortNow>[2]> = {}) =>
    abortNow(cluster, place, { ...order, ...changes });

  it("takes the candidate's traffic, buries its release, and tells the ledger who and why", async () => {
    const done = await run();
    expect(done).toEqual({
      outcome: "aborted",
      colour: "green",
      release: green,
      from: { blue: 90, green: 10 },
      to: { blue: 100, green: 0 },
      trip: "green was tripped by Ada at 2026-11-21T12:00:00Z (checkout fails)",
      record: 1,
      notes: [],
      next: "golive rollout abort --stack production, which writes candidateTraffic 0 and acknowledges this (a driver at work does so by itself)",
    });
    expect(cluster.route).toMatchObject({ exposure: { blue: 100, green: 0 }, tombstones: [green] });
    expect(cluster.managers).toEqual(["golive-abort"]);
    expect(await cluster.records()).toEqual([
      expect.objectContaining({ kind: "abort", who: "Ada", reason: "checkout fails", stack: "production" }),
    ]);
    expect(abortText(done)).toBe(
      [
        "green gets no traffic any more: blue 90, green 10 -> blue 100, green 0",
        `${green} has a tombstone: it climbs again after golive rollout clear ${green} --name WHO --reason WHY`,
        "record 1 of the ledger",
        `Next: ${done.next}`,
      ].join("\n"),
    );
  });

  it("does so without a ledger, and without a look at the pods: neither keeps the traffic", async () => {
    cluster.before = ({ path }) =>
      path.includes("/configmaps") || path.includes("/deployments/")
        ? cluster.say(403, { message: "not you" })
        : undefined;
    const { outcome, record, notes } = await run();
    expect({ outcome, record, notes }).toEqual({
      outcome: "aborted",
      record: undefined,
      notes: [
        "the pods of blue were not looked at: asked for Deployment taskflow-backend-blue, the API server answered 403: not you",
        "not in the ledger yet: cannot read the ledger (ConfigMap taskflow-ledger in namespace production): the API server answered 403: not you",
      ],
    });
    expect(cluster.route.exposure).toEqual({ blue: 100, green: 0 });
  });

  it("sends nobody to a colour without ready pods", async () => {
    cluster.ready["taskflow-frontend-blue"] = 0;
    await expect(run()).rejects.toThrow(
      "golive rollout abort: all traffic would go to blue, which has no ready pod of taskflow-frontend-blue; nothing was touched. " +
        "Next: bring blue up, or give the route its weights by hand",
    );
    expect(cluster.managers).toEqual([]);
  });

  it("says why a colour keeps its traffic", async () => {
    cluster.write({ told: told({ candidateTraffic: 100, retired: ["blue"] }) });
    await expect(run()).rejects.toThrow(
      "golive rollout abort: green keeps its traffic: blue is retired; nothing was touched",
    );
  });

  it("does nothing twice", async () => {
    await run();
    const again = await run();
    expect(again).toMatchObject({ outcome: "idle", record: undefined });
    expect(abortText(again)).toContain("green has no traffic: nothing was written. green was tripped by Ada");
    expect(cluster.managers).toHaveLength(1);
    expect(await cluster.records()).toHaveLength(1);
  });

  it("says how the other colour is sent away, where the candidate has nothing, and that a pod-less stable is no matter then", async () => {
    cluster.write({ told: told() });
    cluster.ready["taskflow-frontend-blue"] = 0;
    expect(abortText(await run())).toBe(
      "green has no traffic: nothing was written\n" +
        "Next: to take it off blue: golive rollout abort --now --stack production --colour blue",
    );
  });

  it("returns to the release before, after the switch of roles, and says what config must say then", async () => {
    cluster.write({ told: told({ candidate: "blue", proven: { blue: "1.0.0-aaaa", green } }) });
    expect(await run({ colour: "green" })).toMatchObject({
      outcome: "aborted",
      to: { blue: 100, green: 0 },
      next: "golive pulumi config set --stack production golive:candidateTraffic 100, then golive pulumi up --stack production: that acknowledges it",
    });
  });

  it("says what is missing: the route, golive's hand on it, the API server", async () => {
    cluster.before = () => cluster.say(404, {});
    await expect(run()).rejects.toThrow("golive rollout abort: there is no HTTPRoute taskflow in namespace production");
    cluster.before = () => cluster.say(200, { metadata: {}, spec: { rules: [] } });
    await expect(run()).rejects.toThrow("golive did not make this route; nothing was touched");
    cluster.before = () => {
      throw new Error("no answer within 10 s");
    };
    await expect(run()).rejects.toThrow("golive rollout abort: no answer within 10 s");
  });
});

describe("the command line of golive rollout abort", () => {
  const session = new Session(lineProgress(() => {}));
  it.each([
    [["--reason", "x"], "got --reason; allowed: with --now only"],
    [["--now", "--commit"], "got --commit with --now, which writes no file"],
    [["--now", "--colour", "red"], '--colour: got "red"; allowed: blue, green'],
    [
      ["--now", "--namespace", "x"],
      "--namespace and --application: got one of them or none; allowed: both, or --stack alone",
    ],
    [
      ["--now", "--stack", "s", "--namespace", "x", "--application", "y"],
      "got --stack with --namespace, --application or --kubeconfig",
    ],
    [["--now", "fast"], 'got "fast"; it takes options only'],
  ])("%j is refused before anything is asked", async (args, problem) => {
    await expect(abort.run(args, session)).rejects.toThrow(`golive rollout abort: ${problem}`);
  });
});
