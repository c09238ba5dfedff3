import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { until } from "../support/until.ts";
import { DatabaseStack, of, right, role, secret } from "./plugins/database-stack.ts";
import type { PlannedResource } from "./plugins/program/plan.ts";

describe("the plugin of PostgreSQL", () => {
  let live: DatabaseStack;
  let names: DatabaseStack["names"];

  beforeAll(async () => {
    live = await DatabaseStack.open();
    names = live.names;
    await live.make(live.application());
  });
  afterEach(() => live?.release());
  afterAll(() => live?.close());

  describe("says where it failed, and never the password, when", () => {
    it("its own password is refused", async () => {
      const text = await live.fails(live.application({}, role("late", { name: names.reader })), {
        password: secret("not-the-password"),
      });
      expect(text).toContain("password authentication failed");
      const { host, port, user } = live.admin;
      if (live.standIns) expect(text).toContain(`PostgreSQL at ${host}:${port} does not let the login ${user} in: `);
      expect(text).not.toContain("not-the-password");
    });

    it("nobody answers", async () => {
      const changed = live.application({ password: "new-password" });
      const text = await live.fails(changed, { host: "127.0.0.1", port: 1 });
      expect(text).toMatch(/connection refused|ECONNREFUSED/);
      if (live.standIns) {
        expect(text).toContain(
          `cannot reach PostgreSQL at 127.0.0.1:1 (login ${live.admin.user}, database postgres): connect ECONNREFUSED`,
        );
      }
      expect(text).not.toContain("new-password");
    });

    it("TLS is asked for and the server has none", async ({ skip }) => {
      skip(!live.standIns, "the real plugin says it in other words");
      const changed = live.application({ password: "new-password" });
      expect(await live.fails(changed, { sslmode: "require" })).toContain(
        "got require; allowed here: disable, verify-full (require encrypts, but to a server that nobody has checked",
      );
      expect(await live.fails(changed, { sslmode: "verify-full" })).toContain(
        "The server does not support SSL connections",
      );
    });
  });

  it("never puts a password into a statement, which the server might write to its log", async ({ skip }) => {
    skip(!live.standIns, "the real plugin sends it in clear");
    const other = await live.asAdmin("postgres");
    await other.query("begin");
    // Whoever changes the role now has to wait, and shows the statement that it waits with.
    await other.query("select from pg_authid where rolname = $1 for update", [names.login]);
    await live.plan(live.application({ password: "new-password" }));
    const { done } = live.stack.start("up", "--yes", "--skip-preview");
    const statement = await waiting(live);
    await other.query("rollback");
    expect(await done).toMatchObject({ code: 0 });
    expect(statement).toMatch(/^alter role .* with PASSWORD 'SCRAM-SHA-256\$4096:/);
    await live.connect(names.login, "new-password");
    await live.make(live.application());
  });

  it("waits for somebody who changes the same object, and changes it then", async ({ skip }) => {
    skip(!live.standIns, "the real plugin gives up: tuple concurrently updated");
    const other = await live.asAdmin("postgres");
    await other.query("begin");
    await other.query(`grant temporary on database ${names.database} to ${names.app}`);
    const create = right("create", { role: of("owner.name"), objectType: "database", privileges: ["CREATE"] });
    await live.plan(live.application({}, create));
    const { done } = live.stack.start("up", "--yes", "--skip-preview");
    await until("the plugin's statement waits for the other session", async () => {
      const { rowCount } = await live.admin.query("select from pg_locks where not granted");
      return (rowCount ?? 0) > 0;
    });
    await other.query("commit");
    const run = await done;
    await other.query(`revoke temporary on database ${names.database} from ${names.app}`);
    expect(run).toMatchObject({ code: 0 });
    await live.make(live.application());
  });

  it("stops on Ctrl-C while it waits for somebody's lock, with nothing done", async ({ skip }) => {
    skip(!live.standIns, "the real plugin waits for the lock until the engine kills it");
    const other = await live.asAdmin();
    await other.query("begin");
    await other.query("create schema blocked");
    const blocked: PlannedResource = {
      type: "postgresql.Schema",
      name: "blocked",
      args: { name: "blocked", database: of("database.name") },
    };
    await live.plan(live.application({}, blocked));
    const { done, end } = live.stack.start("up", "--yes", "--skip-preview");
    await waiting(live);
    end("SIGINT");
    const run = await done;
    expect(run.code).not.toBe(0);
    expect(run.text).toContain("the run was cancelled");
    await other.query("rollback");
    expect((await other.query("select from pg_namespace where nspname = 'blocked'")).rowCount).toBe(0);
    await live.plan(live.application());
    expect(await live.refreshed()).toEqual({});
  });

  describe("with a login that is no superuser", () => {
    const helps = { password: secret("helps"), superuser: false };
    const database = () => `${names.database}_2`;
    /** A database of its own beside the application's. */
    const small = (...more: readonly PlannedResource[]): readonly PlannedResource[] => [
      role("theirs", { name: names.reader, login: true, password: secret("owns") }),
      { type: "postgresql.Database", name: "database", args: { name: database(), owner: of("theirs.name") } },
      {
        type: "postgresql.Schema",
        name: "public",
        args: { name: "public", database: of("database.name"), owner: of("theirs.name") },
      },
      right("use", { schema: of("public.name"), role: "pg_monitor", objectType: "schema", privileges: ["USAGE"] }),
      ...more,
    ];
    const login = () => ({ ...helps, username: names.helper });

    beforeAll(async () => {
      await live.make([]);
      await live.admin.query(`create role ${names.helper} login createrole createdb password 'helps'`);
    });
    afterAll(async () => {
      await live.make([], login());
      await live.admin.query(`drop role ${names.helper}`);
    });

    it("works with the owner's rights for as long as it takes, and gives them back", async () => {
      await live.make(small(), login());
      expect((await live.stack.preview("--expect-no-changes")).code).toBe(0);
      const { rows } = await live.admin.query("select from pg_auth_members where pg_get_userbyid(member) = $1", [
        names.helper,
      ]);
      expect(rows).toEqual([]);
    });

    it("wants to be told so", async () => {
      const late = role("late", { name: names.login, login: true, password: secret("late") });
      const text = await live.fails(small(late), { ...login(), superuser: true });
      expect(text).toMatch(/superuser: false|superuser = false/);
      // The real plugin finds out when it has made the role; the next run removes that.
      await live.make(small(), login());
      expect(await live.attribute(names.login, "rolname")).toBe(undefined);
    });

    it("does not take rights on a database for granted that were not", async ({ skip }) => {
      skip(!live.standIns, "the real plugin does not see that nothing happened");
      const connect = right("connect", { role: "pg_monitor", objectType: "database", privileges: ["CONNECT"] });
      expect(await live.fails(small(connect), login())).toContain(
        `the server left them as they are (none): the login ${names.helper} does not own the database; let a superuser`,
      );
    });
  });

  describe("as a stand-in refuses by name", () => {
    const refused = async (resource: PlannedResource, args: object = {}) => {
      await live.plan([resource], { ...args });
      const run = await live.stack.preview();
      expect(run.code).not.toBe(0);
      return run.text;
    };

    it.for([
      [
        "a type that it does not have",
        { type: "postgresql.Extension", name: "odd", args: { name: "pgcrypto" } },
        "the stand-in for the postgresql plugin has no type postgresql:index/extension:Extension; it has postgresql:",
      ],
      [
        "a property that it does not have",
        role("odd", { name: "odd", searchPaths: ["a"] }),
        "the stand-in for the postgresql plugin does not have this property; the real plugin does (GOLIVE_PLUGINS)",
      ],
      [
        "policies of a schema",
        { type: "postgresql.Schema", name: "odd", args: { name: "odd", policies: [{ usage: true }] } },
        "the stand-in for the postgresql plugin does not have this property; the real plugin does (GOLIVE_PLUGINS)",
      ],
    ] as const)("%s", async ([, resource, message], { skip }) => {
      skip(!live.standIns, "the real plugin is in use, and has all that");
      expect(await refused(resource)).toContain(message);
    });

    it("an option of the provider that it would have to ignore", async ({ skip }) => {
      skip(!live.standIns, "the real plugin is in use, and has all that");
      expect(await refused(role("odd", { name: "odd" }), { scheme: "awspostgres" })).toContain(
        "the stand-in for the postgresql plugin does not have this option; the real plugin does (GOLIVE_PLUGINS)",
      );
    });
  });
});

/** The statement of the stand-in that waits for somebody else's lock, as soon as one does. */
async function waiting(live: DatabaseStack): Promise<string> {
  let statement = "";
  await until("a statement of the plugin waits for a lock", async () => {
    const { rows } = await live.admin.query<{ query: string }>(
      "select query from pg_stat_activity where wait_event_type = 'Lock' and application_name like 'golive, stand-in%'",
    );
    statement = rows[0]?.query ?? "";
    return statement !== "";
  });
  return statement;
}
