import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type DeploymentObject, type RouteObject, readColour, readRoute } from "../../rollout/observed.ts";
import { deploymentObject, evenRules, now, pods, routeObject, told } from "../support/live.ts";

describe("the live route", () => {
  it("is read with what it was told, its shares, its trip and when it was written", () => {
    const said = told({ candidateTraffic: 10 });
    expect(
      readRoute(
        routeObject({ told: said, trip: "green: slow", tombstones: ["2.0.0-bbbb"], generation: 4, hoursAgo: 2 }),
      ),
    ).toEqual({
      told: said,
      exposure: { blue: 90, green: 10 },
      floor: { blue: 90, green: 10 },
      edits: [],
      trip: { id: "green: slow", colour: "green", reason: "slow" },
      tombstones: ["2.0.0-bbbb"],
      generation: 4,
      changedAt: new Date(now.getTime() - 2 * 3_600_000),
    });
  });

  it("has the time of its newest writer, and does not take a controller's status for a write", () => {
    const object: RouteObject = {
      metadata: {
        managedFields: [
          { time: "2026-11-21T10:00:00Z" },
          { time: new Date("2026-11-21T11:00:00Z") },
          { time: "2026-11-21T11:59:00Z", subresource: "status" },
          {},
        ],
      },
    };
    expect(readRoute(object).changedAt).toEqual(new Date("2026-11-21T11:00:00Z"));
  });

  it("was not stepped by who wrote annotations only: clearing a tombstone begins no soak anew", () => {
    const object: RouteObject = {
      metadata: {
        managedFields: [
          { time: "2026-11-21T10:00:00Z", fieldsV1: { "f:metadata": {}, "f:spec": { "f:rules": {} } } },
          { time: "2026-11-21T11:00:00Z", fieldsV1: { "f:metadata": {} } },
        ],
      },
    };
    expect(readRoute(object).changedAt).toEqual(new Date("2026-11-21T10:00:00Z"));
  });

  it("is not ours without annotations, and then has no hand edits", () => {
    expect(readRoute({ spec: { rules: [{ backendRefs: [{ name: "somebody" }] }] } })).toEqual({
      told: undefined,
      exposure: { blue: 0, green: 0 },
      floor: { blue: 0, green: 0 },
      edits: [],
      trip: undefined,
      tombstones: [],
      generation: 0,
      changedAt: undefined,
    });
  });

  it.each([
    {
      name: "another weight in every rule",
      rules: evenRules({ blue: 70, green: 30 }),
      exposure: { blue: 70, green: 30 },
      floor: { blue: 70, green: 30 },
      edits: [
        "rule /api has blue 70, green 30 (told: blue 90, green 10)",
        "rule / has blue 70, green 30 (told: blue 90, green 10)",
      ],
    },
    {
      name: "another weight in one rule: the most and the least that any rule gives",
      rules: [...evenRules({ blue: 90, green: 10 }).slice(0, 1), ...evenRules({ blue: 0, green: 100 }).slice(1)],
      exposure: { blue: 90, green: 100 },
      floor: { blue: 0, green: 10 },
      edits: ["rule / has blue 0, green 100 (told: blue 90, green 10)"],
    },
    {
      name: "an omitted weight, which means 1",
      rules: [{ path: "/api", backends: [{ name: "taskflow-backend-blue" }, { name: "taskflow-backend-green" }] }],
      exposure: { blue: 50, green: 50 },
      floor: { blue: 50, green: 50 },
      edits: ["rule /api has blue 50, green 50 (told: blue 90, green 10)"],
    },
    {
      name: "weights of another sum but the same shares, which are no edit",
      rules: [
        {
          path: "/api",
          backends: [
            { name: "taskflow-backend-blue", weight: 9 },
            { name: "taskflow-backend-green", weight: 1 },
          ],
        },
      ],
      exposure: { blue: 90, green: 10 },
      floor: { blue: 90, green: 10 },
      edits: [],
    },
    {
      name: "shares that are no integers, rounded in the text only",
      rules: [
        {
          path: "/api",
          backends: [
            { name: "taskflow-backend-blue", weight: 2 },
            { name: "taskflow-backend-green", weight: 1 },
          ],
        },
      ],
      exposure: { blue: 200 / 3, green: 100 / 3 },
      floor: { blue: 200 / 3, green: 100 / 3 },
      edits: ["rule /api has blue 66.7, green 33.3 (told: blue 90, green 10)"],
    },
    {
      name: "a foreign backend",
      rules: [{ path: "/api", backends: [{ name: "maintenance", weight: 1 }] }],
      exposure: { blue: 0, green: 0 },
      floor: { blue: 0, green: 0 },
      edits: ["rule /api has a backend maintenance", "rule /api has blue 0, green 0 (told: blue 90, green 10)"],
    },
    {
      name: "weights that are all 0",
      rules: evenRules({ blue: 0, green: 0 }).slice(0, 1),
      exposure: { blue: 0, green: 0 },
      floor: { blue: 0, green: 0 },
      edits: ["rule /api has blue 0, green 0 (told: blue 90, green 10)"],
    },
    {
      name: "a rule that is gone",
      rules: evenRules({ blue: 90, green: 10 }).slice(1),
      gone: ["/api"],
      exposure: { blue: 90, green: 10 },
      floor: { blue: 90, green: 10 },
      edits: ["rule /api is gone"],
    },
    {
      name: "no rules at all",
      rules: [],
      gone: ["/api", "/"],
      exposure: { blue: 0, green: 0 },
      floor: { blue: 0, green: 0 },
      edits: ["rule /api is gone", "rule / is gone"],
    },
  ])("names a hand edit: $name", ({ rules, gone = [], exposure, floor, edits }) => {
    const live = readRoute(routeObject({ told: told({ candidateTraffic: 10 }), rules, gone }));
    expect({ exposure: live.exposure, floor: live.floor, edits: live.edits }).toEqual({ exposure, floor, edits });
  });

  it("reads a rule without matches or backends as one for / that sends nobody anywhere", () => {
    const object = { ...routeObject({}), spec: { rules: [{}] } };
    expect(readRoute(object).edits).toEqual([
      "rule /api is gone",
      "rule / has blue 0, green 0 (told: blue 100, green 0)",
    ]);
  });

  it("gives every colour a share from 0 to 100, whatever the weights", () => {
    const weight = fc.nat({ max: 1_000_000 });
    fc.assert(
      fc.property(fc.array(fc.record({ blue: weight, green: weight }), { maxLength: 4 }), (rules) => {
        const { exposure, floor } = readRoute(routeObject({ rules: rules.flatMap((weights) => evenRules(weights)) }));
        for (const each of [exposure.blue, exposure.green, floor.blue, floor.green]) {
          expect(each).toBeGreaterThanOrEqual(0);
          expect(each).toBeLessThanOrEqual(100);
        }
        expect(floor.blue).toBeLessThanOrEqual(exposure.blue);
      }),
    );
  });
});

