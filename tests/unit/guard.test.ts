import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Colour } from "../../applications/application.ts";
import { type Told, tripAnnotation } from "../../rollout/told.ts";
import { CountingPod, endpointsOf, GuardedCluster, guarding, load, quiet } from "../support/guarded-cluster.ts";
import { evenRules, told } from "../support/live.ts";

const at10 = told({ candidateTraffic: 10 });
/** Green came up, and the roles have switched; blue is the proven way back. */
const switched = told({ candidate: "blue", proven: { blue: "1.0.0-aaaa", green: "2.0.0-bbbb" } });
const bad = { green: load(150, 0.3), blue: load(1350) };
const good = { green: load(150), blue: load(1350) };
/** Enough seconds for any trip that there will be. */
const long = 30;

/** A Prometheus to which 400 of 1,000 requests to these colours failed. */
const failing =
  (cluster: GuardedCluster, ...bad: readonly Colour[]) =>
  async (promql: string) => {
    if (promql.startsWith("min")) return cluster.ledger.now.getTime() / 1000;
    if (promql.includes("histogram_quantile")) return 0.05;
    if (!promql.includes("5..")) return 1000;
    return bad.some((colour) => promql.includes(`"${colour}"`) || promql.includes(`-${colour}-`)) ? 400 : 0;
  };

afterEach(() => {
  vi.useRealTimers();
});

