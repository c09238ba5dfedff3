import { accountRoutes } from "./accounts.ts";
import { Cache } from "./cache.ts";
import { Database } from "./database.ts";
import { json, type Route } from "./http.ts";
import { type Process, type Program, run } from "./lifecycle.ts";
import { backendMetrics } from "./metrics.ts";
import { type BackendSettings, backendSettings } from "./settings.ts";
import { taskRoutes } from "./tasks.ts";

/** The backend: accounts and tasks, PostgreSQL behind row level security, lists cached in Redis. */
function backend(settings: BackendSettings, { log, metrics: { registry } }: Process): Program {
  const metrics = backendMetrics(registry);
  const database = new Database(settings, log, metrics);
  const cache = new Cache(settings, log, metrics);
  const version: Route = { method: "GET", path: "/api/version", handle: () => json(200, settings.identity) };
  return {
    routes: [
      version,
      ...accountRoutes(database, metrics, settings.jwtSecret),
      ...taskRoutes(database, cache, metrics, settings.jwtSecret),
    ],
    async start() {
      cache.start();
      await database.start();
    },
    async close() {
      await Promise.all([database.close(), cache.close()]);
    },
  };
}

await run(backendSettings, backend);