describe("a colour's Deployments", () => {
  it("are read by the label component", () => {
    expect(
      readColour([...pods({ release: "2.0.0-bbbb", replicas: 3, ready: 2 }), { metadata: { labels: {} } }]),
    ).toEqual({
      backend: { replicas: 3, ready: 2, settled: false, release: "2.0.0-bbbb" },
      frontend: { replicas: 3, ready: 2, settled: false, release: "2.0.0-bbbb" },
    });
  });

  const settled = deploymentObject("backend", { release: "r", replicas: 2 });
  const unsettled: readonly (readonly [string, DeploymentObject])[] = [
    ["one pod is not ready", { ...settled, status: { ...settled.status, readyReplicas: 1 } }],
    ["one pod runs an old template", { ...settled, status: { ...settled.status, updatedReplicas: 1 } }],
    ["an old pod is still there", { ...settled, status: { ...settled.status, replicas: 3 } }],
    ["its controller has not seen the newest change", { ...settled, metadata: { ...settled.metadata, generation: 2 } }],
    ["it has no status yet", { metadata: settled.metadata ?? {}, spec: settled.spec ?? {} }],
  ];

  it("are settled when every pod asked for runs the newest template and is ready", () => {
    expect(readColour([settled]).backend?.settled).toBe(true);
  });

  it.each(unsettled)("are not settled while %s", (_, object) => {
    expect(readColour([object]).backend?.settled).toBe(false);
  });

  it("ask for one pod where nothing is said", () => {
    expect(readColour([{ metadata: { labels: { component: "backend" } } }])).toEqual({
      backend: { replicas: 1, ready: 0, settled: false, release: undefined },
    });
  });
});