describe("a candidate that fails while stable does not", () => {
  it("gets no traffic any more within five seconds, and route, event, ledger and metrics say why", async () => {
    const cluster = new GuardedCluster();
    const { guard, look, lines } = guarding(cluster);
    await look(2, good);
    expect(guard.state).toMatchObject({ armed: true, routeUp: true, gatewayUp: true, trips: 0 });
    await look(5, bad);
    const { exposure, floor, trip, tombstones } = cluster.route;
    expect([exposure, floor]).toEqual([
      { blue: 100, green: 0 },
      { blue: 100, green: 0 },
    ]);
    const reason = expect.stringMatching(
      /^backend: in \d s \d+ of \d+ requests to the candidate failed, and 0 of [\d,]+ to stable$/,
    );
    expect(trip).toMatchObject({ colour: "green", by: "guard", reason, at: cluster.ledger.now });
    expect(tombstones).toEqual(["2.0.0-bbbb"]);
    expect(cluster.managers).toEqual(["golive-guard"]);
    expect(cluster.events).toEqual([
      expect.objectContaining({
        type: "Warning",
        reason: "CandidateTripped",
        message: `green (2.0.0-bbbb) gets no traffic any more: ${trip?.reason}`,
        involvedObject: expect.objectContaining({ kind: "HTTPRoute", name: "taskflow", uid: "a-uid" }),
        reportingInstance: "guard-1",
      }),
    ]);
    expect(await cluster.records()).toEqual([
      expect.objectContaining({
        kind: "trip",
        candidate: "green",
        from: { blue: 90, green: 10 },
        to: { blue: 100, green: 0 },
        releases: { blue: "1.0.0-aaaa", green: "2.0.0-bbbb" },
        who: "guard",
        reason,
      }),
    ]);
    await look(1);
    expect(guard.state).toMatchObject({ armed: false, trips: 1 });
    expect(lines).toContain(`tripped: green: ${trip?.reason}`);
  });

  it("is found in its share of one service while the other service is well", async () => {
    const cluster = new GuardedCluster();
    const { look, pods } = guarding(cluster);
    await look(2, good);
    for (let second = 0; second < 5; second++) {
      for (const pod of pods) pod.count("frontend", { green: load(20, 1), blue: load(180) });
      await look(1, good);
    }
    expect(cluster.route.trip?.reason).toMatch(/^frontend: /);
  });

  it("is found whichever pod of the gateway sees it, and while another one is silent or starts anew", async () => {
    const pods = [new CountingPod(), new CountingPod()] as const;
    const cluster = new GuardedCluster();
    const { look } = guarding(cluster, { pods });
    await look(2, good);
    pods[0].silent = true;
    pods[1].restart();
    await look(5, bad);
    expect(cluster.route.exposure.green).toBe(0);
  });

  it("is found while DNS is gone, at the pods that were found before", async () => {
    const cluster = new GuardedCluster();
    let answers = true;
    const { look, lines } = guarding(cluster, { dns: () => answers });
    await look(2, good);
    answers = false;
    await look(10, good);
    expect(lines).toContain("cannot see the gateway: pods: queryResolveSrv ETIMEOUT");
    await look(5, bad);
    expect(cluster.route.exposure.green).toBe(0);
  });

  it("is tripped when the API server is back, though nothing was counted since", async () => {
    const cluster = new GuardedCluster();
    const { guard, look, lines, pods } = guarding(cluster);
    await look(2, good);
    cluster.before = () => {
      throw new Error("connect ECONNREFUSED 10.96.0.1:443");
    };
    await look(6, bad);
    expect(guard.state).toMatchObject({ armed: true, routeUp: false });
    for (const pod of pods) pod.silent = true;
    cluster.before = () => undefined;
    await look(1);
    expect(cluster.route.exposure.green).toBe(0);
    expect(lines).toContain("does not work: trip: connect ECONNREFUSED 10.96.0.1:443");
  });

  it("is tripped though nobody says which pods are ready: the other colour has just answered", async () => {
    const cluster = new GuardedCluster();
    const { look, lines } = guarding(cluster);
    await look(2, good);
    cluster.before = ({ path }) =>
      path.includes("/endpointslices") ? cluster.say(403, { message: "endpointslices is forbidden" }) : undefined;
    await look(5, bad);
    expect(cluster.route.exposure.green).toBe(0);
    expect(lines.join("\n")).toContain("trips without a look at the pods: ");
  });

  it("is tripped after a write of somebody else in between", async () => {
    const cluster = new GuardedCluster();
    const { look } = guarding(cluster);
    await look(2, good);
    let conflicts = 0;
    cluster.before = ({ method }) => {
      if (method !== "PATCH" || conflicts++ > 0) return undefined;
      return cluster.say(409, { message: "the object has been modified" });
    };
    await look(5, bad);
    expect([conflicts > 1, cluster.route.exposure.green]).toEqual([true, 0]);
  });

  it("is tripped when neither the ledger nor an event can be written, and both are said", async () => {
    const cluster = new GuardedCluster();
    const { look, lines } = guarding(cluster);
    await look(2, good);
    cluster.before = ({ method, path }) =>
      /events|configmaps/.test(path) ? cluster.say(403, { message: `may not ${method}` }) : undefined;
    await look(5, bad);
    expect(cluster.route.exposure.green).toBe(0);
    expect(lines).toContain(
      "cannot tell of a trip: events: no Event was written: the API server answered 403: may not POST",
    );
    expect(
      lines.filter((line) => line.startsWith("cannot tell of a trip: the ledger: cannot read the ledger")),
    ).toHaveLength(1);
    cluster.before = () => undefined;
    cluster.ledger.wait(10);
    await look(1);
    expect((await cluster.records()).map(({ kind }) => kind)).toEqual(["trip"]);
  });

  it("is tripped all the same by a guard whose own clock is five minutes off", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: new Date("2026-11-21T12:05:00Z") });
    const cluster = new GuardedCluster();
    const { look } = guarding(cluster);
    await look(2, good);
    await look(5, bad);
    expect(cluster.route.trip?.at).toEqual(new Date("2026-11-21T12:00:00Z"));
    expect((await cluster.records()).map(({ at }) => at)).toEqual(["2026-11-21T12:00:00.000Z"]);
  });

  it("is found by what was measured where the gateway counts in other words, and the ledger has every question", async () => {
    const cluster = new GuardedCluster({ told: at10, hoursAgo: 1 });
    const prometheus = async (promql: string) => {
      if (promql.startsWith("min")) return cluster.ledger.now.getTime() / 1000;
      const green = promql.includes('"green"') || promql.includes("-green-");
      if (promql.includes("histogram_quantile")) return 0.05;
      if (promql.includes("5..")) return green ? 400 : 0;
      return green ? 1000 : 9000;
    };
    const { guard, look } = guarding(cluster, { prometheus });
    await look(1);
    await guard.judge();
    await guard.stop();
    expect(cluster.route.exposure.green).toBe(0);
    const [record] = await cluster.records();
    expect(record?.verdict?.outcome).toBe("rollback");
    expect(record?.reason).toBe(record?.verdict?.reason);
    expect(record?.queries?.length).toBeGreaterThan(5);
    expect(guard.state.prometheusUp).toBe(true);
  });

  it("is tripped when none of its pods is ready, without a request and without Prometheus", async () => {
    const cluster = new GuardedCluster();
    cluster.ready["taskflow-backend-green"] = 0;
    const { guard, look } = guarding(cluster);
    await look(1);
    await guard.judge();
    await guard.stop();
    expect(cluster.route.trip?.reason).toBe(
      "a service of the candidate has 10 % of the requests and no pod that is ready",
    );
  });
});

