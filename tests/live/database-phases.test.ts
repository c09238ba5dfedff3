import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readMigrations } from "../../programs/database/migrations/file.ts";
import { migrate } from "../../programs/database/migrations/migrate.ts";
import { type MigrationDirectory, migrationDirectory } from "../support/migration-files.ts";
import { names, startServer, type TestDatabase, type TestServer } from "../support/postgres.ts";
import { addRows, as, rows } from "../support/taskflow-rows.ts";

const contract = "014_drop_due.sql";

/** The old release writes `due`, the new one `due_at`; from 010 to 014 both serve at once. */
describe("tasks.due becomes due_at", () => {
  let server: TestServer;
  let database: TestDatabase;
  let directory: MigrationDirectory;
  let app: pg.Client;
  let held: readonly string[];
  const apply = (asked?: string) =>
    migrate({ ...database.settings, migrations: directory.path, contract: asked }, () => {});

  beforeAll(async () => {
    server = await startServer();
    database = await server.database();
    const files = await readMigrations(database.settings.migrations);
    const read = async (name: string) => await readFile(join(database.settings.migrations, name), "utf8");
    const texts = new Map(await Promise.all(files.map(async ({ name }) => [name, await read(name)] as const)));
    directory = await migrationDirectory(Object.fromEntries([...texts].filter(([name]) => name < "010")));
    await apply();
    const owner = await database.connect(names.owner);
    await addRows(owner);
    await owner.query("update tasks set due = '2026-01-01 12:00Z' where id = $1", [rows.tasks.ofAnn]);
    await owner.end();
    for (const [name, text] of texts) if (name >= "010") await directory.write(name, text);
    held = (await apply()).held;
    app = await database.connect(names.applicationLogins.a);
  });
  afterAll(async () => {
    await directory.remove();
    await database.drop();
    await server.stop();
  });

  const asAnn = <T extends pg.QueryResultRow>(statement: string) =>
    as(app, { sub: "ann", role: "user" }, async () => (await app.query<T>(statement)).rows);
  const project = rows.projects.red;
  const noon = new Date("2026-02-02T12:00Z");

  it("while both releases write", async () => {
    expect(await asAnn(`select due, due_at from tasks where id = ${rows.tasks.ofAnn}`)).toEqual([
      { due: new Date("2026-01-01T12:00Z"), due_at: new Date("2026-01-01T12:00Z") },
    ]);
    for (const column of ["due", "due_at"]) {
      expect(
        await asAnn(
          `insert into tasks (project_id, title, ${column}) values (${project}, 'x', '2026-02-02 12:00Z') returning due, due_at`,
        ),
      ).toEqual([{ due: noon, due_at: noon }]);
      const change = (value: string) =>
        `update tasks set ${column} = ${value} where id = ${rows.tasks.ofAnn} returning due, due_at`;
      expect(await asAnn(change("'2026-02-02 12:00Z'"))).toEqual([{ due: noon, due_at: noon }]);
      expect(await asAnn(change("null"))).toEqual([{ due: null, due_at: null }]);
    }
    // A release that knows neither.
    expect(await asAnn(`insert into tasks (project_id, title) values (${project}, 'x') returning due, due_at`)).toEqual(
      [{ due: null, due_at: null }],
    );
  });

  it("as a change that no task was changed by in anyone's eyes", async () => {
    expect(await asAnn("select 1 from tasks where updated_at > created_at")).toEqual([]);
  });

  it("and the end of the old column waits until it is asked for, and until both columns agree", async () => {
    expect(held).toEqual([contract]);
    const owner = await database.connect(names.owner);
    await owner.query("alter table tasks disable trigger tasks_keep_due_equal");
    await owner.query("update tasks set due = now() where id = $1", [rows.tasks.ofBob]);
    await expect(apply(contract)).rejects.toThrow(
      /tasks\.due and tasks\.due_at differ: the trigger of 010 was off; put them right, then run this file again/,
    );
    await owner.query("update tasks set due = due_at where id = $1", [rows.tasks.ofBob]);
    await owner.query("alter table tasks enable trigger tasks_keep_due_equal");
    await owner.end();

    expect(await apply(contract)).toMatchObject({ held: [], version: "015" });
    expect(
      await asAnn(
        `insert into tasks (project_id, title, due_at) values (${project}, 'x', '2026-02-02 12:00Z') returning due_at`,
      ),
    ).toEqual([{ due_at: noon }]);
    await expect(asAnn("select due from tasks")).rejects.toThrow('column "due" does not exist');
  });
});
