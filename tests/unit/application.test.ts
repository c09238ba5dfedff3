import { describe, expect, expectTypeOf, it } from "vitest";
import {
  type Application,
  colours,
  environments,
  isHttp,
  otherColour,
  type Service,
  type WorkerService,
} from "../../applications/application.ts";
import { applications } from "../../applications/catalogue.ts";
import { decide } from "../../rollout/decide.ts";
import { desiredOf } from "../../rollout/desired.ts";
import { Ladder } from "../../rollout/ladder.ts";
import { settingsWith } from "../support/config.ts";
import { observed } from "../support/live.ts";
import { rag } from "../support/rag.ts";

describe("an application's declaration", () => {
  it("holds the RAG platform: six services, a worker, Qdrant, Kafka and a ladder of its own", () => {
    expectTypeOf(rag).toEqualTypeOf<Application>();
    expect(rag.services.map(({ name, kind }) => `${name} ${kind}`)).toEqual([
      "gateway http",
      "acquisition http",
      "indexing worker",
      "retrieval http",
      "events http",
      "frontend http",
    ]);
    expect(Object.keys(rag.stores)).toEqual(["postgresql", "redis", "qdrant", "kafka"]);
    expect(rag.services.filter(isHttp).map(({ name }) => name)).not.toContain("indexing");
  });

  it("gives a worker a consumer group, and no port or path to be reached at", () => {
    expectTypeOf<WorkerService>().toHaveProperty("consumerGroup");
    expectTypeOf<WorkerService>().not.toHaveProperty("containerPort");
    expectTypeOf<WorkerService>().not.toHaveProperty("paths");
    expectTypeOf<Extract<Service, { kind: "http" }>>().not.toHaveProperty("consumerGroup");
  });

  it("is climbed on its own ladder", () => {
    const rungs = Ladder.of(rag.ladders.rag ?? []);
    if (!(rungs instanceof Ladder)) throw new Error(rungs.join("; "));
    const settings = { ...settingsWith(), application: rag, ladder: rungs };
    const desired = desiredOf(settings, { blue: "1-a", green: "2-b" }, { pending: [] });
    expect(decide(observed({ noRoute: true }), { ...desired, candidateTraffic: 10 })).toEqual({
      allowed: false,
      reason: "candidateTraffic 10 on a new route: it starts at 0, all traffic on blue",
      next: "set candidateTraffic 0, then climb: the first rung is 10",
    });
    const override = { percent: 10, release: "2.0.0", reason: "an outage" };
    const overridden = (release: string) =>
      desiredOf({ ...settings, override: { ...override, release } }, { blue: "1-a", green: "2-b" }, { pending: [] })
        .override;
    expect(overridden("2.0.0")).toMatchObject(override);
    expect(overridden("1.9.0"), "left behind by another release").toBe(undefined);
    expect(desired.replicas).toEqual({ gateway: 1, acquisition: 1, retrieval: 1, events: 1, frontend: 1 });
  });
});

describe.each(Object.values(applications))("$name", (application) => {
  it("has ladders that can be climbed", () => {
    for (const rungs of Object.values(application.ladders)) expect(Ladder.of(rungs)).toBeInstanceOf(Ladder);
  });

  it("has services with names and paths of their own", () => {
    const names = application.services.map(({ name }) => name);
    const paths = application.services.filter(isHttp).flatMap((service) => service.paths);
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(paths).size).toBe(paths.length);
  });

  it.each(environments)("sets the variables of S0-02 in %s, none of them twice", (environment) => {
    const plain = application.environment.plain(environment);
    const secret = Object.keys(application.environment.secret);
    expect(Object.keys(plain).filter((name) => secret.includes(name))).toEqual([]);
    expect(plain.LOG_LEVEL).not.toBe("debug");
  });
});

describe("TaskFlow", () => {
  it.each([
    ["local", { NODE_ENV: "production", SENTRY_ENVIRONMENT: "local", SENTRY_TRACES_SAMPLE_RATE: "0.5" }],
    ["staging", { NODE_ENV: "staging", SENTRY_ENVIRONMENT: "staging", SENTRY_TRACES_SAMPLE_RATE: "0.5" }],
    ["production", { NODE_ENV: "production", SENTRY_ENVIRONMENT: "production", SENTRY_TRACES_SAMPLE_RATE: "0.1" }],
  ] as const)("runs in %s with its environment", (environment, variables) => {
    expect(applications.taskflow?.environment.plain(environment)).toEqual({
      ...variables,
      LOG_LEVEL: "info",
      TZ: "UTC",
    });
  });

  it("takes its four secrets from a Secret", () => {
    expect(applications.taskflow?.environment.secret).toEqual({
      DATABASE_URL: { from: "postgresql" },
      REDIS_URL: { from: "redis" },
      JWT_SECRET: { from: "generated", length: 48 },
      SENTRY_DSN: { from: "config", key: "sentryDsn" },
    });
  });
});

describe("the other colour", () => {
  it("of the other colour is the colour itself", () => {
    expect(colours.map(otherColour)).toEqual(["green", "blue"]);
    expect(colours.map(otherColour).map(otherColour)).toEqual([...colours]);
  });
});
