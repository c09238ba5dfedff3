import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { Refusal } from "./http.ts";
import { errorFields, type Log } from "./log.ts";
import type { BackendMetrics } from "./metrics.ts";
import { schema } from "./schema.ts";
import type { BackendSettings } from "./settings.ts";
import type { Claims } from "./token.ts";

/** Who a transaction acts for: a token's claims, or an email that is just registering or logging in. */
export type Actor = Claims | { readonly role: "login"; readonly email: string };

/** Any number that all copies of this service agree on. */
const schemaLock = 7_265_001;

/** SQLSTATE of a row that exists already. */
export const uniqueViolation = "23505";

export const sqlState = (error: unknown): string | undefined =>
  error instanceof pg.DatabaseError ? error.code : undefined;

/** A statement that PostgreSQL refused says something about us (500); anything else means that it cannot be reached (503). */
function isOutage(error: unknown): boolean {
  const state = sqlState(error);
  // 08: connection, 53: resources, 57P: shutting down or starting, 57014: our own statement timeout, 25006: read only (failover).
  return state === undefined || /^(08|53|57P|57014|25006|55P03)/.test(state);
}

/** PostgreSQL, through a small pool. Each transaction runs under row level security for one actor. */
export class Database {
  readonly #pool: pg.Pool;
  readonly #log: Log;
  readonly #metrics: BackendMetrics;
  readonly #startSeconds: number;

  constructor(settings: BackendSettings, log: Log, metrics: BackendMetrics) {
    this.#log = log;
    this.#metrics = metrics;
    this.#startSeconds = settings.startSeconds;
    this.#pool = new pg.Pool({
      connectionString: settings.databaseUrl,
      application_name: `taskflow-${settings.identity.colour}`,
      // Three pods of two colours: 30 of PostgreSQL's 100 connections.
      max: 5,
      // A request must fail with 503 well before its client gives up on it.
      connectionTimeoutMillis: 1_500,
      statement_timeout: 1_500,
      query_timeout: 2_000,
      idleTimeoutMillis: 30_000,
      keepAlive: true,
    });
    // Idle connections break when the server goes away; the pool replaces them, without a listener Node would end.
    this.#pool.on("error", (error) => log.warn("idle database connection lost", errorFields(error)));
  }

  /** Waits for the database, then makes the tables if they are absent. Throws after `startSeconds`. */
  async start(): Promise<void> {
    const deadline = performance.now() + this.#startSeconds * 1000;
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#createSchema();
        return;
      } catch (error) {
        if (error instanceof PrivilegeError) throw error;
        const pause = Math.min(250 * 2 ** (attempt - 1), 2_000);
        if (performance.now() + pause > deadline) throw error;
        this.#log.warn("database not there yet", { attempt, ...errorFields(error) });
        await delay(pause);
      }
    }
  }

  /** One transaction for one actor. Throws a Refusal with 503 when the database cannot be reached. */
  async transaction<T>(name: string, actor: Actor, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const observed = this.#metrics.queries.startTimer({ query: name });
    try {
      return await this.#within(async (client) => {
        await client.query("select set_config('request.jwt.claims', $1, true)", [JSON.stringify(actor)]);
        return await work(client);
      });
    } catch (error) {
      if (error instanceof Refusal || !isOutage(error)) throw error;
      throw new Refusal(503, "the database cannot be reached", { "retry-after": "1" }, { cause: error });
    } finally {
      observed();
    }
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #within<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect();
    let broken: Error | undefined;
    try {
      await client.query("begin");
      const result = await work(client);
      await client.query("commit");
      return result;
    } catch (error) {
      // A connection that cannot even roll back is thrown away; the first error is the one that counts.
      await client.query("rollback").catch((failed: Error) => {
        broken = failed;
      });
      throw error;
    } finally {
      client.release(broken);
    }
  }

  async #createSchema(): Promise<void> {
    await this.#within(async (client) => {
      const { rows: roles } = await client.query<{ bypasses: boolean }>(
        "select rolsuper or rolbypassrls as bypasses from pg_roles where rolname = current_user",
      );
      if (roles[0]?.bypasses !== false) throw new PrivilegeError();
      // Pods of both colours start at once: one makes the tables, the others wait for it and find them.
      await client.query("select pg_advisory_xact_lock($1)", [schemaLock]);
      const { rows } = await client.query<{ there: boolean }>("select to_regclass('tasks') is not null as there");
      if (rows[0]?.there) return;
      for (const statement of schema) await client.query(statement);
      this.#log.info("tables created");
    });
  }
}

/** A login that row level security does not bind would show everyone everything: better not to start. */
class PrivilegeError extends Error {
  constructor() {
    super("the login of DATABASE_URL is a superuser or has BYPASSRLS; a login without both is needed");
    this.name = "PrivilegeError";
  }
}