describe("two guards", () => {
  it("take away once, and tell once", async () => {
    const cluster = new GuardedCluster();
    const pods = [new CountingPod()];
    const [one, other] = [guarding(cluster, { pods }), guarding(cluster, { pods, name: "guard-2" })];
    for (let second = 0; second < 8; second++) await Promise.all([one.look(1, bad), other.look(1)]);
    cluster.ledger.wait(60);
    await Promise.all([one.look(2), other.look(2)]);
    expect(cluster.route.exposure.green).toBe(0);
    expect([cluster.managers, cluster.events.length, (await cluster.records()).length]).toEqual([
      ["golive-guard"],
      1,
      1,
    ]);
    expect(one.guard.state.trips + other.guard.state.trips).toBe(1);
  });

  it("lose no record when one is killed between the trip and the ledger: the other one tells", async () => {
    const trip = "green: error ratio 12 % (guard, 2026-11-21T11:59:55Z)";
    const cluster = new GuardedCluster({ told: at10, rules: evenRules({ blue: 100, green: 0 }), trip });
    const { look } = guarding(cluster);
    await look(3);
    // The one that tripped may still be about to tell.
    expect(await cluster.records()).toEqual([]);
    cluster.ledger.wait(6);
    await look(3);
    expect(await cluster.records()).toEqual([
      expect.objectContaining({ kind: "trip", who: "guard", reason: "error ratio 12 %", to: { blue: 100, green: 0 } }),
    ]);
  });
});

