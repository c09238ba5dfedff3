import type pg from "pg";
import { describe, expect, it } from "vitest";
import { readMigrations } from "../../programs/database/migrations/file.ts";
import { migrationRuns } from "../support/migration-runs.ts";
import { names } from "../support/postgres.ts";
import { addRows, claimsOf, rows } from "../support/taskflow-rows.ts";

const runs = migrationRuns();

/** TaskFlow's own: `due` becomes `due_at` in an expand file, and goes in a contract file. */
const rename = /_rename_due_to_due_at\.sql$/;
const contract = /_drop_due\.sql$/;

const oldDay = "2026-01-01T00:00:00.000Z";
const newDay = "2026-02-02T00:00:00.000Z";
const otherDay = "2026-03-03T00:00:00.000Z";

/** One statement as the application does it for ann, and both columns as they are afterwards. */
async function asAnn(client: pg.Client, sql: string, values: readonly unknown[]) {
  await client.query("begin");
  await client.query("select set_config('request.jwt.claims', $1, true)", [JSON.stringify(claimsOf("ann"))]);
  const { rows: changed } = await client.query<{ id: number }>(`${sql} returning id`, [...values]);
  const { rows: found } = await client.query("select due, due_at from tasks where id = $1", [changed[0]?.id]);
  await client.query("commit");
  return JSON.parse(JSON.stringify(found)) as unknown;
}

describe("between expand and contract", () => {
  it("check 11: a release that knows the old column and one that knows the new both work, and the columns agree", async () => {
    const run = await runs.fresh();
    const all = await readMigrations(run.database.settings.migrations);
    const first = all.findIndex(({ name }) => rename.test(name));
    const last = all.find(({ name }) => contract.test(name));
    expect({ first: first > 0, last: last?.phase }).toEqual({ first: true, last: "contract" });
    for (const { name, sql } of all.slice(0, first)) await run.directory.write(name, sql);
    await run.up();
    await addRows(run.owner);
    await run.owner.query("update tasks set due = $1 where id = $2", [oldDay, rows.tasks.ofAnn]);
    for (const { name, sql } of all.slice(first)) await run.directory.write(name, sql);
    const { held } = await run.up();
    expect(held).toContain(last?.name);
    expect(await run.column(`select due_at = due from tasks where id = ${rows.tasks.ofAnn}`)).toEqual([true]);

    const app = await run.database.connect(names.applicationLogins.a);
    const insert = (column: string) => `insert into tasks (project_id, title, ${column}) values ($1, 'new', $2)`;
    const update = (column: string) => `update tasks set ${column} = $2 where id = $1`;
    const both = (day: string | null) => [{ due: day, due_at: day }];
    expect(await asAnn(app, insert("due"), [rows.projects.red, oldDay])).toEqual(both(oldDay));
    expect(await asAnn(app, insert("due_at"), [rows.projects.red, newDay])).toEqual(both(newDay));
    expect(await asAnn(app, update("due"), [rows.tasks.ofAnn, otherDay])).toEqual(both(otherDay));
    expect(await asAnn(app, update("due_at"), [rows.tasks.ofAnn, newDay])).toEqual(both(newDay));
    expect(await asAnn(app, update("due"), [rows.tasks.ofAnn, null])).toEqual(both(null));
    expect(await asAnn(app, update("due"), [rows.tasks.ofAnn, oldDay])).toEqual(both(oldDay));
    expect(await asAnn(app, update("due_at"), [rows.tasks.ofAnn, null])).toEqual(both(null));
    expect(await asAnn(app, update("title"), [rows.tasks.ofAnn, "same day"])).toEqual(both(null));

    const before = await run.column("select due from tasks order by id");
    await run.up({}, last?.name);
    expect(await run.column("select due_at from tasks order by id")).toEqual(before);
    expect(
      await run.column("select attname from pg_attribute where attrelid = 'tasks'::regclass and attname = 'due'"),
    ).toEqual([]);
  });

  it("check 12: the contract file is refused while the columns differ, and changes nothing", async () => {
    const run = await runs.fresh();
    const all = await readMigrations(run.database.settings.migrations);
    const last = all.find(({ name }) => contract.test(name));
    for (const { name, sql } of all.filter((file) => file !== last)) await run.directory.write(name, sql);
    await run.up();
    await addRows(run.owner);
    await run.owner.query("alter table tasks disable trigger user");
    await run.owner.query("update tasks set due = now()");
    await run.directory.write(last?.name ?? "", last?.sql ?? "");
    expect(await run.refusal({}, last?.name)).toContain("tasks.due and tasks.due_at differ");
    expect(await run.column("select count(due)::integer from tasks")).toEqual([4]);
    expect((await run.up()).held).toEqual([last?.name]);
  });
});
