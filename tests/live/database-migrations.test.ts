import { cp, readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { lockKey } from "../../programs/database/migrations/lock.ts";
import { schemaDifferences, schemaLines } from "../../programs/database/migrations/schema-lines.ts";
import { type MigrationRun, migrationRuns } from "../support/migration-runs.ts";
import { names } from "../support/postgres.ts";

const runs = migrationRuns();

const base = "create table a (id integer primary key, name text not null);\n";
const add = "alter table a add column due timestamptz;\n";
const drop = "-- golive: phase contract\nalter table a drop column due;\n";
const small = { "000_base.sql": base, "001_add_due.sql": add };

const ledger = "select name from schema_migrations order by version";

/** Everything that a refused run must leave as it was. */
async function state({ owner, column }: MigrationRun) {
  return {
    schema: await schemaLines(owner),
    ledger: await column("select m::text from schema_migrations m order by 1"),
  };
}

describe("a run of the migrations", () => {
  it("brings an empty database to TaskFlow's newest version, and tells what it did (S0-22, S0-25, S4-48)", async () => {
    const run = await runs.fresh();
    await cp(run.database.settings.migrations, run.directory.path, { recursive: true });
    const files = (await readdir(run.directory.path)).sort();
    const { applied, durationMs, ...result } = await run.up();
    expect({ files: Object.keys(applied), ...result }).toEqual({
      files,
      held: [],
      version: files.at(-1)?.slice(0, 3),
      indexes: (await run.column("select count(*)::integer from pg_indexes where schemaname = 'public'"))[0],
      policies: (await run.column("select count(*)::integer from pg_policies where schemaname = 'public'"))[0],
      tables: (await run.column("select count(*)::integer from pg_tables where schemaname = 'public'"))[0],
    });
    expect(result.indexes).toBeGreaterThanOrEqual(40);
    expect(await run.column("select version from schema_migrations order by version desc limit 1")).toEqual([
      files.at(-1)?.slice(0, 3),
    ]);
    expect([...Object.values(applied), durationMs].every((ms) => Number.isInteger(ms) && ms >= 0)).toBe(true);
  });

  it("check 1: changes nothing the second time", async () => {
    const run = await runs.fresh(small);
    const first = await run.up();
    const before = await state(run);
    const second = await run.up();
    expect(await state(run)).toEqual(before);
    expect({ ...second, durationMs: 0 }).toEqual({ ...first, applied: {}, durationMs: 0 });
    expect(run.lines.at(-1)).toBe("up to date at version 001");
  });

  it("check 2: refuses an applied file that was edited, and names it", async () => {
    const run = await runs.fresh(small);
    await run.up();
    const before = await state(run);
    await run.directory.write("001_add_due.sql", `${add}-- x\n`);
    await run.directory.write("002_new.sql", "create table b ();");
    expect(await run.refusal()).toBe(
      [
        `1 problem with the migrations of database ${run.database.name}; nothing was changed:`,
        "  001_add_due.sql: edited after it was applied; restore its old text and put the change into a new file",
      ].join("\n"),
    );
    expect(await state(run)).toEqual(before);
  });

  it("check 3: refuses a missing file and a late one, and names both", async () => {
    const run = await runs.fresh({ ...small, "003_more.sql": "create table c ();" });
    await run.up();
    const before = await state(run);
    await run.directory.delete("001_add_due.sql");
    await run.directory.write("002_late.sql", "create table b ();");
    expect(await run.refusal()).toBe(
      [
        `2 problems with the migrations of database ${run.database.name}; nothing was changed:`,
        "  001_add_due.sql: applied, but not in the directory; restore the file as it was",
        "  002_late.sql: new, but 003_more.sql was applied already; give it a number above 003",
      ].join("\n"),
    );
    expect(await state(run)).toEqual(before);
  });

  it("check 4: leaves nothing of a file that fails half way, names its line, and applies the file once it is right", async () => {
    const run = await runs.fresh(small);
    await run.up();
    const before = await state(run);
    const text = "create table zz ();\n-- 🙂\n\nselect 1\n  / 0;\n";
    await run.directory.write("002_half.sql", text);
    expect(await run.refusal()).toBe(
      "002_half.sql, line 4: division by zero\nNothing of 002_half.sql remains: the database is as it was before it. Put the file right, then run again",
    );
    expect(await state(run)).toEqual(before);
    await run.directory.write("002_half.sql", "create table zz ();\n-- 🙂\n\nselect id\n  from nowhere;\n");
    expect(await run.refusal()).toContain(`002_half.sql, line 5: relation "nowhere" does not exist\n`);
    await run.directory.write("002_half.sql", "create table zz ();\n");
    expect(Object.keys((await run.up()).applied)).toEqual(["002_half.sql"]);
  });

  it("check 4: keeps the files before one that fails, and says what became of the run", async () => {
    const run = await runs.fresh({ ...small, "002_bad.sql": "selec 1;", "003_more.sql": "create table c ();" });
    expect(await run.refusal()).toBe(
      `002_bad.sql, line 1: syntax error at or near "selec"\nNothing of 002_bad.sql remains: the database is as it was before it. Put the file right, then run again`,
    );
    expect(await run.column(ledger)).toEqual(["000_base.sql", "001_add_due.sql"]);
    await run.directory.write("002_bad.sql", "select 1;");
    await run.up();
    const { rows } = await run.owner.query(
      "select kind, succeeded, finished_at >= started_at as ended, detail ->> 'problem' as problem from database_operations order by id",
    );
    expect(rows).toEqual([
      { kind: "migration", succeeded: false, ended: true, problem: expect.stringMatching(/^002_bad\.sql, line 1: /) },
      { kind: "migration", succeeded: true, ended: true, problem: null },
    ]);
  });

  it("names what may not stand in a transaction, and what to do about it", async () => {
    const run = await runs.fresh({ ...small, "002_index.sql": "create index concurrently idx_a_due on a (due);" });
    expect(await run.refusal()).toBe(
      "002_index.sql, line 1: CREATE INDEX CONCURRENTLY cannot run inside a transaction block\n" +
        "Nothing of 002_index.sql remains: the database is as it was before it. What may not run in a transaction stands alone " +
        `in a file with "-- golive: no-transaction"; change the file, then run again`,
    );
  });

  it("says so when a constraint fails at the end of a file, and when the server ends the session", async () => {
    const run = await runs.fresh({
      "000_base.sql": `${base}alter table a add unique (name) deferrable initially deferred;`,
      "001_twice.sql": "insert into a values (1, 'x'), (2, 'x');",
    });
    expect(await run.refusal()).toBe(
      `001_twice.sql, line 1: duplicate key value violates unique constraint "a_name_key"\n` +
        "Nothing of 001_twice.sql remains: the database is as it was before it. Put the file right, then run again",
    );
    await run.directory.write(
      "001_twice.sql",
      "insert into a values (1, 'x');\nselect pg_terminate_backend(pg_backend_pid());",
    );
    expect(await run.refusal()).toBe(
      "001_twice.sql, line 2: terminating connection due to administrator command\n" +
        "Nothing of 001_twice.sql remains: the database is as it was before it. See why the connection was lost, then run again",
    );
    expect(await run.column("select count(*)::integer from a")).toEqual([0]);
    await run.directory.write(
      "001_twice.sql",
      `create function gone() returns trigger language plpgsql as 'begin perform pg_terminate_backend(pg_backend_pid()); return null; end';
       create constraint trigger gone after insert on a deferrable initially deferred for each row execute function gone();
       insert into a values (1, 'x');`,
    );
    expect(await run.refusal()).toBe(
      "001_twice.sql: the connection was lost while the file was committed (terminating connection due to administrator command). " +
        "Whether it was applied, schema_migrations knows, and so does the next run: run again",
    );
  });

  it("gives each file a session as new, so that a file cannot change what a later one means", async () => {
    const run = await runs.fresh({
      "000_base.sql": `${base}create schema other; set search_path = other; create temp table a (x int); set lock_timeout = 1;`,
      "001_next.sql": "insert into a values (1, current_setting('search_path'));",
    });
    await run.up();
    expect(await run.column("select name from a")).toEqual(['"$user", public']);
  });

  it("leaves its tables closed to the application, and open to backups and metrics as far as they need them", async () => {
    const run = await runs.fresh(small);
    await run.up();
    const may = async (login: string) => {
      const client = await run.database.connect(login);
      const outcome = async (sql: string) =>
        client.query(sql).then(
          ({ rowCount }) => rowCount,
          ({ message }: Error) => message,
        );
      return [
        await outcome("select from schema_migrations"),
        await outcome("select from database_operations"),
        await outcome("insert into database_operations (kind) values ('backup')"),
        await outcome("update database_operations set succeeded = true where kind = 'backup'"),
        await outcome("delete from database_operations"),
      ];
    };
    const denied = (table: string) => `permission denied for table ${table}`;
    const operations = denied("database_operations");
    const nothing = [denied("schema_migrations"), operations, operations, operations, operations];
    expect({
      application: await may(names.applicationLogins.a),
      reader: await may(names.readOnly),
      backup: await may(names.backup),
      exporter: await may(names.exporter),
    }).toEqual({
      application: nothing,
      reader: nothing,
      backup: [2, 1, 1, 1, operations],
      exporter: [2, 2, operations, operations, operations],
    });
  });
});

describe("a dry run", () => {
  it("check 10: writes nothing to a database that no run has seen, and takes no lock", async () => {
    const run = await runs.fresh({ ...small, "002_drop_due.sql": drop });
    const before = await schemaLines(run.owner);
    await run.owner.query("select pg_advisory_lock($1, $2)", [lockKey.space, lockKey.number]);
    const result = await run.up({ dryRun: true });
    expect({ ...result, durationMs: 0 }).toEqual({
      version: "",
      indexes: 0,
      policies: 0,
      tables: 0,
      applied: {},
      held: [],
      pending: ["000_base.sql", "001_add_due.sql", "002_drop_due.sql"],
      durationMs: 0,
    });
    expect(await schemaLines(run.owner)).toEqual(before);
    expect(run.lines).toEqual([
      expect.stringMatching(/^a run of the migrations goes on now: pid \d+ \(taskflow_user, /),
      "would apply 000_base.sql (expand)",
      "would apply 001_add_due.sql (expand)",
      "would apply 002_drop_due.sql (contract)",
    ]);
  });

  it("check 10: writes nothing to a database with a ledger, and names what is pending, held or wrong", async () => {
    const run = await runs.fresh(small);
    await run.up();
    const before = await state(run);
    await run.directory.write("002_drop_due.sql", drop);
    await run.directory.write("003_more.sql", "create table c ();");
    const { pending, held } = await run.up({ dryRun: true });
    expect({ pending, held }).toEqual({ pending: ["003_more.sql"], held: ["002_drop_due.sql"] });
    await run.directory.write("000_base.sql", `${base}-- x`);
    expect(await run.refusal({ dryRun: true })).toContain("000_base.sql: edited after it was applied");
    expect(await state(run)).toEqual(before);
    expect(await run.column("select count(*)::integer from database_operations")).toEqual([1]);
  });
});

describe("a contract file", () => {
  const filled = `-- golive: phase contract\nalter table a alter column due set not null;\n`;

  it("check 12: is held until config asks for it, and then refused while its data are not ready", async () => {
    const run = await runs.fresh(small);
    await run.up();
    await run.owner.query("insert into a values (1, 'x', null)");
    await run.directory.write("002_due_always.sql", filled);
    await run.directory.write("003_more.sql", "create table c ();");
    const { applied, held } = await run.up();
    expect({ applied: Object.keys(applied), held }).toEqual({
      applied: ["003_more.sql"],
      held: ["002_due_always.sql"],
    });
    expect(run.lines).toContain(
      "held: 002_due_always.sql (contract) waits until golive:contract names it or a later one",
    );
    const before = await state(run);
    expect(await run.refusal({}, "002_due_always.sql")).toContain(
      `002_due_always.sql, line 2: column "due" of relation "a" contains null values\n`,
    );
    expect(await state(run)).toEqual(before);
    await run.owner.query("update a set due = now()");
    const asked = await run.up({}, "002_due_always.sql");
    expect({ applied: Object.keys(asked.applied), held: asked.held }).toEqual({
      applied: ["002_due_always.sql"],
      held: [],
    });
  });

  it("check 12: that config asks for must be there", async () => {
    const run = await runs.fresh({ ...small, "002_due_always.sql": filled });
    expect(await run.refusal({}, "002_drop.sql")).toBe(
      [
        `1 problem with the migrations of database ${run.database.name}; nothing was changed:`,
        "  002_drop.sql: asked for as the last contract file to run, but there is no such file; allowed: 002_due_always.sql",
      ].join("\n"),
    );
    expect(await run.column("select to_regclass('schema_migrations')")).toEqual([null]);
  });
});

describe("the live schema", () => {
  it("check 13: is what the files make, and one change by hand shows", async () => {
    const [live, shadow] = [await runs.fresh(), await runs.fresh()];
    for (const { directory, database } of [live, shadow])
      await cp(join(database.settings.migrations), directory.path, { recursive: true });
    await live.up();
    await shadow.up();
    const expected = await schemaLines(shadow.owner);
    expect(schemaDifferences(expected, await schemaLines(live.owner))).toEqual([]);
    const byHand: readonly (readonly [sql: string, beginning: string])[] = [
      ["alter table tasks add column rogue integer", "+ column public.tasks.rogue integer"],
      ["create index rogue on tasks (title)", "+ index CREATE INDEX rogue ON public.tasks USING btree (title)"],
      ["grant truncate on tasks to taskflow_app", "+ relation public.tasks kind r"],
      [
        "alter table tasks no force row level security",
        "+ relation public.tasks kind r owner taskflow_user row security t/f",
      ],
      ["create policy rogue on tasks using (true)", "+ policy rogue on public.tasks"],
      ["alter table tasks disable trigger user", "+ trigger CREATE TRIGGER tasks"],
      ["create function rogue() returns int language sql as 'select 1'", "+ function public.rogue()"],
    ];
    for (const [sql, beginning] of byHand) {
      await live.owner.query(sql);
      const found = schemaDifferences(expected, await schemaLines(live.owner));
      expect(found.map((line) => line.slice(0, beginning.length))).toContain(beginning);
    }
  });
});