describe("no release is blamed", () => {
  const untouched = async (cluster: GuardedCluster) => {
    expect([cluster.managers, cluster.events, await cluster.records()]).toEqual([[], [], []]);
  };

  it.each<[string, Partial<Record<Colour, ReturnType<typeof load>>>]>([
    ["while it is well", good],
    ["while stable fails as much: a shared database is down", { green: load(150, 0.9), blue: load(1350, 0.9) }],
    ["while only stable fails", { green: load(150), blue: load(1350, 0.5) }],
    ["while nobody asks it", { green: quiet, blue: load(1350) }],
    ["while nobody asks anybody", { green: quiet, blue: quiet }],
  ])("%s", async (_, loads) => {
    const cluster = new GuardedCluster();
    const { guard, look } = guarding(cluster);
    await look(2, good);
    await look(long, loads);
    expect(guard.state.armed).toBe(true);
    await untouched(cluster);
  });

  it("when the gateway says nothing, or is not there at all", async () => {
    const cluster = new GuardedCluster();
    const { guard, look, pods, lines } = guarding(cluster);
    await look(2, good);
    for (const pod of pods) pod.silent = true;
    await look(long, bad);
    expect(guard.state).toMatchObject({ armed: true, gatewayUp: false });
    expect(lines.filter((line) => line.startsWith("cannot see the gateway"))).toEqual([
      "cannot see the gateway: pod-0: pod-0 is silent",
    ]);
    const none = guarding(cluster, { pods: [] });
    await none.look(3);
    expect(none.lines).toContain("cannot see the gateway: pods: the gateway has no pods");
    await untouched(cluster);
  });

  it.each<[string, (promql: string) => Promise<number>, boolean]>([
    ["does not answer", async () => Promise.reject(new Error("Prometheus is down")), false],
    ["is empty", async () => Number.NaN, true],
    ["answers nothing finite", async () => Number.POSITIVE_INFINITY, true],
    // The newest sample is of two minutes ago.
    ["is two minutes behind", async (promql) => (promql.startsWith("min") ? 1_795_262_280 : 1000), true],
  ])("when Prometheus %s", async (_, prometheus, up) => {
    const cluster = new GuardedCluster();
    const { guard, look } = guarding(cluster, { prometheus });
    await look(2, good);
    await guard.judge();
    expect(guard.state.prometheusUp).toBe(up);
    await untouched(cluster);
  });

  it("for what the release before it did", async () => {
    const cluster = new GuardedCluster();
    const { look, pods } = guarding(cluster);
    await look(2, good);
    for (const pod of pods) pod.silent = true;
    await look(1);
    cluster.write({ told: told({ candidateTraffic: 0 }) });
    await look(long, bad);
    cluster.write({ told: told({ candidateTraffic: 10, releases: { blue: "1.0.0-aaaa", green: "2.0.1-cccc" } }) });
    for (const pod of pods) pod.silent = false;
    await look(long, good);
    await untouched(cluster);
  });

  it("after a person took its traffic away first, though the guard had seen enough; nor the one that comes then", async () => {
    const cluster = new GuardedCluster();
    const { look } = guarding(cluster);
    await look(2, good);
    cluster.before = () => {
      throw new Error("no answer");
    };
    await look(6, bad);
    cluster.before = () => undefined;
    cluster.write({ told: told({ candidateTraffic: 0 }) });
    await look(3);
    cluster.write({ told: told({ candidateTraffic: 10, releases: { blue: "1.0.0-aaaa", green: "2.0.1-cccc" } }) });
    await look(long, good);
    await untouched(cluster);
  });

  it.each<[string, Partial<Told>]>([
    ["is retired", { retired: ["blue"] }],
    ["got another release", { releases: { blue: "3.0.0-cccc", green: "2.0.0-bbbb" } }],
    ["was left behind by a contract migration", { outdated: ["1.0.0-aaaa"] }],
    ["has no release", { releases: { blue: undefined, green: "2.0.0-bbbb" } }],
  ])("after the switch of roles, once the other colour %s: there is no way back", async (_, changes) => {
    const cluster = new GuardedCluster({ told: told({ ...switched, ...changes }) });
    const { guard, look } = guarding(cluster, { prometheus: failing(cluster, "green") });
    await look(long, { green: load(1500, 0.9), blue: quiet });
    await guard.judge();
    expect(guard.state.armed).toBe(false);
    await untouched(cluster);
  });

  it("after the switch of roles, for what the gateway counts alone: with all traffic there is nothing to compare with", async () => {
    const cluster = new GuardedCluster({ told: switched });
    const { guard, look } = guarding(cluster);
    await look(long, { green: load(1500, 0.9), blue: quiet });
    await guard.judge();
    expect(guard.state.armed).toBe(true);
    await untouched(cluster);
  });

  it("after a rollback: the release that failed is no way back for the one that took over", async () => {
    const cluster = new GuardedCluster({ told: switched, tombstones: ["1.0.0-aaaa"] });
    const { guard, look } = guarding(cluster, { prometheus: failing(cluster, "green") });
    await look(2, { green: load(1500, 0.9) });
    await guard.judge();
    expect(guard.state.armed).toBe(false);
    await untouched(cluster);
  });
});

