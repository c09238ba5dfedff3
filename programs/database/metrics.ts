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
  /** Seconds since 1970, as the next ones. */
  readonly firstMigrationAt?: number | undefined;
  readonly backupAt?: number | undefined;
  readonly backupBytes?: number | undefined;
  readonly drillAt?: number | undefined;
  readonly drillSeconds?: number | undefined;
  readonly drillLagSeconds?: number | undefined;
  /** What the application counts of itself; empty when it has no such function. */
  readonly business?: readonly BusinessMetric[];
}

/** A gauge that the application's own migrations define: its name begins with the application's. */
export interface BusinessMetric {
  readonly name: string;
  readonly help: string;
  readonly value: number;
}

/** The function that migrations may make: rows of name, help and value. */
const businessFunction = { schema: "private", name: "business_metrics" } as const;

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
    name: "database_first_migration_timestamp_seconds",
    help: "When the first migration was applied: how old the database is.",
    value: ({ firstMigrationAt }) => firstMigrationAt,
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
  const gauge = ({ name, help, value }: BusinessMetric) => [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} gauge`,
    `${name}{database="${label}"} ${value}`,
  ];
  const own = metricsOf.flatMap(({ name, help, value }) => {
    const known = value(readings);
    return known === undefined ? [] : gauge({ name, help, value: known });
  });
  return `${[...own, ...(readings.business ?? []).flatMap(gauge)].join("\n")}\n`;
}

/**
 * The rows of the application's function that may stand among the metrics. Others would break the whole answer, or pass for
 * a metric of ours: each is named in `refused`, with what is wrong.
 */
export function businessMetrics(application: string, rows: readonly Readonly<Record<string, unknown>>[]) {
  const prefix = `${application.replaceAll(/[^a-zA-Z0-9_]/g, "_")}_`;
  const allowed = new RegExp(`^${prefix}[a-z0-9_]*[a-z0-9]$`);
  const metrics: BusinessMetric[] = [];
  const refused: string[] = [];
  for (const { name, help, value } of rows) {
    if (typeof name !== "string" || !allowed.test(name))
      refused.push(`${name}: no name in small letters that begins with ${prefix}`);
    else if (metrics.some((each) => each.name === name)) refused.push(`${name}: given twice`);
    else if (typeof help !== "string" || /[\\\n]/.test(help)) refused.push(`${name}: its help is no single line`);
    else if (typeof value !== "number" || !Number.isFinite(value)) refused.push(`${name}: ${value} is no number`);
    else metrics.push({ name, help, value });
  }
  return { metrics, refused } as const;
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
      return {
        up: true,
        ...(await operations(client, log)),
        ...(await migrations(client, log)),
        business: await business(client, settings.application, log),
      };
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
  const [found] = await rowsOf<{ count: number; first: number | null }>(
    client,
    "select count(*)::int as count, extract(epoch from min(applied_at))::float8 as first from public.schema_migrations",
    log,
  );
  return { migrationsApplied: found?.count, firstMigrationAt: found?.first ?? undefined };
}

/** What the application counts of itself, by a function that its migrations made for the exporter's login. */
async function business(
  client: ClientBase,
  application: string,
  log: (line: string) => void,
): Promise<readonly BusinessMetric[]> {
  const { schema, name } = businessFunction;
  // Asked of the catalogue: whoever may not look into the schema is refused whether the function is there or not.
  const { rowCount } = await client.query(
    "select from pg_proc f join pg_namespace n on n.oid = pronamespace where nspname = $1 and proname = $2 and pronargs = 0",
    [schema, name],
  );
  if (rowCount === 0) return [];
  const { metrics, refused } = businessMetrics(
    application,
    await rowsOf<Record<string, unknown>>(client, `select name, help, value from ${schema}.${name}()`, log),
  );
  for (const problem of refused) log(`${schema}.${name}() gives ${problem}`);
  return metrics;
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
