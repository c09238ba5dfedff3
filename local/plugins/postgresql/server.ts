import { readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { checkServerIdentity } from "node:tls";
import pg from "pg";
import { addressOf, type Config } from "./config.ts";

/** Runs statements in one database. */
export interface Session {
  query<Row extends pg.QueryResultRow>(statement: string, values?: readonly unknown[]): Promise<readonly Row[]>;
}

export const name = pg.escapeIdentifier;
export const literal = pg.escapeLiteral;

/** Somebody else changed the same row of the catalogue at the same moment: the same statements succeed a moment later. */
const attempts = 6;
const firstPauseMilliseconds = 50;

/**
 * One server, over one connection for each database, which is opened when it is first needed and kept until the plugin ends.
 * The engine asks for many resources at once; they are written one after the other, as they meet in the same rows of the
 * catalogue ("tuple concurrently updated").
 */
export class Server {
  readonly config: Config;
  readonly #clients = new Map<string, pg.Client>();
  /** Rejected when the run is cancelled: nothing waits any longer, for a connection or for somebody's lock. */
  readonly #cancelled = Promise.withResolvers<never>();
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(config: Config) {
    this.config = config;
    this.#cancelled.promise.catch(() => {
      // Told to each that waits; there may be none.
    });
  }

  /** Work in one transaction, in the provider's database unless another one is named. `doing` begins the message of a failure. */
  transaction<Result>(
    doing: string,
    work: (session: Session) => Promise<Result>,
    database: string = this.config.database,
  ): Promise<Result> {
    return this.#turn(doing, database, async (session) => {
      await session.query("begin");
      try {
        const result = await work(session);
        await session.query("commit");
        return result;
      } catch (error) {
        await session.query("rollback").catch(() => {
          // The connection is gone, and the transaction with it; the first error says why.
        });
        throw error;
      }
    });
  }

  /** Work that PostgreSQL does not allow in a transaction: databases are made and dropped outside of one. */
  outsideTransaction(doing: string, work: (session: Session) => Promise<void>): Promise<void> {
    return this.#turn(doing, this.config.database, work);
  }

  /** Ends our connection to a database that is about to be renamed or dropped. */
  async leave(database: string): Promise<void> {
    const client = this.#clients.get(database);
    this.#clients.delete(database);
    await client?.end();
  }

  /** Ends every connection, and the wait of those that are still at work: what they did is rolled back. */
  close(): void {
    this.#closed = true;
    this.#cancelled.reject(new Error("the run was cancelled"));
    for (const client of this.#clients.values()) {
      client.end().catch(() => {
        // The process ends now: a connection that is broken already has nothing left to say.
      });
    }
    this.#clients.clear();
  }

  #turn<Result>(doing: string, database: string, work: (session: Session) => Promise<Result>): Promise<Result> {
    const done = this.#last.then(() => this.#attempt(doing, database, work));
    // A resource that fails does not keep the next one from its turn; its own caller hears of it.
    this.#last = done.catch(() => undefined);
    return Promise.race([done, this.#cancelled.promise]);
  }

  async #attempt<Result>(
    doing: string,
    database: string,
    work: (session: Session) => Promise<Result>,
  ): Promise<Result> {
    for (let attempt = 1; ; attempt += 1) {
      if (this.#closed) return this.#cancelled.promise;
      const client = await this.#client(database);
      try {
        return await work({
          query: async <Row extends pg.QueryResultRow>(statement: string, values: readonly unknown[] = []) =>
            (await client.query<Row>(statement, [...values])).rows,
        });
      } catch (error) {
        if (attempt === attempts || !isPassing(error)) throw this.#failure(doing, error);
        await pause(firstPauseMilliseconds * 2 ** (attempt - 1));
      }
    }
  }

  async #client(database: string): Promise<pg.Client> {
    const open = this.#clients.get(database);
    if (open !== undefined) return open;
    const { host, port, username, password, connectSeconds } = this.config;
    const client = new pg.Client({
      host,
      port,
      user: username,
      password: password ?? "",
      database,
      ssl: await this.#tls(),
      connectionTimeoutMillis: connectSeconds * 1000,
      keepAlive: true,
      application_name: "golive, stand-in for pulumi-resource-postgresql",
    });
    const forget = () => {
      if (this.#clients.get(database) === client) this.#clients.delete(database);
    };
    // The server ends sessions of a database that is dropped: the next statement opens a new one, or says what is wrong.
    client.on("error", forget).on("end", forget);
    try {
      await client.connect();
    } catch (error) {
      throw new Error(this.#connectionProblem(database, error), { cause: error });
    }
    this.#clients.set(database, client);
    return client;
  }

  async #tls(): Promise<false | object> {
    const { tls, host } = this.config;
    if (tls === "disable") return false;
    const { rootCertificate } = tls;
    const ca = rootCertificate === undefined ? {} : { ca: await readCertificate(rootCertificate) };
    return {
      ...ca,
      rejectUnauthorized: true,
      // Node would compare a certificate with "localhost" when the host is an address.
      checkServerIdentity: (_: string, certificate: Parameters<typeof checkServerIdentity>[1]) =>
        checkServerIdentity(host, certificate),
    };
  }

  #connectionProblem(database: string, error: unknown): string {
    const { username } = this.config;
    const at = addressOf(this.config);
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (code === "28P01" || code === "28000") {
      return `PostgreSQL at ${at} does not let the login ${username} in: ${messageOf(error)}. Check the provider's username and password`;
    }
    if (code === "3D000") {
      return `PostgreSQL at ${at} has no database ${database} (login ${username}). ${afterIt}`;
    }
    return (
      `cannot reach PostgreSQL at ${at} (login ${username}, database ${database}): ${messageOf(error)}. ` +
      "Check that the server runs, that this machine may reach it, and the provider's host, port and sslmode"
    );
  }

  #failure(doing: string, error: unknown): Error {
    const detail = error instanceof pg.DatabaseError && error.detail !== undefined ? `: ${error.detail}` : "";
    const hint = hintOf(error);
    const at = `PostgreSQL at ${addressOf(this.config)}, login ${this.config.username}`;
    return new Error(`cannot ${doing} (${at}): ${messageOf(error)}${detail}${hint === undefined ? "" : `. ${hint}`}`, {
      cause: error,
    });
  }
}

async function readCertificate(path: string): Promise<string> {
  return readFile(path, "utf8").catch((error: unknown) => {
    throw new Error(`sslrootcert: ${path} cannot be read: ${messageOf(error)}; name a file of certificates in PEM`);
  });
}

function isPassing(error: unknown): boolean {
  if (!(error instanceof pg.DatabaseError)) return false;
  return error.code === "40001" || error.code === "40P01" || /tuple concurrently (updated|deleted)/.test(error.message);
}

const afterIt =
  "What names it must come after it (dependsOn); if it was removed by hand, pulumi refresh takes it out of the state";

const hints: Readonly<Record<string, string>> = {
  "42710": "Take over what is there with the resource option import, or remove it",
  "42P04": "Take over what is there with the resource option import, or remove it",
  "42704": afterIt,
  "3D000": afterIt,
};

function hintOf(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? hints[error.code ?? ""] : undefined;
}

// Of a host with several addresses Node reports a list of errors, which has no message of its own.
function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join("; ");
  const code = error instanceof pg.DatabaseError ? ` (${error.code})` : "";
  return error instanceof Error ? `${error.message}${code}` : String(error);
}