describe("after the switch of roles, until the other colour is retired, the release that came up", () => {
  it("goes back to the proven one when it fails by itself, and route and ledger say why", async () => {
    const cluster = new GuardedCluster({ told: switched, hoursAgo: 1 });
    const { guard, look } = guarding(cluster, { prometheus: failing(cluster, "green") });
    await look(2);
    expect(guard.state.armed).toBe(true);
    await guard.judge();
    await guard.stop();
    const reason =
      "judged as the candidate that it was, backend: 400 of 1,000 requests to the candidate failed (40 %), more than 5 %";
    const { exposure, trip, tombstones } = cluster.route;
    expect([exposure, trip?.colour, trip?.reason, tombstones]).toEqual([
      { blue: 100, green: 0 },
      "green",
      reason,
      ["2.0.0-bbbb"],
    ]);
    expect(await cluster.records()).toEqual([
      expect.objectContaining({ kind: "trip", from: { blue: 0, green: 100 }, to: { blue: 100, green: 0 }, reason }),
    ]);
  });

  it("goes back when a service has no ready pod any more, without Prometheus", async () => {
    const cluster = new GuardedCluster({ told: switched });
    cluster.ready["taskflow-frontend-green"] = 0;
    const { guard, look } = guarding(cluster);
    await look(1);
    await guard.judge();
    expect(cluster.route.exposure).toEqual({ blue: 100, green: 0 });
  });

  it("stays where the proven one has no pods, and the guard says so", async () => {
    const cluster = new GuardedCluster({ told: switched, hoursAgo: 1 });
    const { guard, look, lines } = guarding(cluster, { prometheus: failing(cluster, "green") });
    await look(1);
    let asked = 0;
    cluster.before = ({ path }) => {
      // Gone between the verdict and the trip.
      if (path.includes("-blue") && path.includes("/endpointslices") && ++asked > 2)
        return cluster.say(200, endpointsOf(0));
      return undefined;
    };
    await guard.judge();
    expect([cluster.managers, guard.state.withheld]).toEqual([[], true]);
    expect(lines.join("\n")).toContain("blue has no ready pod of backend, frontend; the release keeps its traffic");
  });

  it("does not come back when the proven one fails, too: nobody swings between two bad releases", async () => {
    const cluster = new GuardedCluster({ told: switched, hoursAgo: 1 });
    const { guard, look, lines } = guarding(cluster, { prometheus: failing(cluster, "green", "blue") });
    for (let round = 0; round < 3; round++) {
      await look(2);
      await guard.judge();
    }
    expect([cluster.route.exposure, cluster.managers]).toEqual([{ blue: 100, green: 0 }, ["golive-guard"]]);
    expect(lines.join("\n")).toMatch(/green was tripped by guard at .*, too; the release keeps its traffic/);
  });
});

describe("what changes between what the guard saw and what it writes", () => {
  it.each([
    ["the roles", { candidate: "blue", candidateTraffic: 0 }],
    ["the release", { candidateTraffic: 10, releases: { blue: "1.0.0-aaaa", green: "2.0.1-cccc" } }],
  ] as const)("is seen: %s, and nothing is written", async (_, change) => {
    const cluster = new GuardedCluster();
    const { look } = guarding(cluster);
    await look(2, good);
    let decided = false;
    cluster.before = ({ path }) => {
      // Asked for when all else is decided.
      if (path.includes("/endpointslices") && !decided) {
        decided = true;
        cluster.write({ told: told(change) });
      }
      return undefined;
    };
    for (let second = 0; !decided && second < long; second++) await look(1, bad);
    await look(long, good);
    expect([decided, cluster.managers]).toEqual([true, []]);
  });
});

