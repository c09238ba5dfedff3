import { readFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { Problem } from "./problem.ts";
import type { ProgramSettings } from "./settings.ts";

/** The oldest major version of PostgreSQL that the migrations are written for. */
export const leastMajor = 15;

export interface ConnectOptions {
  /** Name of the login; its password is read from the settings' directory. */
  readonly login: string;
  /** Default: the application's database. */
  readonly database?: string;
  /** Shown in pg_stat_activity. Default: golive. */
  readonly name?: string;
}

/**
 * One connection, never through a pooler. The server ends the session's work within a second of this process's death, so
 * that a killed runner frees its locks (research/database.md 1.2, row 7).
 * @throws Problem that names the host, the login or the version; never the password.
 */
export async function connect(settings: ProgramSettings, options: ConnectOptions): Promise<pg.Client> {
  const { host, port, tls } = settings.server;
  const database = options.database ?? settings.database;
  const client = new pg.Client({
    host,
    port,
    database,
    user: options.login,
    password: await passwordOf(settings, options.login),
    application_name: options.name ?? "golive",
    options: "-c client_connection_check_interval=1s",
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    ...(tls.mode === "off"
      ? {}
      : { ssl: { rejectUnauthorized: true, ...(tls.ca === undefined ? {} : { ca: await readFile(tls.ca, "utf8") }) } }),
  });
  // Without a listener a connection that the server ends would end this process with a stack trace.
  client.on("error", () => undefined);
  try {
    await client.connect();
  } catch (error) {
    throw explain(error, `${host}:${port}`, database, options.login);
  }
  await requireVersion(client, `${host}:${port}`);
  return client;
}

async function passwordOf({ passwords }: ProgramSettings, login: string): Promise<string> {
  const file = join(passwords, login);
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Problem(`the password of the login ${login} is not there: ${reason}; is its Secret mounted at ${file}?`, {
      cause: error,
    });
  }
}

async function requireVersion(client: pg.Client, server: string): Promise<void> {
  const { rows } = await client.query<{ number: string; version: string }>(
    "select current_setting('server_version_num') as number, current_setting('server_version') as version",
  );
  const [found] = rows;
  if (found && Number(found.number) >= leastMajor * 10_000) return;
  await client.end();
  throw new Problem(
    `the server ${server} is PostgreSQL ${found?.version ?? "of an unknown version"}; allowed: ${leastMajor} or newer`,
  );
}

function explain(error: unknown, server: string, database: string, login: string): Problem {
  const state = error instanceof pg.DatabaseError ? error.code : undefined;
  const reason = error instanceof Error ? error.message : String(error);
  if (state === "28P01" || state === "28000")
    return new Problem(
      `the server ${server} refused the login ${login}: ${reason}; is its Secret newer than the role? A pulumi up sets both`,
      { cause: error },
    );
  // It refuses the option that ends a dead session's work, which came with PostgreSQL 14.
  if (state === "42704")
    return new Problem(`the server ${server} is too old (${reason}); allowed: PostgreSQL ${leastMajor} or newer`, {
      cause: error,
    });
  if (state === "3D000") return new Problem(`the server ${server} has no database ${database}`, { cause: error });
  return new Problem(`cannot connect to ${database} on ${server} as ${login}: ${reason || "no answer"}`, {
    cause: error,
  });
}
