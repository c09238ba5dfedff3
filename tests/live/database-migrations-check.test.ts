import { cp } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkFiles } from "../../programs/database/migrations/check.ts";
import { readMigrations } from "../../programs/database/migrations/file.ts";
import { Problem } from "../../programs/database/problem.ts";
import { type DatabasePod, startDatabasePod } from "../support/database-pod.ts";
import { migrationRuns } from "../support/migration-runs.ts";

const runs = migrationRuns();

/** A small schema in which the catalogue checks find nothing. */
const base = `
create schema private;
create table teams (id integer primary key, name text not null);
create table tasks (id integer primary key, team_id integer not null references teams, title text);
alter table teams enable row level security;
alter table teams force row level security;
alter table tasks enable row level security;
alter table tasks force row level security;
create function private.my_team() returns integer language sql stable
  as $$ select (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'team')::integer $$;
create policy teams_read on teams for select to taskflow_app using (id = (select private.my_team()));
create policy tasks_read on tasks for select to taskflow_app using (team_id = (select private.my_team()));
create index idx_tasks_team_id on tasks (team_id);
create view titles with (security_invoker = true) as select title from tasks;
`;

/** The message of the refusal; the test's server stands for the scratch server. */
async function refusal(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const run = await runs.fresh({ "000_base.sql": base, ...files });
  const superuser = await run.database.connect("postgres");
  const error = await checkFiles(superuser, run.settings, await readMigrations(run.directory.path), () => {}).then(
    () => new Problem("it was not refused"),
    (thrown: unknown) => thrown,
  );
  if (error instanceof Problem) return error.message.split("\n");
  throw error;
}

const untouched = "Nothing was touched: the files were tried on an empty database of their own.";
const notes = "create table notes (id integer primary key, team_id integer not null references teams);\n";
const closed = "alter table notes enable row level security;\nalter table notes force row level security;\n";
const policy =
  "create policy notes_read on notes for select to taskflow_app using (team_id = (select private.my_team()));\n";
const index = "create index idx_notes_team_id on notes (team_id);\n";

