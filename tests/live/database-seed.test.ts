import type pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { migrate } from "../../programs/database/migrations/migrate.ts";
import { Problem } from "../../programs/database/problem.ts";
import { type SeedOptions, seed } from "../../programs/database/seed/seed.ts";
import { names, startServer, type TestDatabase, type TestServer } from "../support/postgres.ts";
import { hashesOf, rowsOf } from "../support/seeded-rows.ts";
import { as } from "../support/taskflow-rows.ts";

let server: TestServer;
let database: TestDatabase;
let owner: pg.Client;

beforeAll(async () => {
  server = await startServer();
});
afterAll(async () => {
  await server?.stop();
});
beforeEach(async () => {
  database = await server.database();
  await migrate(database.settings, () => {});
  owner = await database.connect(names.owner);
});
afterEach(async () => {
  await database.drop();
});

/** Seeds, and gives what was said. */
async function seeded(options: SeedOptions = {}, change: Partial<TestDatabase["settings"]> = {}) {
  const said: string[] = [];
  const result = await seed({ ...database.settings, ...change }, (line) => void said.push(line), options);
  return { said, result };
}

/** Ids of the tasks that somebody sees. */
async function tasksOf(claims: Readonly<Record<string, unknown>>, condition = "true"): Promise<readonly unknown[]> {
  const application = await database.connect(names.applicationLogins.a);
  return await as(application, claims, async () =>
    (await rowsOf(application, `select id from tasks where ${condition} order by id`)).flat(),
  );
}

