import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { names, startServer, type TestDatabase, type TestServer } from "../support/postgres.ts";
import { as, claimsOf, type Person, people, rows, taskflow } from "../support/taskflow-rows.ts";

/** What comes of a statement: how many rows it shows or changes, or the SQLSTATE that refuses it. */
type Outcome = number | string;
/** One outcome for each of `people`: nobody, ann, bob, carl, olga, ada. */
type Outcomes = readonly [Outcome, Outcome, Outcome, Outcome, Outcome, Outcome];

interface Cases {
  /** Rows seen. */
  readonly select: Outcomes;
  /** A row that is ann's, or her team's. */
  readonly insert: readonly [statement: string, Outcomes];
  /** All rows that can be reached, by a column that is set to itself. */
  readonly update: readonly [column: string, Outcomes];
  readonly delete: Outcomes;
}

const denied = "42501";
const allDenied: Outcomes = [denied, denied, denied, denied, denied, denied];
/** No right at all. */
const closed = (column: string): Cases => ({
  select: allDenied,
  insert: ["default values", allDenied],
  update: [column, allDenied],
  delete: allDenied,
});
const onlyRead = (column: string, select: Outcomes): Cases => ({ ...closed(column), select });

/** A view of sums: there is no row to write. */
const sums = (column: string, select: Outcomes): Cases => {
  const refused: Outcomes = ["55000", "55000", "55000", "55000", "55000", "55000"];
  return { select, insert: ["default values", refused], update: [column, refused], delete: refused };
};

/** Each table and view, for each person. One that is missing here fails: whoever makes a table says who sees it. */
const matrix: Readonly<Record<string, Cases>> = {
  users: {
    select: [0, 2, 1, 1, 3, 6],
    insert: ["(name, email) values ('New', 'new@example.com')", allDenied],
    update: ["name", [0, 1, 1, 1, 1, 1]],
    delete: allDenied,
  },
  teams: {
    select: [0, 1, 1, 0, 1, 2],
    insert: [`(name, owner_id) values ('New', ${rows.users.ann})`, [denied, 1, denied, denied, denied, denied]],
    update: ["name", [0, 1, 1, 0, 1, 2]],
    // 23503: a team that has projects stays.
    delete: [0, "23503", "23503", 0, "23503", "23503"],
  },
  team_members: {
    select: [0, 2, 1, 0, 2, 3],
    insert: [`(team_id, user_id) values (${rows.teams.red}, ${rows.users.bob})`, allDenied],
    update: ["role", [0, 2, 1, 0, 2, 3]],
    delete: [0, 2, 1, 0, 2, 3],
  },
  projects: {
    select: [0, 1, 1, 0, 0, 2],
    insert: [`(team_id, name) values (${rows.teams.red}, 'New')`, [denied, 1, denied, denied, denied, 1]],
    update: ["name", [0, 1, 1, 0, 0, 2]],
    delete: [0, 1, 1, 0, 0, 2],
  },
  tasks: {
    select: [0, 2, 2, 1, 0, 4],
    insert: [`(project_id, title) values (${rows.projects.red}, 'New')`, [denied, 1, denied, denied, denied, 1]],
    update: ["title", [0, 2, 2, 1, 0, 4]],
    delete: [0, 2, 2, 0, 0, 4],
  },
  comments: {
    select: [0, 2, 1, 1, 0, 3],
    insert: [`(task_id, body) values (${rows.tasks.ofAnn}, 'New')`, [denied, 1, denied, denied, denied, 1]],
    update: ["body", [0, 1, 1, 1, 0, 0]],
    delete: [0, 2, 1, 1, 0, 3],
  },
  notifications: {
    select: [0, 1, 1, 1, 0, 3],
    insert: [
      `(user_id, task_id, team_id, kind) values (${rows.users.ann}, ${rows.tasks.ofAnn}, ${rows.teams.red}, 'assigned')`,
      allDenied,
    ],
    update: ["read_at", [0, 1, 1, 1, 0, 0]],
    delete: [0, 1, 1, 1, 0, 0],
  },
  time_entries: {
    select: [0, 1, 1, 0, 0, 2],
    insert: [
      `(task_id, started_at, ended_at) values (${rows.tasks.ofAnn}, now() - interval '1 hour', now())`,
      [denied, 1, denied, denied, denied, 1],
    ],
    update: ["started_at", [0, 1, 1, 0, 0, 0]],
    delete: [0, 1, 1, 0, 0, 0],
  },
  audit_log: onlyRead("at", [0, 0, 0, 0, 0, 23]),
  user_credentials: closed("password_hash"),
  refresh_tokens: closed("token_hash"),
  schema_migrations: closed("name"),
  database_operations: closed("kind"),
  task_statistics: sums("tasks", [0, 1, 1, 1, 0, 2]),
  time_statistics: sums("minutes", [0, 1, 1, 0, 0, 2]),
};

