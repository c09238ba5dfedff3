import { randomBytes } from "node:crypto";
import pg from "pg";
import { startServer, type TestServer } from "../../support/postgres.ts";
import { PluginStack, type Run, type Steps } from "./plugin-stack.ts";
import type { PlannedResource } from "./program/plan.ts";

type Args = Readonly<Record<string, unknown>>;

/** Another resource's output, and a secret, as a plan has them. */
export const of = (path: string) => ({ $of: path });
export const secret = (text: string) => ({ $secret: text });

export const role = (name: string, args: Args, options: Args = {}): PlannedResource => ({
  type: "postgresql.Role",
  name,
  args,
  options,
});
export const right = (name: string, args: Args): PlannedResource => ({
  type: "postgresql.Grant",
  name,
  args: { database: of("database.name"), ...args },
});
const defaultRight = (name: string, args: Args): PlannedResource => ({
  type: "postgresql.DefaultPrivileges",
  name,
  args: { database: of("database.name"), schema: of("public.name"), owner: of("owner.name"), ...args },
});

export interface Application {
  /** Of the login. */
  readonly password?: string;
  /** What the group may do with each table that the owner makes. */
  readonly tables?: readonly string[];
  readonly login?: Args;
  readonly usage?: Args;
}

/** The password of the owner. */
export const ownerPassword = "owner-passes";

/** A stack of the fixture program that works on a real PostgreSQL, and that server beside it. */
export class DatabaseStack {
  readonly #server: TestServer;
  readonly #open: pg.Client[] = [];
  readonly stack: PluginStack;
  /** A connection of the server's superuser. */
  readonly admin: pg.Client;
  /** Names of this run: the server may be shared. */
  readonly names: Readonly<Record<"database" | "owner" | "app" | "login" | "reader" | "helper", string>>;

  private constructor(server: TestServer, admin: pg.Client, stack: PluginStack) {
    this.#server = server;
    this.admin = admin;
    this.stack = stack;
    const id = randomBytes(3).toString("hex");
    const name = (each: string) => `plugin_${id}_${each}`;
    this.names = {
      database: name("database"),
      owner: name("owner"),
      app: name("app"),
      login: name("login"),
      reader: name("reader"),
      helper: name("helper"),
    };
  }

  static async open(): Promise<DatabaseStack> {
    const server = await startServer();
    const admin = new pg.Client(server.admin);
    await admin.connect();
    return new DatabaseStack(server, admin, await PluginStack.open());
  }

  /** Whether the engine works with our stand-ins. */
  get standIns(): boolean {
    return this.stack.standIns;
  }

  /** Arguments of a provider whose login is the superuser. */
  get provider(): Args {
    const { host, port, user, password } = this.admin;
    return { host, port, username: user, password: secret(password ?? ""), sslmode: "disable", superuser: true };
  }

  /** A database with its owner, a group with rights, and a login in it: what an application has. And more. */
  application(with_: Application = {}, ...more: readonly PlannedResource[]): readonly PlannedResource[] {
    const { owner, app, login, database } = this.names;
    const password = secret(with_.password ?? "first-password");
    const group = { role: of("app.name") };
    return [
      role("owner", { name: owner, login: true, password: secret(ownerPassword), createDatabase: true }),
      role("app", { name: app }),
      role("login", { name: login, login: true, password, roles: [of("app.name")], ...with_.login }),
      { type: "postgresql.Database", name: "database", args: { name: database, owner: of("owner.name") } },
      right("nobody", { role: "public", objectType: "database", privileges: [] }),
      right("connect", { ...group, objectType: "database", privileges: ["CONNECT"] }),
      {
        type: "postgresql.Schema",
        name: "public",
        args: { name: "public", database: of("database.name"), owner: of("owner.name") },
      },
      right("usage", {
        ...group,
        schema: of("public.name"),
        objectType: "schema",
        privileges: ["USAGE"],
        ...with_.usage,
      }),
      defaultRight("tables", {
        ...group,
        objectType: "table",
        privileges: with_.tables ?? ["SELECT", "INSERT", "UPDATE"],
      }),
      defaultRight("sequences", { ...group, objectType: "sequence", privileges: ["USAGE", "SELECT"] }),
      ...more,
    ];
  }

  /** Says what the program declares next, with these arguments of the provider beside the usual ones. */
  plan(resources: readonly PlannedResource[], args: Args = {}): Promise<void> {
    return this.stack.write({ postgresql: { ...this.provider, ...args }, resources });
  }

  /** Declares this, and makes it so. */
  async make(resources: readonly PlannedResource[], args: Args = {}): Promise<Run> {
    await this.plan(resources, args);
    return this.stack.succeed();
  }

  /** An `up` that must fail, and what it prints. */
  async fails(resources: readonly PlannedResource[], args: Args = {}): Promise<string> {
    await this.plan(resources, args);
    const run = await this.stack.up();
    if (run.code === 0) throw new Error(`it should have failed:\n${run.text}`);
    return run.text;
  }

  /** What a run would do after it has looked at what is there. */
  async refreshed(): Promise<Steps> {
    const run = await this.stack.run("refresh", "--yes", "--skip-preview", "--clear-pending-creates");
    if (run.code !== 0) throw new Error(run.text);
    return this.stack.steps();
  }

  /** A connection that `release` ends. @throws DatabaseError when the server does not let this login in. */
  async connect(user: string, password: string, database = this.names.database): Promise<pg.Client> {
    const client = new pg.Client({ host: this.admin.host, port: this.admin.port, user, password, database });
    // The server ends sessions of a database that is dropped.
    client.on("error", () => {});
    await client.connect();
    this.#open.push(client);
    return client;
  }

  /** A second connection of the superuser. */
  asAdmin(database = this.names.database): Promise<pg.Client> {
    return this.connect(this.admin.user ?? "", this.admin.password ?? "", database);
  }

  /** A column of pg_roles; undefined when there is no such role. */
  async attribute(name: string, column: string): Promise<unknown> {
    const { rows } = await this.admin.query(`select ${column} as it from pg_roles where rolname = $1`, [name]);
    return rows[0]?.it;
  }

  async release(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((client) => client.end()));
  }

  async close(): Promise<void> {
    await this.release();
    await this.stack.close();
    await this.admin.end();
    await this.#server.stop();
  }
}
