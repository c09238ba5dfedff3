import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { Faults, parseFaultOrder } from "./faults.ts";
import { createService, json, Refusal, type Route, readJson } from "./http.ts";
import { createLog, errorFields, type Log } from "./log.ts";
import { type RequestMetrics, requestMetrics } from "./metrics.ts";
import { type ServiceSettings, SettingsError } from "./settings.ts";

/**
 * How long requests in flight may take once nothing new is accepted. With a preStop sleep and a drain of 5 s each, the
 * whole end takes 18 s at most, within the pod's grace period of 20 s.
 */
const inFlightMs = 8_000;

/** What a service gets to work with when it starts. */
export interface Process {
  readonly log: Log;
  readonly metrics: RequestMetrics;
}

/** What makes one service: its routes, what must be up before it is ready, and what to close at the end. */
export interface Program {
  readonly routes: readonly Route[];
  start(): Promise<void>;
  close(): Promise<void>;
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, "0.0.0.0");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** Liveness, readiness and metrics: the same for both services. */
function operationalRoutes(metrics: RequestMetrics, readiness: () => string): readonly Route[] {
  return [
    { method: "GET", path: "/health", faultless: true, handle: () => json(200, { status: "ok" }) },
    {
      method: "GET",
      path: "/ready",
      faultless: true,
      // Ready means: started and not stopping. It does not ask the database, which all pods of both colours share: its
      // outage would take every pod out at once and turn "tasks cannot be read" into "nothing answers", and a
      // rollback would find no ready pod to go back to.
      handle: () => json(readiness() === "ready" ? 200 : 503, { status: readiness() }),
    },
    {
      method: "GET",
      path: "/metrics",
      faultless: true,
      async handle() {
        const { registry } = metrics;
        return {
          status: 200,
          body: await registry.metrics(),
          type: registry.contentType,
          headers: { "cache-control": "no-store" },
        };
      },
    },
  ];
}

function faultRoutes(faults: Faults): readonly Route[] {
  return [
    { method: "GET", path: "/faults", faultless: true, handle: () => json(200, faults.current()) },
    {
      method: "POST",
      path: "/faults",
      faultless: true,
      async handle(request) {
        const order = parseFaultOrder(await readJson(request));
        if (typeof order === "string") throw new Refusal(400, order);
        faults.order(order);
        return json(200, faults.current());
      },
    },
  ];
}

/**
 * Runs one service until SIGTERM: serves from the first moment (readiness says when it has started), drains, ends.
 * Ends the process with 1 when the settings are wrong or the start fails, else with 0.
 */
export async function run<S extends ServiceSettings>(
  read: (environment: NodeJS.ProcessEnv) => S,
  create: (settings: S, process: Process) => Program,
): Promise<void> {
  let settings: S;
  try {
    settings = read(process.env);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
  const { identity } = settings;
  const log = createLog(identity, settings.logLevel);
  const fatal = (message: string) => (error: unknown) => {
    log.error(message, errorFields(error));
    process.exit(1);
  };
  process.on("uncaughtException", fatal("uncaught error"));
  process.on("unhandledRejection", fatal("unhandled rejection"));

  const metrics = requestMetrics(identity);
  const faults = new Faults(settings.faults, log);
  const program = create(settings, { log, metrics });
  let state: "starting" | "ready" | "draining" = "starting";
  const shared = { identity, log, metrics, faults, isDraining: () => state === "draining" };
  const server = createService({ ...shared, routes: [...operationalRoutes(metrics, () => state), ...program.routes] });
  // A port of its own, which no Service and so no public route names: users cannot order faults.
  const faultServer = createService({ ...shared, routes: faultRoutes(faults) });

  const stop = async (signal: string): Promise<void> => {
    if (state === "draining") return;
    state = "draining";
    log.info("draining", { signal, seconds: settings.drainSeconds });
    await delay(settings.drainSeconds * 1000);
    const closed = once(server, "close");
    server.close();
    faultServer.close();
    faultServer.closeAllConnections();
    await Promise.race([closed, delay(inFlightMs)]);
    server.closeAllConnections();
    await program.close();
    log.info("stopped");
    process.exit(0);
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => void stop(signal).catch(fatal("stopping failed")));
  }

  const ports = { port: await listen(server, settings.port), faultPort: await listen(faultServer, settings.faultPort) };
  log.info("listening", ports);
  try {
    await program.start();
  } catch (error) {
    fatal("start failed")(error);
  }
  if (state === "starting") {
    state = "ready";
    log.info("ready");
  }
}
