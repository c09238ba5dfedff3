import { randomBytes } from "node:crypto";
import process from "node:process";
import pg from "pg";
import { makeDatabase, makeRoles } from "../../local/postgres/application-database.ts";
import { startClusterServer } from "../../local/postgres/server.ts";
import type { ProgramSettings } from "../../programs/database/settings.ts";

export { names, roles } from "../../local/postgres/application-database.ts";

/** A real PostgreSQL in the cluster for one file of tests, and as many databases in it as they like. */
export interface TestServer {
  /** How its superuser gets in. */
  readonly admin: pg.ClientConfig;
  /** Namespace of its pod postgres-0; undefined: GOLIVE_POSTGRES names the server. */
  readonly namespace: string | undefined;
  /** A database of its own, empty, with all roles and the grants that the program declares. */
  database(): Promise<TestDatabase>;
  stop(): Promise<void>;
}

export interface TestDatabase {
  readonly name: string;
  /** What the database programs would be told; `migrations` is TaskFlow's directory, `work` and `backup` are temporary. */
  readonly settings: ProgramSettings;
  /** A connection as this role; `postgres` is the superuser. End it, or `drop` does. */
  connect(login: string): Promise<pg.Client>;
  drop(): Promise<void>;
}

/**
 * Starts a PostgreSQL in a namespace of its own. GOLIVE_POSTGRES=postgresql://postgres:…@host:port takes that server
 * instead, for work on SQL without the cluster.
 */
export async function startServer(): Promise<TestServer> {
  const given = process.env.GOLIVE_POSTGRES;
  if (given !== undefined && given !== "") return serverAt({ connectionString: given }, undefined, async () => {});
  const { admin, namespace, stop } = await startClusterServer("checks");
  return serverAt({ ...admin }, namespace, stop);
}

async function serverAt(
  admin: pg.ClientConfig,
  namespace: string | undefined,
  stop: () => Promise<void>,
): Promise<TestServer> {
  const client = new pg.Client(admin);
  const password = randomBytes(16).toString("hex");
  try {
    await client.connect();
    await makeRoles(client, password);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    admin,
    namespace,
    database: () => freshDatabase(client, admin, password),
    async stop() {
      await client.end();
      await stop();
    },
  };
}

async function freshDatabase(superuser: pg.Client, admin: pg.ClientConfig, password: string): Promise<TestDatabase> {
  const { name, access, settings, drop } = await makeDatabase(superuser, admin, password, "check");
  const open = new Set<pg.Client>();
  return {
    name,
    settings,
    async connect(login) {
      const client = new pg.Client(access(login));
      // The server ends sessions of a database that is dropped.
      client.on("error", () => open.delete(client));
      await client.connect();
      open.add(client);
      return client;
    },
    async drop() {
      for (const client of open) await client.end().catch(() => undefined);
      await drop();
    },
  };
}
