import { Counter, collectDefaultMetrics, Histogram, Registry } from "prom-client";
import type { Identity } from "./settings.ts";

/** What both services measure about their requests. `route` is the route's name, never a path that a client chose. */
export interface RequestMetrics {
  readonly registry: Registry;
  observe(request: { method: string; route: string; status: number; seconds: number; bytes: number }): void;
}

export function requestMetrics(identity: Identity): RequestMetrics {
  const registry = new Registry();
  registry.setDefaultLabels({ service: identity.service, colour: identity.colour, version: identity.version });
  collectDefaultMetrics({ register: registry });
  const total = new Counter({
    name: "http_requests_total",
    help: "Requests answered; status 499 when the client went away first.",
    labelNames: ["method", "route", "status"],
    registers: [registry],
  });
  const duration = new Histogram({
    name: "http_request_duration_seconds",
    help: "From the request's headers until the answer is written.",
    labelNames: ["method", "route", "status"],
    // 0.1, 0.2 and 0.5 are objectives: a bound on each makes the share below it exact.
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5],
    registers: [registry],
  });
  const bytes = new Counter({
    name: "http_response_size_bytes_total",
    help: "Bytes of response bodies.",
    labelNames: ["method", "route"],
    registers: [registry],
  });
  return {
    registry,
    observe({ method, route, status, seconds, bytes: size }) {
      total.inc({ method, route, status });
      duration.observe({ method, route, status }, seconds);
      bytes.inc({ method, route }, size);
    },
  };
}

/** What the backend measures beside its requests. */
export interface BackendMetrics {
  readonly tasksCreated: Counter;
  readonly usersRegistered: Counter;
  readonly logins: Counter<"result">;
  readonly cacheReads: Counter<"result">;
  readonly queries: Histogram<"query">;
}

export function backendMetrics(registry: Registry): BackendMetrics {
  const registers = [registry];
  return {
    tasksCreated: new Counter({ name: "tasks_created_total", help: "Tasks created.", registers }),
    usersRegistered: new Counter({ name: "users_registered_total", help: "Users registered.", registers }),
    logins: new Counter({ name: "logins_total", help: "Logins by result.", labelNames: ["result"], registers }),
    cacheReads: new Counter({
      name: "cache_reads_total",
      help: "Reads of the cache: hit, miss, or error (Redis did not answer; the database did).",
      labelNames: ["result"],
      registers,
    }),
    queries: new Histogram({
      name: "database_transaction_duration_seconds",
      help: "One transaction, from waiting for a connection until its commit.",
      labelNames: ["query"],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
      registers,
    }),
  };
}
