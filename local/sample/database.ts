import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { Refusal } from "./http.ts";
import { errorFields, type Log } from "./log.ts";
import type { BackendMetrics } from "./metrics.ts";
import type { BackendSettings } from "./settings.ts";
import type { Claims } from "./token.ts";

/**
 * Who a transaction acts for: somebody who is logged in, an email that is just registering or logging in (no signed
 * token can carry that role), or nobody yet, who holds a refresh token.
 */
export type Actor =
  | Omit<Claims, "teams">
  | { readonly role: "login"; readonly email: string }
  | { readonly role: "none" };

/** SQLSTATEs that mean something to a user: a row that exists already, one that row level security refuses, a wrong reference. */
export const uniqueViolation = "23505";
export const notAllowed = "42501";
export const foreignKeyViolation = "23503";

export const sqlState = (error: unknown): string | undefined =>
  error instanceof pg.DatabaseError ? error.code : undefined;

/** A statement that PostgreSQL refused says something about us (500); anything else means that it cannot be reached (503). */
function isOutage(error: unknown): boolean {
  const state = sqlState(error);
  // 08: connection, 53: resources, 57P: shutting down or starting, 57014: our own statement timeout, 25006: read only (failover).
  return state === undefined || /^(08|53|57P|57014|25006|55P03)/.test(state);
}

/** A server that accepts a connection and says nothing is given up after this. */
const connectMs = 1_500;

/** The pool's one limit of its own holds for connecting and for waiting for one's turn: here the two differ. */
class Client extends pg.Client {
  constructor(config?: string | pg.ClientConfig) {
    const given = typeof config === "string" ? { connectionString: config } : config;
    super({ ...given, connectionTimeoutMillis: connectMs });
  }
}

/** Makes what follows in a transaction the work of this actor; it ends with the transaction. */
export async function actAs(client: pg.ClientBase, actor: Actor): Promise<void> {
  await client.query("select set_config('request.jwt.claims', $1, true)", [JSON.stringify(actor)]);
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
      Client,
      connectionString: settings.databaseUrl,
      application_name: `taskflow-${settings.identity.colour}`,
      // Three pods of two colours, and one more of each in a rollout: 40 of PostgreSQL's 100 connections.
      max: 5,
      // A thousand clients at once are served, each in its turn (S0-27), within 1.3 s on two busy cores, and hardly sooner
      // over 20 connections; who waits longer than this gets a 503.
      connectionTimeoutMillis: 10_000,
      statement_timeout: 1_500,
      query_timeout: 2_000,
      idleTimeoutMillis: 30_000,
      keepAlive: true,
      // Statements are sent without waiting for the ones before: most transactions are two round trips instead of four.
      pipeline: true,
    });
    // Idle connections break when the server goes away; the pool replaces them, without a listener Node would end.
    this.#pool.on("error", (error) => log.warn("idle database connection lost", errorFields(error)));
  }

  /**
   * Waits for the database and for a schema that `find` is content with: migrations make it, this login has no right to.
   * Throws what is missing after `startSeconds`.
   */
  async start(find: (client: pg.ClientBase) => Promise<void>): Promise<void> {
    const deadline = performance.now() + this.#startSeconds * 1000;
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#within({ role: "none" }, async (client) => {
          await requireBoundLogin(client);
          await find(client);
        });
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
      return await this.#within(actor, work);
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

  async #within<T>(actor: Actor, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect();
    let broken: Error | undefined;
    try {
      // Sent together and run in this order. Without claims nothing may be seen or changed, should they fail alone.
      const all = [client.query("begin"), actAs(client, actor), work(client)] as const;
      await Promise.allSettled(all);
      const [, , result] = await Promise.all(all);
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
}

async function requireBoundLogin(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<{ bypasses: boolean }>(
    "select rolsuper or rolbypassrls as bypasses from pg_roles where rolname = current_user",
  );
  if (rows[0]?.bypasses !== false) throw new PrivilegeError();
}

/** A login that row level security does not bind would show everyone everything: better not to start. */
class PrivilegeError extends Error {
  constructor() {
    super("the login of DATABASE_URL is a superuser or has BYPASSRLS; a login without both is needed");
    this.name = "PrivilegeError";
  }
}
