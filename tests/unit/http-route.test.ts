import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { colours } from "../../applications/application.ts";
import { assetRoute, internalRoute, publicRoute } from "../../components/traffic/http-route.ts";
import { readRoute } from "../../rollout/observed.ts";
import { weightsOf } from "../../rollout/told.ts";
import { settingsWith } from "../support/config.ts";
import { told } from "../support/live.ts";
import { rag } from "../support/rag.ts";

const settings = settingsWith();

describe("the public route", () => {
  it("splits every path by both weights", () => {
    const said = told({ candidateTraffic: 10 });
    expect(publicRoute(settings, { blue: 90, green: 10 }, said)).toEqual({
      metadata: {
        name: "taskflow",
        namespace: "local",
        labels: { app: "taskflow" },
        annotations: {
          "pulumi.com/patchForce": "true",
          "golive/candidate": "green",
          "golive/candidate-traffic": "10",
          "golive/ladder": "10/15,50/15,100/30",
          "golive/paths": "/api /",
          "golive/release-blue": "1.0.0-aaaa",
          "golive/release-green": "2.0.0-bbbb",
          "golive/proven-blue": "1.0.0-aaaa",
        },
      },
      spec: {
        parentRefs: [{ name: "golive", namespace: "gateway", sectionName: "public" }],
        hostnames: ["taskflow.localhost"],
        rules: [
          {
            matches: [{ path: { type: "PathPrefix", value: "/api" } }],
            backendRefs: [
              { name: "taskflow-backend-blue", port: 80, weight: 90 },
              { name: "taskflow-backend-green", port: 80, weight: 10 },
            ],
          },
          {
            matches: [{ path: { type: "PathPrefix", value: "/" } }],
            backendRefs: [
              { name: "taskflow-frontend-blue", port: 80, weight: 90 },
              { name: "taskflow-frontend-green", port: 80, weight: 10 },
            ],
          },
        ],
      },
    });
  });

  it("writes both weights in every rule, summing to 100, and reads back as unedited, at any percentage", () => {
    fc.assert(
      fc.property(fc.constantFrom(...colours), fc.integer({ min: 0, max: 100 }), (candidate, candidateTraffic) => {
        const weights = weightsOf(candidate, candidateTraffic);
        const route = publicRoute(settings, weights, told({ candidate, candidateTraffic }));
        for (const { backendRefs } of route.spec.rules)
          expect(backendRefs.map(({ weight }) => weight)).toEqual([weights.blue, weights.green]);
        const { annotations = {} } = route.metadata;
        expect(readRoute({ metadata: { annotations }, spec: route.spec })).toMatchObject({
          exposure: weights,
          floor: weights,
          edits: [],
        });
      }),
    );
  });

  it("of another application has a rule for each path of each service that answers, and none for its worker", () => {
    const route = publicRoute({ ...settings, application: rag }, { blue: 100, green: 0 }, told());
    expect(
      route.spec.rules.map(({ matches, backendRefs }) => [
        matches[0]?.path.value,
        ...backendRefs.map(({ name, weight }) => `${name} ${weight}`),
      ]),
    ).toEqual([
      ["/api", "rag-gateway-blue 100", "rag-gateway-green 0"],
      ["/api/acquisition", "rag-acquisition-blue 100", "rag-acquisition-green 0"],
      ["/api/query", "rag-retrieval-blue 100", "rag-retrieval-green 0"],
      ["/api/collections", "rag-retrieval-blue 100", "rag-retrieval-green 0"],
      ["/events", "rag-events-blue 100", "rag-events-green 0"],
      ["/", "rag-frontend-blue 100", "rag-frontend-green 0"],
    ]);
  });
});

describe("the route to the assets of one colour", () => {
  it("leads to that colour, whatever its weight", () => {
    expect(assetRoute(settings, "green")).toEqual({
      metadata: { name: "taskflow-assets-green", namespace: "local", labels: { app: "taskflow", version: "green" } },
      spec: {
        parentRefs: [{ name: "golive", namespace: "gateway", sectionName: "public" }],
        hostnames: ["taskflow.localhost"],
        rules: [
          {
            matches: [{ path: { type: "PathPrefix", value: "/assets/green" } }],
            backendRefs: [{ name: "taskflow-frontend-green", port: 80, weight: 1 }],
          },
        ],
      },
    });
  });

  it("does not exist for an application without assets", () => {
    const [backend] = settings.application.services;
    const application = { ...settings.application, services: backend ? [backend] : [] };
    expect(assetRoute({ ...settings, application }, "green")).toBe(undefined);
  });
});

describe("the internal route to one colour", () => {
  it("is not on the public listener, and has a host of its own", () => {
    expect(internalRoute(settings, "blue")).toEqual({
      metadata: { name: "taskflow-internal-blue", namespace: "local", labels: { app: "taskflow", version: "blue" } },
      spec: {
        parentRefs: [{ name: "golive", namespace: "gateway", sectionName: "internal" }],
        hostnames: ["blue.taskflow.localhost"],
        rules: [
          {
            matches: [{ path: { type: "PathPrefix", value: "/api" } }],
            backendRefs: [{ name: "taskflow-backend-blue", port: 80, weight: 1 }],
          },
          {
            matches: [{ path: { type: "PathPrefix", value: "/" } }],
            backendRefs: [{ name: "taskflow-frontend-blue", port: 80, weight: 1 }],
          },
        ],
      },
    });
  });
});