describe("check 9: a pending file is looked through before anything is touched, by golive's own rules (squawk cannot be had here)", () => {
  it("and runs when it makes a table with all that one needs", async () => {
    expect(await refusal({ "900_notes.sql": notes + closed + policy + index })).toEqual(["it was not refused"]);
  });

  it.each([
    ["without row level security", notes + policy + index, ["public.notes (row-security-off)"]],
    [
      "that its owner is not bound by",
      `${notes}alter table notes enable row level security;\n${policy}${index}`,
      ["public.notes (row-security-not-forced)"],
    ],
    ["without a policy", notes + closed + index, ["public.notes (no-policy)"]],
    [
      "without an index on the policy's column (S0-54)",
      notes + closed + policy,
      ["public.notes.team_id (policy-column-without-index)"],
    ],
  ])("and is refused when it makes a table %s", async (_, sql, expected) => {
    const [first, ...rest] = await refusal({ "900_notes.sql": sql });
    expect(first).toMatch(/^900_notes\.sql is refused: it brings \d+ that the catalogue checks find:$/);
    expect(rest.at(-1)).toBe(untouched);
    for (const object of expected) expect(rest).toContainEqual(expect.stringContaining(`  ${object}: `));
  });

  it.each([
    ["drops a column", "alter table teams drop column name;", ["  public.teams.name is gone"]],
    ["renames a table", "alter table teams rename to groups;", ["  public.teams is gone"]],
    [
      "changes a type",
      "alter table teams alter column name type varchar(300);",
      ["  public.teams.name was text and is character varying(300)"],
    ],
    [
      "forbids null",
      "alter table tasks alter column title set not null;",
      ["  public.tasks.title takes no null any more"],
    ],
    [
      "adds a column that every INSERT must know",
      "alter table teams add column motto text not null;",
      ["  public.teams.motto is new, and an INSERT without it fails"],
    ],
    [
      "drops a function",
      "drop policy tasks_read on tasks; drop policy teams_read on teams; drop function private.my_team();",
      ["  function private.my_team() is gone"],
    ],
  ])("and is refused when it runs beside older releases and %s", async (_, sql, taken) => {
    expect(await refusal({ "900_change.sql": sql })).toEqual([
      "900_change.sql is refused: an expand file runs beside the releases of before, and it takes from them:",
      ...taken,
      `Add the new shape beside the old one, and put this into a file with "-- golive: phase contract". ${untouched}`,
    ]);
  });

  it("and may take away in a contract file", async () => {
    expect(await refusal({ "900_drop.sql": "-- golive: phase contract\ndrop view titles;" })).toEqual([
      "it was not refused",
    ]);
  });

  it("and is refused when it does not run at all, with the line", async () => {
    expect(await refusal({ "900_broken.sql": "select 1;\nalter tabel teams;" })).toEqual([
      `900_broken.sql, line 2: syntax error at or near "tabel"`,
      untouched,
    ]);
  });

  it("and is refused when it builds an index CONCURRENTLY in a transaction", async () => {
    expect(await refusal({ "900_index.sql": "create index concurrently idx_x on tasks (title);" })).toEqual([
      "900_index.sql, line 1: CREATE INDEX CONCURRENTLY cannot run inside a transaction block",
      untouched,
    ]);
  });

  it("and is refused when it needs a contract file before it, which a database may hold", async () => {
    const drop = "-- golive: phase contract\nalter table teams drop column name;";
    expect(
      await refusal({ "900_drop.sql": drop, "901_again.sql": "alter table teams add column name integer;" }),
    ).toEqual([
      "with the contract files last, as a database that holds them runs the files:",
      `901_again.sql, line 1: column "name" of relation "teams" already exists`,
      untouched,
    ]);
    const lines = await refusal({
      "900_drop.sql": drop,
      "901_again.sql": "alter table teams add column if not exists name text;",
    });
    expect(lines.slice(0, 2)).toEqual([
      "an expand file needs a contract file before it, which may be held when it runs: in the order of their numbers (-) and with the contract files last (+) the files make different schemas:",
      expect.stringContaining("  - column public.teams.name text"),
    ]);
  });

  it("and the last file of a schema that was never right is refused, too", async () => {
    const run = await runs.fresh({
      "000_base.sql": "create table a (id integer primary key);",
      "001_more.sql": "select 1;",
    });
    const superuser = await run.database.connect("postgres");
    const files = await readMigrations(run.directory.path);
    await expect(checkFiles(superuser, run.settings, files, () => {})).rejects.toThrow(
      /^001_more\.sql is refused: with it, the last file, the schema still has 2 that the catalogue checks find:\n {2}public\.a \(row-security-off\): /,
    );
  });
});

describe("the command check", () => {
  let pod: DatabasePod;
  beforeAll(async () => {
    pod = await startDatabasePod(runs.server());
  });
  afterAll(() => pod?.stop());

  /** TaskFlow's files, and these, where the command finds them. */
  async function told(files: Readonly<Record<string, string>> = {}) {
    const run = await runs.fresh();
    const settings = await pod.settings(run.database);
    await cp(run.database.settings.migrations, run.directory.path, { recursive: true });
    for (const [name, text] of Object.entries(files)) await run.directory.write(name, text);
    for (const { name, sql } of await readMigrations(run.directory.path))
      await pod.shell(settings, `cat > ${settings.migrations}/${name}`, sql);
    return { run, settings };
  }

  it("tries TaskFlow's files on a server of its own, and leaves nothing of it", async () => {
    const { run, settings } = await told();
    const { code, stdout, stderr } = await pod.run(settings, "check", "--json");
    expect({ code, result: JSON.parse(stdout), stderr }).toEqual({
      code: 0,
      result: { files: (await run.directory.names()).length },
      stderr: expect.stringContaining(
        "files run on an empty database, and leave nothing that the catalogue checks find",
      ),
    });
    expect((await pod.shell(settings, `ls -d ${settings.work}/scratch-* 2>/dev/null`)).stdout).toBe("");
    expect(await run.column("select count(*)::integer from pg_tables where schemaname = 'public'")).toEqual([0]);
  });

  it("refuses a table without row level security, and the database knows nothing of it (S0-54)", async () => {
    const { run, settings } = await told({ "900_notes.sql": notes });
    const { code, stderr } = await pod.run(settings, "check");
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^900_notes\.sql is refused: it brings 2 that the catalogue checks find:\n/),
    });
    expect(await run.column("select count(*)::integer from pg_tables where schemaname = 'public'")).toEqual([0]);
  });
});
