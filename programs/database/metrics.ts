import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { ClientBase } from "pg";
import { afterwards } from "./afterwards.ts";
import { connect } from "./connection.ts";
import { sqlState } from "./database-error.ts";
import type { ProgramSettings } from "./settings.ts";

const defaultPort = 9188;

/** What the record of a database says; undefined: not known (no such table yet, nothing recorded yet, no right to read it). */
export interface Readings {
  readonly up: boolean;
  readonly migrationsApplied?: number | undefined;
  /** Seconds since 1970. */
  readonly backupAt?: number | undefined;
  readonly backupBytes?: number | undefined;
  readonly drillAt?: number | undefined;
  readonly drillSeconds?: number | undefined;
  readonly drillLagSeconds?: number | undefined;
}

const metricsOf: readonly {
  readonly name: string;
  readonly help: string;
  readonly value: (of: Readings) => number | undefined;
}[] = [
  {
    name: "database_up",
    help: "1 when the exporter's login can read the database, 0 when not.",
    value: ({ up }) => (up ? 1 : 0),
  },
  {
    name: "database_migrations_applied",
    help: "Migration files in schema_migrations.",
    value: ({ migrationsApplied }) => migrationsApplied,
  },
  {
    name: "backup_last_success_timestamp_seconds",
    help: "When the last good backup was finished.",
    value: ({ backupAt }) => backupAt,
  },
  {
    name: "backup_size_bytes",
    help: "Size of the last good backup, encrypted and compressed.",
    value: ({ backupBytes }) => backupBytes,
  },
  {
    name: "restore_drill_last_success_timestamp_seconds",
    help: "When a restore drill last found every row of a backup.",
    value: ({ drillAt }) => drillAt,
  },
  {
    name: "restore_drill_duration_seconds",
    help: "What the last successful restore drill took.",
    value: ({ drillSeconds }) => drillSeconds,
  },
  {
    name: "restore_drill_lag_seconds",
    help: "Age of the newest data in the backup at the last successful restore drill.",
    value: ({ drillLagSeconds }) => drillLagSeconds,
  },
];

/** Prometheus' text format, version 0.0.4; what is not known has no series. */
export function metricsText(database: string, readings: Readings): string {
  const label = database.replace(/[\\"]/g, (character) => `\\${character}`).replace(/\n/g, "\\n");
  const lines = metricsOf.flatMap(({ name, help, value }) => {
    const known = value(readings);
    if (known === undefined) return [];
    return [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, `${name}{database="${label}"} ${known}`];
  });
  return `${lines.join("\n")}\n`;
}

/** Serves /metrics and /health until this process is told to stop. */
export async function metrics(
  settings: ProgramSettings,
  log: (line: string) => void,
  { port = defaultPort }: { readonly port?: number } = {},
): Promise<{ readonly port: number }> {
  const server = serveMetrics(settings, log);
  server.listen(port);
  await once(server, "listening");
  const { port: opened } = server.address() as AddressInfo;
  log(`metrics of ${settings.database} on port ${opened}`);
  const closed = once(server, "close");
  return await afterwards(
    async () => {
      server.close();
      server.closeAllConnections();
      await closed;
    },
    async () => {
      await closed;
      return { port: opened };
    },
  );
}

function serveMetrics(settings: ProgramSettings, log: (line: string) => void): Server {
  // One query at a time, however many scrape: the exporter's connections are few.
  let reading: Promise<Readings> | undefined;
  const once = async () => {
    reading ??= read(settings, log).finally(() => {
      reading = undefined;
    });
    return await reading;
  };
  return createServer((request, response) => {
    const answer = (status: number, type: string, text: string) =>
      response.writeHead(status, { "content-type": type, "cache-control": "no-store" }).end(text);
    const path = request.url?.split("?")[0];
    if (request.method !== "GET") answer(405, "text/plain", "only GET\n");
    else if (path === "/health") answer(200, "text/plain", "ok\n");
    else if (path === "/metrics") {
      void once().then((readings) =>
        answer(200, "text/plain; version=0.0.4; charset=utf-8", metricsText(settings.database, readings)),
      );
    } else answer(404, "text/plain", "there are /metrics and /health\n");
  });
}

/** Never rejects: a database that cannot be read is a reading, too, and the log says why. */
async function read(settings: ProgramSettings, log: (line: string) => void): Promise<Readings> {
  try {
    // A connection for each scrape: none is in the way of a restore, which renames the database.
    const client = await connect(settings, { login: settings.logins.exporter, name: "golive metrics" });
    try {
      await client.query("set statement_timeout = '5s'");
      return { up: true, ...(await operations(client, log)), ...(await migrations(client, log)) };
    } finally {
      await client.end();
    }
  } catch (error) {
    log(`cannot read ${settings.database}: ${error instanceof Error ? error.message : String(error)}`);
    return { up: false };
  }
}

async function operations(client: ClientBase, log: (line: string) => void): Promise<Omit<Readings, "up">> {
  const found = await rowsOf<{ kind: string; at: number; detail: Readonly<Record<string, unknown>> | null }>(
    client,
    `select distinct on (kind) kind, extract(epoch from finished_at)::float8 as at, detail
      from public.database_operations where succeeded and kind in ('backup', 'drill')
      order by kind, finished_at desc`,
    log,
  );
  const backup = found.find(({ kind }) => kind === "backup");
  const drill = found.find(({ kind }) => kind === "drill");
  const duration = numberOf(drill?.detail?.durationMs);
  return {
    backupAt: backup?.at,
    backupBytes: numberOf(backup?.detail?.bytes),
    drillAt: drill?.at,
    drillSeconds: duration === undefined ? undefined : duration / 1000,
    drillLagSeconds: numberOf(drill?.detail?.lagSeconds),
  };
}

async function migrations(client: ClientBase, log: (line: string) => void): Promise<Omit<Readings, "up">> {
  const [found] = await rowsOf<{ count: number }>(
    client,
    "select count(*)::int as count from public.schema_migrations",
    log,
  );
  return { migrationsApplied: found?.count };
}

/** No rows when there is no such table yet (42P01), or the exporter may not read it (42501), which the log says. */
async function rowsOf<T extends object>(client: ClientBase, query: string, log: (line: string) => void): Promise<T[]> {
  try {
    return (await client.query<T>(query)).rows;
  } catch (error) {
    const state = sqlState(error);
    if (state === "42501" && error instanceof Error) log(error.message);
    if (state === "42P01" || state === "42501") return [];
    throw error;
  }
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}
