import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { DatabaseStack, of, ownerPassword, role, secret } from "./plugins/database-stack.ts";
import type { PlannedResource } from "./plugins/program/plan.ts";

/** Somewhere nobody listens: what does not fail there needs no server. */
const nowhere = { host: "127.0.0.1", port: 1, connectTimeout: 5 };

describe("roles, databases and rights by the plugin", () => {
  let live: DatabaseStack;
  let names: DatabaseStack["names"];
  const noChanges = async () => expect((await live.stack.preview("--expect-no-changes")).code).toBe(0);

  beforeAll(async () => {
    live = await DatabaseStack.open();
    names = live.names;
  });
  afterEach(() => live?.release());
  afterAll(() => live?.close());

  describe("a preview", () => {
    it("of new resources needs no server", async () => {
      await live.plan(live.application(), nowhere);
      const steps = await live.stack.steps();
      // The stack itself and ten resources.
      expect(Object.values(steps).filter((step) => step === "create")).toHaveLength(11);
    });

    it("of a provider whose password is still to be made shows its resources", async () => {
      const password = { type: "random.RandomPassword", name: "password", args: { length: 16 } };
      await live.plan([password, role("owner", { name: names.owner })], { password: of("password.result") });
      expect(await live.stack.steps()).toEqual({ "plugins-test": "create", owner: "create", password: "create" });
    });

    it("is what up then makes, and a second one is empty", async () => {
      await live.make(live.application());
      await noChanges();
    });

    it("without changes needs no server", async () => {
      await live.plan(live.application(), nowhere);
      expect(await live.stack.steps()).toEqual({});
    });
  });

  it("give the application's login the rights of its group, and nothing more", async () => {
    const owner = await live.connect(names.owner, ownerPassword);
    await owner.query("create table task (id bigint generated always as identity, title text)");
    const login = await live.connect(names.login, "first-password");
    await login.query("insert into task (title) values ('one')");
    expect((await login.query("select title from task")).rows).toEqual([{ title: "one" }]);
    await expect(login.query("delete from task")).rejects.toThrow("permission denied");
    await expect(login.query("create table other ()")).rejects.toThrow("permission denied");
    await live.admin.query(`create role ${names.reader} login password 'stranger'`);
    await expect(live.connect(names.reader, "stranger")).rejects.toThrow("permission denied for database");
    await live.admin.query(`drop role ${names.reader}`);
  });

  describe("a password", () => {
    it("that changes lets the new one in and the old one not, in place, and is shown nowhere", async () => {
      await live.plan(live.application({ password: "second-password" }));
      expect(await live.stack.steps()).toEqual({ login: "update" });
      const { text } = await live.stack.preview();
      const run = await live.stack.succeed();
      await live.connect(names.login, "second-password");
      await expect(live.connect(names.login, "first-password")).rejects.toThrow("password authentication failed");
      for (const shown of [text, run.text, await live.stack.state()]) {
        expect(shown).not.toMatch(/(first|second)-password|owner-passes/);
        expect(shown).not.toContain("SCRAM-SHA-256$");
      }
      await noChanges();
    });
  });

  const usual = { password: "second-password" };

  describe("a change", () => {
    it("of rights is made in place: what is left out is gone at once", async () => {
      await live.plan(live.application({ ...usual, tables: ["SELECT"] }));
      expect(await live.stack.steps()).toEqual({ tables: "update" });
      await live.stack.succeed();
      const owner = await live.connect(names.owner, ownerPassword);
      await owner.query("create table note (text text)");
      const login = await live.connect(names.login, "second-password");
      expect((await login.query("select from note")).rowCount).toBe(0);
      await expect(login.query("insert into note values ('x')")).rejects.toThrow("permission denied");
    });

    it("of the order of rights is none", async () => {
      const tables = ["UPDATE", "INSERT", "SELECT"];
      await live.make(live.application({ ...usual, tables }));
      await live.plan(live.application({ ...usual, tables: tables.toReversed() }));
      expect(await live.stack.steps()).toEqual({});
    });

    it("of what a right is replaces it, the old one first", async () => {
      const mayGrant = async () =>
        (
          await (
            await live.asAdmin()
          ).query("select has_schema_privilege($1, 'public', 'USAGE WITH GRANT OPTION') as it", [names.app])
        ).rows[0]?.it;
      await live.plan(live.application({ ...usual, usage: { withGrantOption: true } }));
      expect((await live.stack.steps()).usage).toMatch(/replace/);
      await live.stack.succeed();
      expect(await mayGrant()).toBe(true);
      await live.make(live.application(usual));
      expect(await mayGrant()).toBe(false);
      await noChanges();
    });

    it("of a role's attributes is made in place, and keeps its memberships and its password", async () => {
      await live.plan(live.application({ ...usual, login: { connectionLimit: 3 } }));
      expect(await live.stack.steps()).toEqual({ login: "update" });
      await live.stack.succeed();
      expect(await live.attribute(names.login, "rolconnlimit")).toBe(3);
      // Only its group lets it in.
      await live.connect(names.login, "second-password");
      await live.make(live.application(usual));
      expect(await live.attribute(names.login, "rolconnlimit")).toBe(-1);
    });

    it("of a role's name renames it, and its password and later runs know it by the new one", async () => {
      const named = (name: string) =>
        live.application(usual, role("reader", { name, login: true, password: secret("reads-only") }));
      await live.make(named(names.reader));
      await live.plan(named(names.helper));
      expect(await live.stack.steps()).toEqual({ reader: "update" });
      await live.stack.succeed();
      expect(await live.attribute(names.reader, "rolname")).toBe(undefined);
      await live.connect(names.helper, "reads-only", "postgres");
      expect(await live.refreshed()).toEqual({});
      await live.make(live.application(usual));
      expect(await live.attribute(names.helper, "rolname")).toBe(undefined);
    });

    it("of a role takes memberships away that a GrantRole gave: they belong to the role's own `roles`", async () => {
      const member = (connectionLimit: number): readonly PlannedResource[] =>
        live.application(usual, role("reader", { name: names.reader, connectionLimit }), {
          type: "postgresql.GrantRole",
          name: "membership",
          args: { role: of("reader.name"), grantRole: of("app.name") },
        });
      const isMember = async () =>
        (await live.admin.query("select pg_has_role($1, $2, 'MEMBER') as it", [names.reader, names.app])).rows[0]?.it;
      await live.make(member(-1));
      expect(await isMember()).toBe(true);
      await live.plan(member(2));
      expect(await live.stack.steps()).toEqual({ reader: "update" });
      await live.stack.succeed();
      expect(await isMember()).toBe(false);
      expect(await live.refreshed()).toEqual({ membership: "create" });
      await live.make(live.application(usual));
    });
  });

  describe("a refresh", () => {
    it("without drift changes nothing", async () => {
      await live.plan(live.application(usual));
      expect(await live.refreshed()).toEqual({});
    });

    it("finds what was done by hand, and the next run undoes it", async () => {
      const here = await live.asAdmin();
      const { app, database, login, owner } = names;
      await here.query(`revoke usage on schema public from ${app}`);
      await here.query(`grant temporary on database ${database} to public`);
      await here.query(
        `alter default privileges for role ${owner} in schema public revoke insert on tables from ${app}`,
      );
      await here.query(`alter schema public owner to ${app}`);
      await here.query(`alter database ${database} connection limit 7`);
      await here.query(`alter role ${app} bypassrls`);
      await here.query(`revoke ${app} from ${login}`);
      expect(await live.refreshed()).toEqual({
        app: "update",
        database: "update",
        login: "update",
        nobody: "update",
        public: "update",
        tables: "update",
        usage: "update",
      });
      await live.stack.succeed();
      expect(await live.attribute(app, "rolbypassrls")).toBe(false);
      await live.connect(login, "second-password");
      expect(await live.refreshed()).toEqual({});
    });

    it("finds what is gone, and the next run makes it again", async () => {
      await live.admin.query(`drop database ${names.database} with (force)`);
      expect(await live.refreshed()).toEqual({
        connect: "create",
        database: "create",
        nobody: "create",
        public: "create",
        sequences: "create",
        tables: "create",
        usage: "create",
      });
      await live.stack.succeed();
      await noChanges();
    });
  });

  it("do not take over what is there: they say so, and do with the import option", async () => {
    await live.admin.query(`create role ${names.reader} login connection limit 4`);
    const adopted = (options: object) =>
      live.application(usual, role("reader", { name: names.reader, login: true, connectionLimit: 4 }, { ...options }));
    const text = await live.fails(adopted({}));
    expect(text).toMatch(/role \\?"plugin_\w+_reader\\?" already exists/);
    if (live.standIns) expect(text).toContain("Take over what is there with the resource option import");
    await live.make(adopted({ import: names.reader }));
    await live.plan(adopted({}));
    expect(await live.stack.steps()).toEqual({});
    await live.make(live.application(usual));
    expect(await live.attribute(names.reader, "rolname")).toBe(undefined);
  });

  it("remove a database with somebody in it, and every role, and leave nothing", async () => {
    const inside = await live.asAdmin();
    await live.make([]);
    await expect(inside.query("select 1")).rejects.toThrow();
    for (const name of Object.values(names)) expect(await live.attribute(name, "rolname")).toBe(undefined);
    const left = await live.admin.query("select from pg_database where datname = $1", [names.database]);
    expect(left.rowCount).toBe(0);
  });
});