describe("seeding", () => {
  it("makes the rows of the plan, and enough around them (S0-08..12, S1-03)", async () => {
    const { said, result } = await seeded({}, { environment: "staging" });
    expect(await rowsOf(owner, "select id, open_id, name, email, role from users where id <= 3 order by id")).toEqual([
      [1, "user1", "Test User 1", "user1@test.com", "user"],
      [2, "user2", "Test User 2", "user2@test.com", "user"],
      [3, "admin", "Admin User", "admin@test.com", "admin"],
    ]);
    expect(await rowsOf(owner, "select id, name, owner_id from teams where id <= 2 order by id")).toEqual([
      [1, "Engineering", 1],
      [2, "Product", 2],
    ]);
    expect(await rowsOf(owner, "select id, name, team_id from projects where team_id <= 2 order by id")).toEqual([
      [1, "TaskFlow Core", 1],
      [2, "TaskFlow AI", 1],
    ]);
    const ofPlan =
      "select id, title, project_id, team_id, assignee_id, creator_id from tasks where team_id = 1 order by id";
    expect(await rowsOf(owner, ofPlan)).toEqual([
      [1, "Setup Database", 1, 1, 1, null],
      [2, "Implement RLS", 1, 1, 2, null],
      [3, "Train AI Model", 2, 1, 3, null],
    ]);
    expect(said.at(-1)).toBe("Staging data seeded successfully");
    expect(said).toContain("tasks: 203 rows, 203 of them new");
    expect(result).toEqual({
      tables: [
        { table: "users", rows: 57, added: 57 },
        { table: "teams", rows: 22, added: 22 },
        { table: "team_members", rows: 103, added: 103 },
        { table: "projects", rows: 42, added: 42 },
        { table: "tasks", rows: 203, added: 203 },
        { table: "comments", rows: 201, added: 201 },
        { table: "notifications", rows: 200, added: 200 },
        { table: "time_entries", rows: 60, added: 60 },
      ],
      durationMs: expect.any(Number),
    });
  });

  it("answers the plan's own checks of who sees what (S0-21, S0-26..30, S0-48..50)", async () => {
    await seeded();
    expect(await tasksOf({ sub: "user1", role: "user" })).toEqual([1]);
    expect(await tasksOf({ sub: "user2", role: "user" })).toEqual([2]);
    expect(await tasksOf({ sub: "user999", role: "user" }, "team_id = 1")).toEqual([]);
    expect(await tasksOf({ sub: "member", role: "user", teams: [1] }, "team_id = 1")).toEqual([1, 2, 3]);
    expect(await tasksOf({ sub: "non-member", role: "user", teams: [] }, "team_id = 1")).toEqual([]);
    expect(await tasksOf({ sub: "admin", role: "admin" })).toHaveLength(203);
    const [a, b] = [await tasksOf({ sub: "user-a", role: "user" }), await tasksOf({ sub: "user-b", role: "user" })];
    expect([a.length, b.length, a.filter((id) => b.includes(id))]).toEqual([10, 10, []]);
    // S0-26 asks for tasks in this state.
    expect((await tasksOf({ sub: "seeded-1", role: "user" }, "status = 'in_progress'")).length).toBeGreaterThan(0);
  });

  it("a second time changes nothing, and is the same everywhere", async () => {
    await seeded();
    const first = await hashesOf(owner);
    const { result } = await seeded();
    expect(result.tables.map(({ added }) => added)).toEqual(result.tables.map(() => 0));
    expect(await hashesOf(owner)).toEqual(first);
    const withoutLog = (all: readonly unknown[][]) => all.filter(([table]) => table !== "audit_log");
    const here = withoutLog(first);
    await database.drop();
    database = await server.database();
    await migrate(database.settings, () => {});
    owner = await database.connect(names.owner);
    await seeded();
    expect(withoutLog(await hashesOf(owner))).toEqual(here);
  });

  it("leaves rows alone that somebody else made", async () => {
    await owner.query("insert into users (open_id, email, name) values ('me', 'me@example.com', 'Me')");
    await owner.query("insert into teams (name, owner_id) select 'Engineering', id from users where open_id = 'me'");
    await seeded();
    expect(
      await rowsOf(
        owner,
        "select u.open_id from teams t join users u on u.id = t.owner_id where t.name = 'Engineering' order by 1",
      ),
    ).toEqual([["me"], ["user1"]]);
    expect(await tasksOf({ sub: "me", role: "user" })).toEqual([]);
  });

  it("gives nobody a password: a seeded account is for claims", async () => {
    await seeded();
    expect(await rowsOf(owner, "select count(*)::int from user_credentials")).toEqual([[0]]);
  });

  it("makes as many tasks as a measurement needs, without a row of audit for each, and adds to what is there", async () => {
    await seeded();
    const before = await rowsOf(owner, "select id, title, team_id, assignee_id from tasks order by id");
    const audited = await rowsOf(owner, "select count(*) from audit_log");
    const { result } = await seeded({ tasks: 6_000 });
    expect(result.tables.find(({ table }) => table === "tasks")).toEqual({ table: "tasks", rows: 6_003, added: 5_800 });
    expect(
      (await rowsOf(owner, "select id, title, team_id, assignee_id from tasks order by id")).slice(0, 203),
    ).toEqual(before);
    expect(await rowsOf(owner, "select count(*) from audit_log")).toEqual(audited);
    // What is written from now on is recorded again.
    await owner.query("update tasks set title = 'Changed' where id = 1");
    expect(await rowsOf(owner, "select before, after from audit_log order by id desc limit 1")).toEqual([
      [{ title: "Setup Database" }, { title: "Changed" }],
    ]);
    // Each of these tasks is of a member, made by another one.
    const strangers = `select count(*)::int from tasks t where title like 'Seeded%' and (assignee_id = creator_id
      or not exists (select from team_members m where m.team_id = t.team_id and m.user_id = t.assignee_id)
      or not exists (select from team_members m where m.team_id = t.team_id and m.user_id = t.creator_id))`;
    expect(await rowsOf(owner, strangers)).toEqual([[0]]);
  });

  it("adds nothing when it fails on the way", async () => {
    await owner.query("insert into users (open_id, email, name) values ('somebody', 'seeded-7@test.com', 'Some Body')");
    const before = await hashesOf(owner);
    await expect(seeded()).rejects.toThrow(
      new Problem(`seeding ${database.name}: duplicate key value violates unique constraint "users_email_key"`),
    );
    expect(await hashesOf(owner)).toEqual(before);
  });

  it.each<[string, Partial<TestDatabase["settings"]>, SeedOptions, string]>([
    [
      "production",
      { environment: "production" },
      {},
      "NAME is a production database; seeding is for staging and local ones",
    ],
    ["an application without rows", { application: "rag" }, {}, "there are no seed rows of rag; allowed: taskflow"],
    ["too few tasks", {}, { tasks: 5 }, "got 5 tasks; allowed: a whole number from 200 to 2000000"],
    [
      "a backup and a number",
      {},
      { tasks: 500, fromDump: "x" },
      "got a backup and a number of tasks; allowed: one of them",
    ],
    [
      "a name that is none of a backup",
      {},
      { fromDump: "x" },
      "got the backup x; allowed: a name such as taskflow-20261121T130000Z",
    ],
    [
      "a backup that is not there",
      {},
      { fromDump: "taskflow-20261121T130000Z" },
      "no backup taskflow-20261121T130000Z of taskflow in DIRECTORY: there is none",
    ],
  ])("is refused for %s, and touches nothing", async (_, change, options, message) => {
    const before = await hashesOf(owner);
    const text = message.replace("NAME", database.name).replace("DIRECTORY", database.settings.backup.directory);
    await expect(seeded(options, change)).rejects.toThrow(new Problem(text));
    expect(await hashesOf(owner)).toEqual(before);
  });
});
