import { isMainThread } from "node:worker_threads";
import { accountRoutes } from "./accounts.ts";
import { Cache } from "./cache.ts";
import { commentRoutes } from "./comments.ts";
import { Database } from "./database.ts";
import { json, type Route } from "./http.ts";
import { type Process, type Program, run } from "./lifecycle.ts";
import { backendMetrics } from "./metrics.ts";
import { type BackendSettings, backendSettings } from "./settings.ts";
import { TaskTable, taskRoutes } from "./tasks.ts";
import { teamRoutes } from "./teams.ts";

/** The backend: accounts, teams and tasks, PostgreSQL behind row level security, lists cached in Redis. */
function backend(settings: BackendSettings, { log, metrics: { registry } }: Process): Program {
  const metrics = backendMetrics(registry);
  const database = new Database(settings, log, metrics);
  const table = new TaskTable(settings.identity.version);
  const cache = new Cache(settings, log, metrics);
  const secret = settings.jwtSecret;
  const version: Route = { method: "GET", path: "/api/version", handle: () => json(200, settings.identity) };
  return {
    routes: [
      version,
      ...accountRoutes(database, metrics, secret),
      ...teamRoutes(database, cache, secret),
      ...taskRoutes(database, table, cache, metrics, secret),
      ...commentRoutes(database, secret),
    ],
    async start() {
      cache.start();
      await database.start((client) => table.find(client));
    },
    async close() {
      await Promise.all([database.close(), cache.close()]);
    },
  };
}

// In an image this is one file with all that it imports, and a thread that hashes passwords begins here, too.
if (isMainThread) await run(backendSettings, backend);