describe("a bad candidate keeps its traffic, and the guard says so,", () => {
  it("while stable has no ready pod; and is tripped for what it does later, when there is one", async () => {
    const cluster = new GuardedCluster();
    cluster.ready["taskflow-frontend-blue"] = 0;
    const { guard, look, lines } = guarding(cluster);
    await look(2, good);
    await look(6, bad);
    expect(cluster.managers).toEqual([]);
    expect(guard.state.withheld).toBe(true);
    expect(lines.join("\n")).toMatch(
      /does not work: trip: blue has no ready pod of frontend; the release keeps its traffic \(backend: in /,
    );
    cluster.ready["taskflow-frontend-blue"] = 1;
    await look(1, good);
    expect(cluster.managers).toEqual([]);
    await look(5, bad);
    expect([cluster.managers, guard.state.withheld]).toEqual([["golive-guard"], false]);
  });

  it("while stable is retired", async () => {
    const cluster = new GuardedCluster({ told: told({ candidateTraffic: 10, retired: ["blue"] }) });
    const { guard, look, lines } = guarding(cluster);
    await look(2, good);
    await look(6, bad);
    expect([cluster.managers, guard.state.withheld]).toEqual([[], true]);
    expect(lines.join("\n")).toContain("does not work: trip: blue is retired; the release keeps its traffic");
    await look(60, good);
    expect(guard.state.withheld).toBe(false);
  });
});

describe("any sequence of traffic, faults and steps", () => {
  const colourLoad = fc.record({ requests: fc.nat(300), ratio: fc.constantFrom(0, 0, 0.01, 0.3, 1) });
  const event = fc.oneof(
    fc.record({ kind: fc.constant("traffic" as const), green: colourLoad, blue: colourLoad }),
    fc.record({ kind: fc.constant("step" as const), percent: fc.constantFrom(0, 10, 50, 100) }),
    fc.record({ kind: fc.constantFrom("silence", "voice", "restart", "outage", "answers", "unready", "ready") }),
  );

  it("ends with a candidate at 0 where the guard wrote, and never with less for stable", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { minLength: 5, maxLength: 25 }), async (events) => {
        const cluster = new GuardedCluster();
        const { look, pods } = guarding(cluster);
        const [pod] = pods;
        for (const each of events) {
          const before = cluster.route.exposure;
          const written = cluster.managers.length;
          if (each.kind === "traffic") {
            const of = ({ requests, ratio }: { requests: number; ratio: number }) => load(requests, ratio);
            await look(4, { green: of(each.green), blue: of(each.blue) });
          } else if (each.kind === "step") cluster.write({ told: told({ candidateTraffic: each.percent }) });
          else if (each.kind === "silence" || each.kind === "voice") {
            if (pod) pod.silent = each.kind === "silence";
          } else if (each.kind === "restart") pod?.restart();
          else if (each.kind === "outage")
            cluster.before = () => {
              throw new Error("no answer");
            };
          else if (each.kind === "answers") cluster.before = () => undefined;
          else cluster.ready["taskflow-backend-blue"] = each.kind === "ready" ? 1 : 0;
          const { exposure, trip } = cluster.route;
          if (cluster.managers.length > written)
            expect([exposure, trip?.colour, cluster.ready["taskflow-backend-blue"] !== 0]).toEqual([
              { blue: 100, green: 0 },
              "green",
              true,
            ]);
          else if (each.kind !== "step") expect(exposure).toEqual(before);
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe("the trip", () => {
  it("stands in the words that the next run reads", async () => {
    const cluster = new GuardedCluster();
    const { look } = guarding(cluster);
    await look(2, good);
    await look(5, bad);
    const trip = cluster.route.trip;
    expect(`${tripAnnotation}: ${trip?.id}`).toBe(`golive/trip: green: ${trip?.reason} (guard, 2026-11-21T12:00:00Z)`);
  });
});
