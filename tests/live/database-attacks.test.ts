import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findings } from "../../programs/database/catalogue/findings.ts";
import { names, roles, startServer, type TestDatabase, type TestServer } from "../support/postgres.ts";
import { as, claimsOf, type Person, rows, someHash, taskflow } from "../support/taskflow-rows.ts";

const { ofAnn, ofBob, ofBlue } = rows.tasks;
const { red, blue } = rows.teams;

/**
 * Bob, of team blue, wants to see or change what is team red's, with every statement that the application's login may send.
 * Beside each attempt stands the same statement by ann, whose rows they are: it must work, or the attempt proves nothing.
 */
describe("rows of another team do not leak", () => {
  let server: TestServer;
  let database: TestDatabase;
  let app: pg.Client;
  beforeAll(async () => {
    server = await startServer();
    database = await taskflow(server);
    app = await database.connect(names.applicationLogins.a);
  });
  afterAll(async () => {
    await database.drop();
    await server.stop();
  });

  type Claims = Parameters<typeof as>[1];
  /** Rows of a statement, or the message that refuses it. */
  const tryAs = (claims: Claims, statement: string, values: readonly unknown[] = []) =>
    as(app, claims, async () => {
      try {
        return (await app.query({ text: statement, values: [...values], rowMode: "array" })).rows;
      } catch (error) {
        if (error instanceof pg.DatabaseError) return `${error.code} ${error.message}`;
        throw error;
      }
    });
  const try_ = (person: Person, statement: string) => tryAs(claimsOf(person), statement);

  it("by id", async () => {
    const statement = `select title from tasks where id = ${ofAnn}`;
    expect(await try_("bob", statement)).toEqual([]);
    expect(await try_("ann", statement)).toEqual([["secret of red"]]);
  });

  it("by a join from rows of one's own", async () => {
    const statement = `select distinct other.team_id from tasks own
      join tasks other on other.id <> own.id left join projects p on p.id = other.project_id
      left join comments c on c.task_id = other.id or true order by 1`;
    expect(await try_("bob", statement)).toEqual([[blue]]);
    expect(await try_("ann", statement)).toEqual([[red]]);
    expect(await try_("ada", statement)).toEqual([[red], [blue]]);
  });

  it("by a view", async () => {
    const statement = "select team_id, tasks from task_statistics";
    expect(await try_("bob", statement)).toEqual([[blue, 2]]);
    expect(await try_("ann", statement)).toEqual([[red, 2]]);
    expect(await try_("bob", "select user_id, minutes from time_statistics")).toEqual([[rows.users.bob, 20]]);
    expect(await try_("ann", "select user_id, minutes from time_statistics")).toEqual([[rows.users.ann, 90]]);
  });

  it("by a foreign key, which is refused alike whether the parent is another's or not there", async () => {
    const comment = (task: number, team: string) =>
      `insert into comments (task_id, team_id, body) values (${task}, ${team}, 'x') returning team_id`;
    const noPolicy = '42501 new row violates row-level security policy for table "comments"';
    const noParent = /^23503 insert or update on table "comments" violates foreign key constraint/;
    for (const task of [ofAnn, 999]) {
      expect(await try_("bob", comment(task, "null"))).toBe(noPolicy);
      expect(await try_("bob", comment(task, String(red)))).toBe(noPolicy);
      expect(await try_("bob", comment(task, String(blue)))).toMatch(noParent);
    }
    expect(await try_("ann", comment(ofAnn, "null"))).toEqual([[red]]);
    const assign = (user: number) =>
      `update tasks set assignee_id = ${user} where id = ${ofBlue} or id = ${ofAnn} returning assignee_id`;
    expect(await try_("bob", assign(rows.users.rita))).toBe("23503 assignee_id 2 is nobody you work with");
    expect(await try_("bob", assign(999))).toBe("23503 assignee_id 999 is nobody you work with");
    expect(await try_("ann", assign(rows.users.rita))).toEqual([[rows.users.rita]]);
  });

  it("by a function", async () => {
    const door = (email: string) => ({ role: "login", email });
    const login = "select sub from login('ann@example.com')";
    expect(await try_("bob", login)).toEqual([]);
    expect(await tryAs({ ...claimsOf("bob"), email: "ann@example.com" }, login)).toEqual([]);
    expect(await tryAs(door("bob@example.com"), login)).toEqual([]);
    expect(await tryAs(door("ann@example.com"), login)).toEqual([["ann"]]);

    expect(await try_("bob", "select email from accounts()")).toEqual([["bob@example.com"]]);
    expect(await try_("ann", "select email from accounts()")).toEqual([["ann@example.com"]]);
    expect(await try_("ada", "select count(*)::int from accounts()")).toEqual([[6]]);

    const join = `select add_member(${red}, 'bob@example.com')`;
    expect(await try_("bob", join)).toBe("42501 add_member: team 1 is not yours to manage");
    expect(await try_("ann", join)).toEqual([[true]]);

    const register = `select register('new@example.com', 'New', '${someHash}') is not null`;
    expect(await try_("bob", register)).toBe("42501 register: the claims are not for this address");
    expect(await tryAs(door("new@example.com"), register)).toEqual([[true]]);

    const next = (hash: string) => `select sub from continue_session(sha256('${hash}'), sha256('next'))`;
    expect(await try_("bob", next("guessed"))).toEqual([]);
    expect(await try_("bob", next("ann"))).toEqual([["ann"]]);

    const helper = "select private.reachable_team_ids()";
    expect(await try_("bob", helper)).toBe("42501 permission denied for schema private");
    const owner = await database.connect(names.owner);
    expect((await owner.query(helper)).rowCount).toBe(1);
    await owner.end();
  });

  it("by a forged claim of teams, or to be an admin", async () => {
    const statement = "select id from tasks order by id";
    const own = [[ofBob], [ofBlue]];
    expect(await tryAs({ sub: "bob", role: "user", teams: [red, blue] }, statement)).toEqual(own);
    expect(await tryAs({ sub: "bob", role: "admin", teams: [red] }, statement)).toEqual(own);
    expect(await tryAs({ sub: "ada", role: "admin" }, statement)).toHaveLength(4);
  });

  it("without claims", async () => {
    expect(await try_("nobody", "select id from tasks")).toEqual([]);
    expect(await try_("nobody", "select start_session(sha256('x'))")).toBe(
      "42501 start_session: the claims name no user",
    );
    expect(await try_("ann", "select id from tasks")).toHaveLength(2);
  });

  it("with claims that are empty or not what they should be", async () => {
    for (const claims of ["", "{}", "null", "[]", '"ann"', '{"sub": null}', '{"sub": ""}', '{"sub": ["ann"]}']) {
      expect([claims, await tryAs(claims, "select id from tasks")]).toEqual([claims, []]);
    }
    expect(await tryAs("{", "select id from tasks")).toMatch(/^22P02 invalid input syntax for type json/);
    expect(await tryAs('{"sub": "ann"}', "select id from tasks")).toHaveLength(2);
  });

  it("over a pooled connection that was somebody else's", async () => {
    const pool = new pg.Pool({ ...connectionOf(app), max: 1 });
    try {
      const begin = async (claims: object | undefined, work: string) => {
        const client = await pool.connect();
        try {
          await client.query("begin");
          if (claims) await client.query("select set_config('request.jwt.claims', $1, true)", [JSON.stringify(claims)]);
          return (await client.query(work)).rows;
        } finally {
          // As an application that answers: whatever comes next has the same connection.
          await client.query("commit");
          client.release();
        }
      };
      const statement = "select id, pg_backend_pid() as pid from tasks order by id";
      const [mine] = await begin(claimsOf("ann"), statement);
      expect(await begin(undefined, statement)).toEqual([]);
      expect(await begin(claimsOf("bob"), statement)).toEqual([
        { id: ofBob, pid: mine.pid },
        { id: ofBlue, pid: mine.pid },
      ]);
    } finally {
      await pool.end();
    }
  });

  it("by TRUNCATE, which no policy holds back", async () => {
    const owner = await database.connect(names.owner);
    const { rows: tables } = await owner.query<{ name: string }>(
      "select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')",
    );
    expect(tables.length).toBeGreaterThan(10);
    for (const { name } of tables) {
      expect(await try_("ada", `truncate ${name} cascade`)).toBe(`42501 permission denied for table ${name}`);
    }
    await as(owner, undefined, () => owner.query("truncate tasks cascade"));
    await owner.end();
  });

  it("by becoming another role, or by switching policies off", async () => {
    const others = roles
      .map(({ name }) => name)
      .filter((name) => name !== names.application && !name.startsWith("taskflow_app_"));
    for (const role of [...others, "postgres", "pg_read_all_data"]) {
      expect(await try_("bob", `set role ${role}`)).toBe(`42501 permission denied to set role "${role}"`);
    }
    expect(await try_("bob", `set role ${names.application}`)).toEqual([]);
    expect(await try_("bob", `set session authorization ${names.owner}`)).toMatch(/^42501 permission denied/);
    expect(await try_("bob", `alter role ${names.applicationLogins.a} bypassrls`)).toMatch(/^42501 /);
    expect(await try_("bob", "alter table tasks no force row level security")).toMatch(/^42501 must be owner/);
    expect(await try_("bob", "drop policy tasks_read on tasks")).toMatch(/^42501 must be owner/);
    await app.query("set row_security = off");
    expect(await try_("bob", "select id from tasks")).toBe(
      '42501 query would be affected by row-level security policy for table "tasks"',
    );
    await app.query("reset row_security");
    expect(await try_("bob", "select id from tasks")).toHaveLength(2);
  });

  it("from a part of a partitioned table, asked for directly", async () => {
    const owner = await database.connect(names.owner);
    const closed = "alter table events_1 enable row level security, force row level security";
    // As a later migration would.
    await owner.query(`
      create table events (team_id integer not null, what text not null) partition by list (team_id);
      create index idx_events_team_id on events (team_id);
      create table events_1 partition of events for values in (${red}, ${blue});
      alter table events enable row level security, force row level security;
      create policy events_read on events for select to ${names.application}
        using (team_id = any ((select private.reachable_team_ids())::integer[]));
      insert into events values (${red}, 'secret of red'), (${blue}, 'of blue')`);
    const options = { owner: names.owner, allowedBypass: [names.owner, names.backup] };
    const statement = (table: string) => `select what from ${table}`;
    // This is what the check is for: the policy of the whole does not bind who names the part.
    expect(await try_("bob", statement("events_1"))).toHaveLength(2);
    expect((await findings(owner, options)).map(({ check, object }) => [check, object])).toEqual([
      ["partition-open", "public.events_1"],
    ]);
    await owner.query(closed);
    expect(await findings(owner, options)).toEqual([]);
    expect(await try_("bob", statement("events_1"))).toEqual([]);
    expect(await try_("bob", statement("events"))).toEqual([["of blue"]]);
    expect(await try_("ann", statement("events"))).toEqual([["secret of red"]]);
    await owner.query("drop table events");
    await owner.end();
  });

  it("by COPY", async () => {
    const copied = (person: Person, statement: string) =>
      as(app, claimsOf(person), async () => (await app.query(statement)).rowCount);
    expect(await copied("bob", "copy tasks to stdout")).toBe(2);
    expect(await copied("ada", "copy tasks to stdout")).toBe(4);
    expect(await copied("nobody", "copy tasks to stdout")).toBe(0);
    expect(await copied("bob", `copy (select * from tasks where team_id = ${red}) to stdout`)).toBe(0);
    expect(await copied("ann", `copy (select * from tasks where team_id = ${red}) to stdout`)).toBe(2);
    expect(await try_("bob", "copy users to stdout")).toBe("42501 permission denied for table users");
    expect(await try_("bob", "copy comments (task_id, team_id, author_id, body) from stdin")).toMatch(
      /^0A000 COPY FROM not supported with row-level security/,
    );
    expect(await try_("bob", "copy tasks to program 'cat'")).toMatch(/^42501 must be superuser or have privileges/);
    expect(await try_("bob", "copy tasks to '/tmp/tasks'")).toMatch(/^42501 must be superuser or have privileges/);
  });

  it("by another table in the place of one that a function reads", async () => {
    for (const statement of [
      "create temporary table users (id integer)",
      "create schema trap",
      "create table public.trap (id integer)",
      "create function public.trap() returns integer language sql as 'select 1'",
    ]) {
      expect(await try_("bob", statement)).toMatch(/^42501 permission denied/);
    }
    // Even with a schema of the attacker's own in front.
    const admin = await database.connect("postgres");
    await admin.query(`
      create schema trap authorization ${names.applicationLogins.a};
      create table trap.users as select id, open_id, 'admin' as role from public.users;
      create table trap.team_members as select t.id as team_id, u.id as user_id, 'lead' as role from teams t, users u;
      create function trap.current_setting(text, boolean) returns text language sql
        as $$ select '{"sub": "ann", "role": "admin"}' $$;
      grant usage on schema trap to public;
      grant all on all tables in schema trap to public`);
    await app.query("set search_path = trap, public, pg_catalog");
    try {
      expect(await try_("bob", "select count(*)::int from team_members")).toEqual([[12]]);
      expect(await try_("bob", "select current_setting('request.jwt.claims', true) like '%ann%'")).toEqual([[true]]);
      expect(await try_("bob", "select id from tasks order by id")).toEqual([[ofBob], [ofBlue]]);
      expect(await try_("bob", "select email from accounts()")).toEqual([["bob@example.com"]]);
      expect(await try_("ann", "select email from accounts()")).toEqual([["ann@example.com"]]);
    } finally {
      await app.query("reset search_path");
      await admin.query("drop schema trap cascade");
      await admin.end();
    }
  });

  it("by errors that tell of rows which are not shown", async () => {
    const fails = "select 1 from tasks where 1 / (case when title = 'secret of red' then 0 else 1 end) = 1";
    expect(await try_("bob", fails)).toEqual([[1], [1]]);
    expect(await try_("ann", fails)).toBe("22012 division by zero");
    const cast = `select title::integer from tasks where id = ${ofAnn}`;
    expect(await try_("bob", cast)).toEqual([]);
    expect(await try_("ann", cast)).toMatch(/^22P02 invalid input syntax for type integer: "secret of red"/);
    // Numbers are not the application's to choose, so a clash tells nothing; nor do sequences and the planner's statistics.
    for (const id of [ofAnn, 999]) {
      expect(
        await try_("bob", `insert into tasks (id, project_id, title) overriding system value values (${id}, 2, 'x')`),
      ).toBe("42501 permission denied for table tasks");
    }
    const owner = await database.connect(names.owner);
    const sequence = "select last_value from tasks_id_seq";
    expect(await try_("bob", sequence)).toBe("42501 permission denied for sequence tasks_id_seq");
    expect((await owner.query(sequence)).rowCount).toBe(1);
    await owner.query("analyze tasks");
    const statistics = "select 1 from pg_stats where tablename = 'tasks' and attname = 'title'";
    expect(await try_("bob", statistics)).toEqual([]);
    expect((await owner.query(statistics)).rowCount).toBe(1);
    await owner.end();
  });

  it("by RETURNING", async () => {
    for (const statement of [
      `update tasks set status = 'done' where id = ${ofAnn} returning title`,
      `delete from tasks where id = ${ofAnn} returning title`,
      `with gone as (delete from tasks where team_id = ${red} returning title) select title from gone where title like 'secret%'`,
    ]) {
      expect([statement, await try_("bob", statement)]).toEqual([statement, []]);
      expect([statement, await try_("ann", statement)]).toEqual([statement, [["secret of red"]]]);
    }
    expect(await try_("bob", `update users set name = 'x' returning email`)).toBe(
      "42501 permission denied for table users",
    );
    expect(await try_("bob", `update users set name = 'x' returning id`)).toEqual([[rows.users.bob]]);
  });
});

/** How a pool gets in as this connection did. */
function connectionOf(client: pg.Client): pg.PoolConfig {
  const { host, port, user, database, password } = client;
  return {
    host,
    port,
    ...(user ? { user } : {}),
    ...(database ? { database } : {}),
    ...(password ? { password } : {}),
  };
}
