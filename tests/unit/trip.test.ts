import { describe, expect, it } from "vitest";
import type { RouteObject } from "../../rollout/observed.ts";
import { planTrip, type TripOrder, tripRoute } from "../../rollout/trip.ts";
import { GuardedCluster } from "../support/guarded-cluster.ts";
import { place } from "../support/ledger-api.ts";
import { evenRules, now, type RouteOptions, routeObject, told } from "../support/live.ts";

const order: TripOrder = { colour: "green", reason: "30 % errors of 512", by: "guard", manager: "golive-guard" };
const text = "green: 30 % errors of 512 (guard, 2026-11-21T12:00:00Z)";
const green = "2.0.0-bbbb";
const at10 = { told: told({ candidateTraffic: 10 }), generation: 3 };
const planned = (route: RouteOptions, changes: Partial<TripOrder> = {}) =>
  planTrip({ object: routeObject(route), at: now }, { ...order, ...changes });

describe("a trip", () => {
  it("takes all traffic off the colour in every rule, says why, and buries its release, in one patch of one version", () => {
    const ref = (name: string, weight: number) => ({ name, weight });
    expect(planned(at10)).toEqual({
      patch: {
        metadata: {
          annotations: { "golive/trip": text, "golive/tombstones": green },
          resourceVersion: "3",
        },
        spec: {
          rules: [
            {
              matches: [{ path: { value: "/api" } }],
              backendRefs: [ref("taskflow-backend-blue", 100), ref("taskflow-backend-green", 0)],
            },
            {
              matches: [{ path: { value: "/" } }],
              backendRefs: [ref("taskflow-frontend-blue", 100), ref("taskflow-frontend-green", 0)],
            },
          ],
        },
      },
    });
  });

  it("keeps what else stands in a rule: filters, ports, and backends of neither colour", () => {
    const rules: readonly object[] = [
      {
        filters: [{ type: "RequestHeaderModifier" }],
        backendRefs: [
          { name: "taskflow-backend-blue", port: 80, weight: 45 },
          { name: "taskflow-backend-green", port: 80, weight: 5 },
          { name: "maintenance", port: 80, weight: 50 },
        ],
      },
      { filters: [{ type: "RequestRedirect" }] },
    ];
    const object = { ...routeObject(at10), spec: { rules } };
    expect(planTrip({ object, at: now }, order).patch).toMatchObject({
      spec: {
        rules: [
          {
            filters: [{ type: "RequestHeaderModifier" }],
            backendRefs: [
              { name: "taskflow-backend-blue", port: 80, weight: 100 },
              { name: "taskflow-backend-green", port: 80, weight: 0 },
              { name: "maintenance", port: 80, weight: 50 },
            ],
          },
          { filters: [{ type: "RequestRedirect" }] },
        ],
      },
    });
  });

  it("gives the other colour a backend in a rule that a hand edit left without one: nobody gets a 500 for it", () => {
    const rules = [{ path: "/api", backends: [{ name: "taskflow-backend-green" }] }];
    expect(planned({ ...at10, rules }).patch).toMatchObject({
      spec: {
        rules: [
          {
            backendRefs: [
              { name: "taskflow-backend-green", weight: 0 },
              { name: "taskflow-backend-blue", weight: 100 },
            ],
          },
        ],
      },
    });
  });

  it("adds its tombstone to those that are there, once", () => {
    const annotations = (tombstones: readonly string[]) => {
      const { patch } = planned({ ...at10, tombstones });
      return (patch as RouteObject | undefined)?.metadata?.annotations?.["golive/tombstones"];
    };
    expect(annotations(["1.9.0-cccc"])).toBe(`1.9.0-cccc ${green}`);
    expect(annotations([green, "1.9.0-cccc"])).toBe(`${green} 1.9.0-cccc`);
  });

  it("buries nothing where no release is known, and still takes the traffic", () => {
    const nameless = {
      ...at10,
      told: told({ candidateTraffic: 10, releases: { blue: "1.0.0-aaaa", green: undefined } }),
    };
    const { patch } = planned(nameless);
    expect((patch as RouteObject | undefined)?.metadata?.annotations).toEqual({ "golive/trip": text });
  });

  it("takes its text in one line, whatever reason and name are", () => {
    const { patch } = planned(at10, { reason: " a\n b (c) ", by: "Ada (on call)" });
    expect((patch as RouteObject | undefined)?.metadata?.annotations?.["golive/trip"]).toBe(
      "green: a b (c) (Ada on call, 2026-11-21T12:00:00Z)",
    );
  });

  it("of a colour without traffic is none: a second guard, or a run, was faster", () => {
    const gone = { ...at10, rules: evenRules({ blue: 100, green: 0 }), trip: "green: slow" };
    expect(planned(gone)).toMatchObject({ instead: { outcome: "idle", trip: { id: "green: slow" } } });
    expect(planned({ told: told() })).toMatchObject({ instead: { outcome: "idle", trip: undefined } });
    const acknowledged = told({ acknowledged: "green: slow" });
    expect(planned({ told: acknowledged, trip: "green: slow" })).toMatchObject({ instead: { trip: undefined } });
  });

  it("comes again when somebody gave the colour its traffic back by hand", () => {
    expect(planned({ ...at10, trip: "green: slow" }).patch).toBeDefined();
  });

  const proven = { blue: "1.0.0-aaaa", green };
  const switched = told({ candidate: "blue", proven });
  it("after the switch of roles sends everybody back to the release that was proven before", () => {
    expect(planned({ told: switched }).patch).toMatchObject({
      spec: { rules: [{ backendRefs: [{ weight: 100 }, { weight: 0 }] }, {}] },
    });
  });

  it.each<readonly [string, RouteOptions, Partial<TripOrder>, string]>([
    [
      "has no release",
      { told: told({ candidateTraffic: 10, releases: { blue: undefined, green } }) },
      {},
      "blue has no release",
    ],
    ["is retired", { told: told({ candidateTraffic: 100, retired: ["blue"] }) }, {}, "blue is retired"],
    [
      "is from before a contract migration",
      { told: told({ candidateTraffic: 100, outdated: ["1.0.0-aaaa"] }) },
      {},
      "blue runs 1.0.0-aaaa, from before a contract migration",
    ],
    [
      "was tripped itself, and nobody has acknowledged it",
      { ...at10, trip: "blue: slow (guard, 2026-11-21T11:00:00Z)" },
      {},
      "blue was tripped by guard at 2026-11-21T11:00:00Z (slow), too",
    ],
    [
      "has no traffic because it was tripped",
      { told: switched, tombstones: ["1.0.0-aaaa"] },
      {},
      "blue runs 1.0.0-aaaa, which was tripped before",
    ],
    ["was never proven", at10, { colour: "blue" }, `green runs ${green}, which was never proven at 100`],
  ])("is refused when the other colour %s: users would be worse off", (_, route, changes, reason) => {
    expect(planned(route, changes)).toMatchObject({ instead: { outcome: "refused", reason } });
  });

  it("goes to a release that was tripped before where that serves already: it is the lesser evil", () => {
    expect(planned({ ...at10, tombstones: ["1.0.0-aaaa"] }).patch).toBeDefined();
  });

  it("leaves a route alone that golive did not make", () => {
    const object: RouteObject = { spec: { rules: [{ backendRefs: [{ name: "their-green", weight: 1 }] }] } };
    expect(planTrip({ object, at: now }, order)).toMatchObject({
      instead: { outcome: "refused", reason: "golive did not make this route" },
    });
  });
});