describe("what the application's login may see and do", () => {
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

  const outcome = (person: Person, statement: string): Promise<Outcome> =>
    as(app, claimsOf(person), async () => {
      try {
        return (await app.query(statement)).rowCount ?? 0;
      } catch (error) {
        if (error instanceof pg.DatabaseError && error.code !== undefined) return error.code;
        throw error;
      }
    });
  const outcomes = async (statement: string) => {
    const all: Outcome[] = [];
    for (const person of people) all.push(await outcome(person, statement));
    return all;
  };

  it("is written down for every table and view of the catalogue", async () => {
    const { rows: found } = await app.query<{ name: string }>(
      `select relname as name from pg_class join pg_namespace n on n.oid = relnamespace
       where relkind in ('r', 'p', 'v', 'm', 'f') and nspname !~ '^pg_' and nspname <> 'information_schema'`,
    );
    expect(found.map(({ name }) => name).sort()).toEqual(Object.keys(matrix).sort());
  });

  it.each(Object.entries(matrix))("depends on who one is, in %s", async (table, cases) => {
    const [values, inserted] = cases.insert;
    const [column, updated] = cases.update;
    expect({
      select: await outcomes(`select 1 from ${table}`),
      insert: await outcomes(`insert into ${table} ${values}`),
      update: await outcomes(`update ${table} set ${column} = ${column}`),
      delete: await outcomes(`delete from ${table}`),
    }).toEqual({ select: cases.select, insert: inserted, update: updated, delete: cases.delete });
  });

  it("has no row that two people of different teams both see", async () => {
    const seen = async (person: Person) =>
      as(app, claimsOf(person), async () => (await app.query<{ id: number }>("select id from tasks")).rows);
    const [ann, bob] = [await seen("ann"), await seen("bob")];
    expect(ann).toEqual([{ id: rows.tasks.ofAnn }, { id: rows.tasks.ofCarl }]);
    expect(bob).toEqual([{ id: rows.tasks.ofBob }, { id: rows.tasks.ofBlue }]);
  });

  it("is an admin's only with the claim and the stored role", async () => {
    const tasks = (claims: object) =>
      as(app, { ...claims }, async () => (await app.query("select 1 from tasks")).rowCount);
    expect(await tasks({ sub: "ada", role: "admin" })).toBe(4);
    expect(await tasks({ sub: "ada", role: "user" })).toBe(0);
    expect(await tasks({ sub: "ann", role: "admin" })).toBe(2);
    expect(await tasks({ sub: "somebody", role: "admin" })).toBe(0);
  });

  it("ends with a membership, at once and whatever the claims still say", async () => {
    const owner = await database.connect(names.owner);
    const tasks = () => as(app, { sub: "rita", role: "user", teams: [1] }, () => app.query("select 1 from tasks"));
    expect((await tasks()).rowCount).toBe(2);
    await owner.query("delete from team_members where user_id = $1", [rows.users.rita]);
    expect((await tasks()).rowCount).toBe(0);
    await owner.query("insert into team_members (team_id, user_id) values ($1, $2)", [rows.teams.red, rows.users.rita]);
    await owner.end();
  });

  it("is nothing on a connection that somebody else has used before", async () => {
    await app.query("begin");
    await app.query("select set_config('request.jwt.claims', $1, true)", [JSON.stringify(claimsOf("ann"))]);
    expect((await app.query("select 1 from tasks")).rowCount).toBe(2);
    await app.query("commit");
    const { rows: left } = await app.query("select current_setting('request.jwt.claims', true) as claims");
    expect(left).toEqual([{ claims: "" }]);
    expect((await app.query("select 1 from tasks")).rowCount).toBe(0);
  });

  it("counts through a view exactly one's own rows", async () => {
    const through = (person: Person) =>
      as(app, claimsOf(person), async () => (await app.query("select team_id, tasks from task_statistics")).rows);
    expect(await through("ann")).toEqual([{ team_id: rows.teams.red, tasks: 2 }]);
    expect(await through("carl")).toEqual([{ team_id: rows.teams.red, tasks: 1 }]);
    expect(await through("bob")).toEqual([{ team_id: rows.teams.blue, tasks: 2 }]);
    expect(await through("nobody")).toEqual([]);
  });

  it("is refused by the key when a row is to hang on another team's parent", async () => {
    const { red, blue } = rows.teams;
    const across = [
      `insert into tasks (project_id, team_id, title) values (${rows.projects.red}, ${blue}, 'x')`,
      `insert into comments (task_id, team_id, body) values (${rows.tasks.ofAnn}, ${blue}, 'x')`,
      `insert into time_entries (task_id, team_id) values (${rows.tasks.ofAnn}, ${blue})`,
      `update tasks set project_id = ${rows.projects.red} where id = ${rows.tasks.ofBob}`,
    ];
    for (const statement of across) expect([statement, await outcome("bob", statement)]).toEqual([statement, "23503"]);
    // With the team as well the key would agree: so a task's team is not the application's to change.
    const moved = `update tasks set project_id = ${rows.projects.red}, team_id = ${red} where id = ${rows.tasks.ofBob}`;
    expect(await outcome("bob", moved)).toBe(denied);
    // The owner is not bound by policies; the key binds even it.
    const owner = await database.connect(names.owner);
    await expect(
      owner.query("insert into notifications (user_id, task_id, team_id, kind) values ($1, $2, $3, 'assigned')", [
        rows.users.bob,
        rows.tasks.ofAnn,
        blue,
      ]),
    ).rejects.toMatchObject({ code: "23503", constraint: "notifications_task_id_team_id_fkey" });
    await owner.end();
    const own = `insert into comments (task_id, team_id, body) values (${rows.tasks.ofAnn}, ${red}, 'x')`;
    expect(await outcome("ann", own)).toBe(1);
  });

  it("is refused by the policy when a row is to be in somebody else's name", async () => {
    const { ann, rita } = rows.users;
    const inTheNameOf = (user: number) => [
      `insert into tasks (project_id, title, creator_id) values (${rows.projects.red}, 'x', ${user})`,
      `insert into comments (task_id, body, author_id) values (${rows.tasks.ofAnn}, 'x', ${user})`,
      `insert into time_entries (task_id, user_id) values (${rows.tasks.ofAnn}, ${user})`,
      `insert into teams (name, owner_id) values ('x', ${user})`,
    ];
    for (const statement of inTheNameOf(rita))
      expect([statement, await outcome("ann", statement)]).toEqual([statement, denied]);
    for (const statement of inTheNameOf(ann))
      expect([statement, await outcome("ann", statement)]).toEqual([statement, 1]);
  });

  it("comes from these rights and no others", async () => {
    const { rows: found } = await app.query<{ table: string; rights: string }>(
      `with granted as (
         select relname as table, privilege_type as right, null as column
         from pg_class, aclexplode(relacl) where grantee = $1::regrole and relkind in ('r', 'p', 'v', 'S')
         union all
         select relname, privilege_type, attname
         from pg_attribute join pg_class on pg_class.oid = attrelid, aclexplode(attacl)
         where grantee = $1::regrole and not attisdropped
       ), sorted as (
         select "table", "right", string_agg("column", ', ' order by "column") as columns from granted group by 1, 2
       )
       select "table", string_agg("right" || coalesce(' (' || columns || ')', ''), ', ' order by "right") as rights
       from sorted group by 1`,
      [names.application],
    );
    expect(Object.fromEntries(found.map(({ table, rights }) => [table, rights]))).toEqual({
      audit_log: "SELECT",
      comments: "DELETE, INSERT (author_id, body, task_id, team_id), SELECT, UPDATE (body)",
      notifications: "DELETE, SELECT, UPDATE (read_at)",
      projects: "DELETE, INSERT (name, team_id), SELECT, UPDATE (name)",
      task_statistics: "SELECT",
      tasks:
        "DELETE, INSERT (assignee_id, creator_id, description, due_at, project_id, status, team_id, title), SELECT, " +
        "UPDATE (assignee_id, description, due_at, project_id, status, title)",
      team_members: "DELETE, SELECT, UPDATE (role)",
      teams: "DELETE, INSERT (name, owner_id), SELECT, UPDATE (name)",
      time_entries:
        "DELETE, INSERT (ended_at, started_at, task_id, team_id, user_id), SELECT, UPDATE (ended_at, started_at)",
      time_statistics: "SELECT",
      users: "SELECT (id, name, open_id, role), UPDATE (last_active_at, name)",
    });
  });

  it("is recorded when it changes something, and the record stays as it is", async () => {
    const change = `update tasks set status = 'done' where id = ${rows.tasks.ofAnn}`;
    const owner = await database.connect(names.owner);
    await as(owner, claimsOf("ann"), async () => {
      await owner.query(change);
      const { rows: found } = await owner.query(
        "select actor_id, action, table_name, row_id, before, after from audit_log order by id desc limit 1",
      );
      const recorded = { actor_id: rows.users.ann, action: "update", table_name: "tasks", row_id: "1" };
      expect(found).toEqual([{ ...recorded, before: { status: "in_progress" }, after: { status: "done" } }]);
    });
    for (const statement of ["update audit_log set after = null", "delete from audit_log", "truncate audit_log"]) {
      await expect(owner.query(statement)).rejects.toThrow(
        /^audit_log is append-only: (UPDATE|DELETE|TRUNCATE) is refused; only rows older than 90 days may be deleted$/,
      );
    }
    await owner.query("update user_credentials set changed_at = now()");
    const { rows: secrets } = await owner.query(
      "select 1 from audit_log where table_name = 'user_credentials' and (coalesce(before, '{}') || coalesce(after, '{}')) ? 'password_hash'",
    );
    expect(secrets).toEqual([]);
    await owner.end();
  });
});
