import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chown, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import pg from "pg";
import { vi } from "vitest";
import { lineProgress } from "../../cli/progress.ts";
import { ensureTree, imageTree } from "../../local/debian/packages.ts";
import { startServer, type TestDatabase } from "./postgres.ts";
import { end } from "./sample-service.ts";
import { until } from "./until.ts";

/** A port of loopback that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** A condition that may also fail while it is not met yet, within 20 s. */
export const soon = (what: string, isTrue: () => Promise<boolean>): Promise<void> =>
  until(what, () => isTrue().catch(() => false), 20, 50);

/**
 * PostgreSQL and Redis of the Debian root as processes of this machine, so that a test can stop, freeze and start them
 * within a second.
 */
export class LocalStores {
  readonly directory: string;
  readonly databasePort: number;
  readonly cachePassword = "the-password-of-the-cache";
  readonly #root: string;
  readonly #cachePort: number;
  readonly #databases: TestDatabase[] = [];
  #database: ChildProcess | undefined;
  #cache: ChildProcess | undefined;

  private constructor(directory: string, root: string, ports: { readonly database: number; readonly cache: number }) {
    this.directory = directory;
    this.#root = root;
    this.databasePort = ports.database;
    this.#cachePort = ports.cache;
  }

  static async start(): Promise<LocalStores> {
    const root = await ensureTree(imageTree, lineProgress());
    const directory = await mkdtemp(join(tmpdir(), "golive-stores-"));
    await mkdir(join(directory, "etc"));
    await mkdir(join(directory, "data"), { mode: 0o700 });
    // initdb wants its user to have a name.
    await writeFile(join(directory, "etc", "passwd"), "postgres:x:999:999::/tmp:/bin/sh\n");
    for (const path of [directory, join(directory, "data")]) await chown(path, 999, 999);
    const stores = new LocalStores(directory, root, { database: await freePort(), cache: await freePort() });
    const options = ["-D", "/tmp/data", "-U", "postgres", "-A", "trust", "--no-locale", "-E", "UTF8", "-N"];
    const [code] = await once(stores.#inRoot("/usr/lib/postgresql/15/bin/initdb", options), "exit");
    if (code !== 0) throw new Error(`initdb ended with ${code}`);
    await stores.startCache();
    await stores.startDatabase();
    return stores;
  }

  get redisUrl(): string {
    return `redis://taskflow:${this.cachePassword}@127.0.0.1:${this.#cachePort}`;
  }

  /** A database as its superuser reaches it; any password will do. */
  adminUrl(database: string): string {
    return `postgres://postgres@127.0.0.1:${this.databasePort}/${database}`;
  }

  /** Empty databases with all roles. */
  async databases(count: number): Promise<readonly TestDatabase[]> {
    vi.stubEnv("GOLIVE_POSTGRES", this.adminUrl("postgres"));
    const server = await startServer().finally(() => vi.unstubAllEnvs());
    for (let index = 0; index < count; index += 1) this.#databases.push(await server.database());
    // Its own connection would break with the server.
    await server.stop();
    return this.#databases.slice(-count);
  }

  async query<Row extends pg.QueryResultRow>(database: string, text: string): Promise<Row[]> {
    const client = new pg.Client({ connectionString: this.adminUrl(database) });
    // Stopping the server breaks the connection; the query's own error says so.
    client.on("error", () => {});
    await client.connect();
    try {
      return (await client.query<Row>(text)).rows;
    } finally {
      await client.end();
    }
  }

  async startDatabase(): Promise<void> {
    const settings = ["-c", "listen_addresses=127.0.0.1", "-c", "log_min_messages=panic"];
    const options = ["-D", "/tmp/data", "-p", String(this.databasePort), "-k", "/tmp", ...settings];
    this.#database = this.#inRoot("/usr/lib/postgresql/15/bin/postgres", options);
    await soon("PostgreSQL accepts connections", async () => {
      await this.query("postgres", "select 1");
      return true;
    });
  }

  /** Ends PostgreSQL at once, in the middle of whatever it does. */
  async stopDatabase(): Promise<void> {
    await end(this.#database, "SIGQUIT");
  }

  async startCache(): Promise<void> {
    const commands = ["auth", "ping", "get", "set", "incr", "multi", "exec"].map((name) => `+${name}`);
    const rights = ["on", `>${this.cachePassword}`, "~taskflow:*", "resetchannels", "-@all", ...commands];
    const users = ["--user", "default", "off", "--user", "taskflow", ...rights];
    const listen = ["--port", String(this.#cachePort), "--bind", "127.0.0.1", "--save", "", "--loglevel", "warning"];
    this.#cache = this.#inRoot("/usr/bin/redis-server", [...listen, ...users]);
    await soon("Redis accepts connections", async () => {
      const socket = connect(this.#cachePort, "127.0.0.1");
      await once(socket, "connect");
      socket.destroy();
      return true;
    });
  }

  /** Redis keeps its connections and says nothing, until it goes on. */
  freezeCache(frozen: boolean): void {
    this.#cache?.kill(frozen ? "SIGSTOP" : "SIGCONT");
  }

  async stopCache(): Promise<void> {
    await end(this.#cache, "SIGKILL");
  }

  async stop(): Promise<void> {
    await this.stopDatabase();
    await this.stopCache();
    const directories = this.#databases.map(({ settings }) => dirname(settings.work));
    for (const each of [...directories, this.directory]) await rm(each, { recursive: true, force: true });
  }

  /**
   * A program of the Debian root, in a mount namespace of its own that ends with it: the root stays as it is, and our
   * directory is its /tmp.
   */
  #inRoot(command: string, args: readonly string[]): ChildProcess {
    const mounts = 'mount --bind "$1/etc" "$2/etc" && mount --bind "$1" "$2/tmp" && mount --rbind /dev "$2/dev"';
    const script = `set -e; ${mounts}; root=$2; shift 2; exec chroot --userspec=999:999 "$root" "$@"`;
    const all = ["--mount", "sh", "-c", script, "sh", this.directory, this.#root, command, ...args];
    return spawn("unshare", all, { stdio: ["ignore", "ignore", "inherit"] });
  }
}