describe("a trip over the API", () => {
  it("is written under its own name, and read back with the weights before and after", async () => {
    const cluster = new GuardedCluster();
    expect(await tripRoute(cluster, place, order)).toMatchObject({
      outcome: "tripped",
      trip: { colour: "green", reason: "30 % errors of 512", by: "guard", at: now },
      before: { exposure: { blue: 90, green: 10 } },
      route: { exposure: { blue: 100, green: 0 }, tombstones: [green] },
    });
    expect(cluster.managers).toEqual(["golive-guard"]);
  });

  it("is written once by two guards at the same moment", async () => {
    const cluster = new GuardedCluster();
    const results = await Promise.all([order, order].map((each) => tripRoute(cluster, place, each)));
    expect(results.map(({ outcome }) => outcome).sort()).toEqual(["idle", "tripped"]);
    expect(cluster.managers).toHaveLength(1);
  });

  it("is made from the route as it is then, when somebody wrote it in between", async () => {
    const cluster = new GuardedCluster();
    let writes = 0;
    cluster.before = ({ method }) => {
      if (method === "PATCH" && writes++ === 0)
        cluster.write({ told: told({ candidateTraffic: 50 }), tombstones: ["1.9.0-cccc"] });
      return undefined;
    };
    expect(await tripRoute(cluster, place, order)).toMatchObject({
      outcome: "tripped",
      before: { exposure: { blue: 50, green: 50 } },
      route: { exposure: { blue: 100, green: 0 }, tombstones: ["1.9.0-cccc", green] },
    });
  });

  it.each([
    ["there is no route", 404, "there is no HTTPRoute taskflow in namespace production"],
    ["it is forbidden", 403, "asked for HTTPRoute taskflow, the API server answered 403: no"],
  ])("says why it could not when %s", async (_, status, message) => {
    const cluster = new GuardedCluster();
    cluster.before = () => cluster.say(status, { message: "no" });
    await expect(tripRoute(cluster, place, order)).rejects.toThrow(message);
  });

  it("gives up on a route that somebody writes for ever, and says so", async () => {
    const cluster = new GuardedCluster();
    cluster.before = ({ method }) =>
      method === "PATCH" ? cluster.say(409, { message: "the object has been modified" }) : undefined;
    await expect(tripRoute(cluster, place, order)).rejects.toThrow(
      "HTTPRoute taskflow was not written: the API server answered 409: the object has been modified",
    );
  });

  it("is not taken for done when the route still gives the colour traffic", async () => {
    const cluster = new GuardedCluster();
    cluster.before = ({ method }) => (method === "PATCH" ? cluster.say(200, routeObject(at10)) : undefined);
    await expect(tripRoute(cluster, place, order)).rejects.toThrow("the trip was written, but green still has 10 %");
  });
});
