import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { names, startServer, type TestDatabase, type TestServer } from "../support/postgres.ts";
import { as, claimsOf, rows, someHash, taskflow } from "../support/taskflow-rows.ts";

describe("accounts, sessions and what follows from a change", () => {
  let server: TestServer;
  let database: TestDatabase;
  let app: pg.Client;
  let owner: pg.Client;
  beforeAll(async () => {
    server = await startServer();
    database = await taskflow(server);
    app = await database.connect(names.applicationLogins.a);
    owner = await database.connect(names.owner);
  });
  afterAll(async () => {
    await database.drop();
    await server.stop();
  });

  const door = (email: string) => ({ role: "login", email });
  /** A transaction that is committed. */
  const does = async <T extends pg.QueryResultRow>(
    claims: object | undefined,
    statement: string,
    values: readonly unknown[] = [],
    client = app,
  ) => {
    await client.query("begin");
    try {
      await client.query("select set_config('request.jwt.claims', $1, true)", [JSON.stringify(claims ?? {})]);
      const { rows: found } = await client.query<T>(statement, [...values]);
      await client.query("commit");
      return found;
    } catch (error) {
      await client.query("rollback");
      throw error;
    }
  };
  const register = (email: string, hash = someHash) =>
    does<{ sub: string }>(door(email), "select register($1, 'New', $2) as sub", [email, hash]);

  it("gives who registers a place for tasks at once", async () => {
    const [account] = await register("new@example.com");
    const claims = { sub: account?.sub, role: "user" };
    expect(await does(claims, "select email, name, role from accounts()")).toEqual([
      { email: "new@example.com", name: "New", role: "user" },
    ]);
    const created = await does(
      claims,
      "insert into tasks (project_id, title) select id, 'First' from projects returning title, status, team_id",
    );
    expect(created).toEqual([{ title: "First", status: "todo", team_id: 3 }]);
    expect(await does(claims, "select name from projects")).toEqual([{ name: "Inbox" }]);
    expect(await does(door("new@example.com"), "select * from login('new@example.com')")).toEqual([
      { sub: account?.sub, role: "user", password_hash: someHash },
    ]);
  });

  it("refuses a second account of an address, and a password that is not hashed", async () => {
    await expect(register("ann@example.com")).rejects.toMatchObject({ code: "23505", constraint: "users_email_key" });
    for (const hash of ["a password in clear", "$2b$10$short", `scrypt$${"a".repeat(56)}`]) {
      await expect(register("other@example.com", hash)).rejects.toMatchObject({
        code: "23514",
        constraint: "user_credentials_password_hash_check",
      });
    }
    expect(await does(door("other@example.com"), "select * from login('other@example.com')")).toEqual([]);
  });

  const start = (hash: string, lifetime = "30 days") =>
    does(claimsOf("ann"), "select start_session(sha256($1), $2::interval)", [hash, lifetime]);
  const next = (spent: string, then: string, client = app) =>
    does(undefined, "select * from continue_session(sha256($1), sha256($2))", [spent, then], client);
  const ann = [{ sub: "ann", role: "user" }];

  it("goes on with a session from token to token, each good once", async () => {
    await start("a1");
    expect(await next("a1", "a2")).toEqual(ann);
    expect(await next("a2", "a3")).toEqual(ann);
    expect(await next("unknown", "a4")).toEqual([]);
    await does(undefined, "select end_session(sha256('a2'))");
    expect(await next("a3", "a4")).toEqual([]);
  });

  it("ends a session whose token was used twice, and no other", async () => {
    await start("b1");
    await start("other1");
    expect(await next("b1", "b2")).toEqual(ann);
    expect(await next("b1", "stolen")).toEqual([]);
    expect(await next("b2", "b3")).toEqual([]);
    expect(await next("other1", "other2")).toEqual(ann);
  });

  it("gives a token that two use at the same moment to one of them, and ends the session", async () => {
    const second = await database.connect(names.applicationLogins.b);
    await start("c1");
    const both = await Promise.all([next("c1", "c2"), next("c1", "c3", second)]);
    expect(both.toSorted((one, other) => one.length - other.length)).toEqual([[], ann]);
    expect([await next("c2", "c4"), await next("c3", "c4")]).toEqual([[], []]);
    await second.end();
  });

  it("ends a session after its time, however often it went on", async () => {
    await start("d1", "1 hour");
    expect(await next("d1", "d2")).toEqual(ann);
    await owner.query("update refresh_tokens set expires_at = now() where token_hash = sha256('d2')");
    expect(await next("d2", "d3")).toEqual([]);
    // The next login clears away what is over.
    await owner.query("update refresh_tokens set expires_at = now() - interval '1 s' where expires_at <= now()");
    await start("e1");
    const { rows: left } = await owner.query("select 1 from refresh_tokens where token_hash = sha256('d2')");
    expect(left).toEqual([]);
  });

  it("tells people of what others did, not of what they did themselves", async () => {
    const told = async () =>
      (await owner.query("select user_id, kind from notifications where id > 3 order by id")).rows;
    const { ann: annId, rita } = rows.users;
    const created = (assignee: number) =>
      does<{ id: number }>(
        claimsOf("ann"),
        "insert into tasks (project_id, title, assignee_id) values ($1, 'x', $2) returning id",
        [rows.projects.red, assignee],
      );
    const [own] = await created(annId);
    expect(await told()).toEqual([]);
    await does(claimsOf("ann"), "update tasks set assignee_id = $2 where id = $1", [own?.id, rita]);
    await does(claimsOf("ann"), "update tasks set title = 'y' where id = $1", [own?.id]);
    expect(await told()).toEqual([{ user_id: rita, kind: "assigned" }]);
    await does(claimsOf("rita"), "insert into comments (task_id, body) values ($1, 'x')", [own?.id]);
    expect(await told()).toEqual([
      { user_id: rita, kind: "assigned" },
      { user_id: annId, kind: "commented" },
    ]);
  });

  it("keeps a task's team equal to its project's, whoever moves the project", async () => {
    await as(owner, undefined, async () => {
      await owner.query("update projects set team_id = $2 where id = $1", [rows.projects.red, rows.teams.blue]);
      const { rows: teams } = await owner.query(
        `select distinct t.team_id from tasks t where project_id = $1
         union select c.team_id from comments c join tasks t on t.id = c.task_id where t.project_id = $1`,
        [rows.projects.red],
      );
      expect(teams).toEqual([{ team_id: rows.teams.blue }]);
    });
  });

  it("says when a task was last changed, unless nobody changed it", async () => {
    const changedAt = "select updated_at > created_at as changed from tasks where id = $1";
    await owner.query("update tasks set description = '' where id = $1", [rows.tasks.ofBob]);
    expect(await does(claimsOf("bob"), changedAt, [rows.tasks.ofBob])).toEqual([{ changed: false }]);
    await does(claimsOf("bob"), "update tasks set status = 'done' where id = $1", [rows.tasks.ofBob]);
    expect(await does(claimsOf("bob"), changedAt, [rows.tasks.ofBob])).toEqual([{ changed: true }]);
  });
});
