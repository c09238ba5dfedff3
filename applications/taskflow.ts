import type { Application } from "./application.ts";
import { smokeTests } from "./taskflow-smoke.ts";

const http = {
  kind: "http",
  containerPort: 3000,
  probes: { liveness: "/health", readiness: "/ready" },
  replicas: { local: 1, staging: 2, production: 3 },
  resources: { cpu: { request: "50m" }, memory: { request: "96Mi", limit: "256Mi" } },
  drainSeconds: 5,
} as const;

const sentry = { internet: 443, why: "errors go to Sentry (S4-38)" };

/** TaskFlow: an API and a web page over PostgreSQL and Redis (S1-40..42, S4-42, S4-53; names by decisions C18..C20, C27). */
export const taskflow: Application = {
  name: "taskflow",
  services: [
    { ...http, name: "backend", paths: ["/api"], reaches: ["postgresql", "redis", sentry] },
    { ...http, name: "frontend", paths: ["/"], assets: "/assets", reaches: [sentry] },
  ],
  stores: {
    postgresql: {
      database: { local: "taskflow", staging: "taskflow_staging", production: "taskflow" },
      user: "taskflow_user",
    },
    redis: { user: "taskflow" },
  },
  ladders: {
    // S1-46, S1-47
    final: [
      { percent: 10, soakMinutes: 15 },
      { percent: 50, soakMinutes: 15 },
      { percent: 100, soakMinutes: 30 },
    ],
    // S0-63..65
    sprint: [
      { percent: 10, soakMinutes: 60 },
      { percent: 25, soakMinutes: 120 },
      { percent: 100, soakMinutes: 240 },
    ],
  },
  environment: {
    // S0-02, S4-38. NODE_ENV is `production` wherever real users are; a debug level is never set there (S1-28).
    plain: (environment) => ({
      NODE_ENV: environment === "local" ? "production" : environment,
      SENTRY_ENVIRONMENT: environment,
      SENTRY_TRACES_SAMPLE_RATE: environment === "production" ? "0.1" : "0.5",
      LOG_LEVEL: "info",
      TZ: "UTC",
    }),
    secret: {
      DATABASE_URL: { from: "postgresql" },
      REDIS_URL: { from: "redis" },
      JWT_SECRET: { from: "generated", length: 48 },
      SENTRY_DSN: { from: "config", key: "sentryDsn" },
    },
  },
  // S1-74..77; C06, C09, C14 of design section 13
  objectives: { availabilityPercent: 99.99, errorPercent: 0.1, latencySeconds: 0.1, querySeconds: 0.05 },
  triggers: {
    // S3-70, S4-80
    immediate: { errorPercent: 5, minutes: 10 },
    // S3-71
    planned: { errorPercent: 2, minutes: 30, timesBaseline: 1.5 },
    // S0-71, S0-72
    canary: { errorPercent: 1, latencySeconds: 0.2, requests: 500 },
  },
  smoke: smokeTests,
  contacts: {
    devops: "devops@taskflow.com",
    dba: "dba@taskflow.com",
    security: "security@taskflow.com",
    oncall: "oncall@taskflow.com",
  },
};
