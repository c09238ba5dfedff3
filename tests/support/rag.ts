import type { Application, ByEnvironment, HttpService, WorkerService } from "../../applications/application.ts";

/**
 * The RAG platform of the requirements (section 3b: six services, PostgreSQL, Redis, Qdrant, Kafka; S3-43..48 for its ladder),
 * declared with the product's own types: adding an application must need nothing else.
 */

const one: ByEnvironment<number> = { local: 1, staging: 1, production: 2 };
const resources = { cpu: { request: "100m" }, memory: { request: "256Mi", limit: "1Gi" } };
const probes = { liveness: "/health", readiness: "/ready" };

const http = (name: string, containerPort: number, paths: readonly string[]): HttpService => ({
  kind: "http",
  name,
  containerPort,
  paths,
  probes,
  replicas: one,
  resources,
  drainSeconds: 10,
});

const indexing: WorkerService = {
  kind: "worker",
  name: "indexing",
  consumerGroup: "indexing",
  replicas: one,
  resources,
  drainSeconds: 30,
};

export const rag: Application = {
  name: "rag",
  services: [
    http("gateway", 8080, ["/api"]),
    http("acquisition", 8081, ["/api/acquisition"]),
    indexing,
    http("retrieval", 8083, ["/api/query", "/api/collections"]),
    http("events", 8084, ["/events"]),
    { ...http("frontend", 3000, ["/"]), assets: "/static" },
  ],
  stores: {
    postgresql: { database: { local: "rag", staging: "rag_staging", production: "rag" }, user: "rag_user" },
    redis: { user: "rag" },
    qdrant: { collections: ["documents"] },
    kafka: { topics: ["documents.acquired", "documents.indexed"] },
  },
  ladders: {
    rag: [10, 25, 50, 75, 100].map((percent) => ({ percent, soakMinutes: 30 })),
  },
  environment: {
    plain: (environment) => ({ LOG_LEVEL: environment === "local" ? "debug" : "info" }),
    secret: { DATABASE_URL: { from: "postgresql" }, REDIS_URL: { from: "redis" } },
  },
  objectives: { availabilityPercent: 99.9, errorPercent: 0.1, latencySeconds: 0.1, querySeconds: 0.05 },
  triggers: {
    immediate: { errorPercent: 5, minutes: 10 },
    planned: { errorPercent: 2, minutes: 30, timesBaseline: 1.5 },
    canary: { errorPercent: 1, latencySeconds: 0.2, requests: 500 },
  },
  contacts: {
    devops: "devops@rag.example.com",
    dba: "dba@rag.example.com",
    security: "security@rag.example.com",
    oncall: "oncall@rag.example.com",
  },
};
