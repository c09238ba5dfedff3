import type pg from "pg";
import { describe, expect, it } from "vitest";
import { lockKey } from "../../programs/database/migrations/lock.ts";
import { schemaLines } from "../../programs/database/migrations/schema-lines.ts";
import { type MigrationRun, migrationRuns } from "../support/migration-runs.ts";
import { names } from "../support/postgres.ts";
import { until } from "../support/until.ts";

const runs = migrationRuns();

const base =
  "create table a (id integer primary key, name text not null);\ninsert into a select n, 'x' from generate_series(1, 1000) n;\n";
const index = "-- golive: no-transaction\ncreate index concurrently if not exists idx_a_name on a (name);\n";
const add = "select 1;\nalter table a add column due timestamptz;\n";

/** Waits until some session of this database answers to a condition on pg_stat_activity. */
const untilSession = ({ owner }: MigrationRun, what: string, condition: string) =>
  until(
    what,
    async () => {
      const { rows } = await owner.query(
        `select from pg_stat_activity where datname = current_database() and application_name = 'golive migrate' and ${condition}`,
      );
      return rows.length > 0;
    },
    120,
    50,
  );

const lockHolders = ({ column }: MigrationRun) =>
  column(
    `select count(*)::integer from pg_locks where locktype = 'advisory' and classid = ${lockKey.space}
     and database = (select oid from pg_database where datname = current_database())`,
  );

const isValid = ({ column }: MigrationRun) =>
  column("select bool_and(indisvalid) from pg_index where indrelid = 'a'::regclass");

const invalid = ({ column }: MigrationRun) =>
  column("select indexrelid::regclass::text from pg_index where not indisvalid order by 1");

/** A transaction of the application's that has read (or written) table a and does not end; `end` ends it. */
async function openTransaction({ database }: MigrationRun, statement: string): Promise<pg.Client> {
  const client = await database.connect(names.owner);
  await client.query("set application_name = 'a long report'");
  await client.query("begin");
  await client.query(statement);
  return client;
}

describe("three runners at once", () => {
  it("check 5: apply each file once, with an index built CONCURRENTLY and no deadlock", async () => {
    const run = await runs.fresh({ "000_base.sql": base, "001_index.sql": index, "002_add.sql": add });
    const results = await Promise.all([run.up(), run.up(), run.up()]);
    expect(results.map(({ applied }) => Object.keys(applied)).sort((a, b) => a.length - b.length)).toEqual([
      [],
      [],
      ["000_base.sql", "001_index.sql", "002_add.sql"],
    ]);
    // A session's counts are there for all when it has ended.
    const deadlocks = await run.column(
      "select deadlocks::integer from pg_stat_database where datname = current_database()",
    );
    expect({ deadlocks, valid: await isValid(run) }).toEqual({ deadlocks: [0], valid: [true] });
  });
});

describe("a table that somebody reads for long", () => {
  it("check 6: stays open to all other readers, and the change comes when the reader is done", async () => {
    const run = await runs.fresh({ "000_base.sql": base });
    await run.up();
    await run.directory.write("001_add.sql", add);
    const report = await openTransaction(run, "select count(*) from a");
    const upgrade = run.up({ budgets: { lockMs: 1_000 } });
    const reader = await run.database.connect(names.owner);
    await reader.query("set statement_timeout = '15s'");
    for (const attempt of [1, 2, 3]) {
      await untilSession(run, `attempt ${attempt} to wait for the table`, "wait_event_type = 'Lock'");
      // It stands behind the change in the queue, and comes through while the report still goes on.
      expect((await reader.query("select from a where id = 1")).rowCount).toBe(1);
      await until(`attempt ${attempt} to let go`, async () =>
        run.lines.some((line) => line.includes(`(attempt ${attempt})`)),
      );
    }
    await report.query("commit");
    expect(Object.keys((await upgrade).applied)).toEqual(["001_add.sql"]);
    expect(run.lines).toContainEqual(
      expect.stringMatching(
        /^001_add\.sql, line 2: canceling statement due to lock timeout; the lock is held by pid \d+ \(a long report, taskflow_user, in a transaction since [^)]+Z\); lets all go and tries again in \d+ ms \(attempt 1\)$/,
      ),
    );
  });

  it("is left as it was when it does not come free in time, and the report says whose transaction it is", async () => {
    const run = await runs.fresh({ "000_base.sql": base });
    await run.up();
    await run.directory.write("001_add.sql", `create table before ();\n${add}`);
    const before = await schemaLines(run.owner);
    const report = await openTransaction(run, "lock table a in access share mode");
    expect(await run.refusal({ budgets: { lockMs: 500, triesMs: 2_000 } })).toMatch(
      /^001_add\.sql, line 3: canceling statement due to lock timeout; the lock is held by pid \d+ \(a long report, taskflow_user, in a transaction since .+\); tried \d+ times in 2 s\. Nothing of 001_add\.sql remains\. Run again when that transaction has ended, or end it with: select pg_terminate_backend\(pid\)$/,
    );
    expect(await schemaLines(run.owner)).toEqual(before);
    await report.query("commit");
    expect(Object.keys((await run.up()).applied)).toEqual(["001_add.sql"]);
  });
});

describe("a runner that is killed", () => {
  it("check 7: in a long file frees its lock, and nothing of the file remains", async () => {
    const run = await runs.fresh({
      "000_base.sql": base,
      "001_long.sql": "create table half ();\nselect pg_sleep(3600);",
    });
    const runner = await run.start();
    await untilSession(run, "the long file", "query like '%pg_sleep%'");
    expect(await lockHolders(run)).toEqual([1]);
    await runner.kill();
    await until("the lock to be free", async () => (await lockHolders(run))[0] === 0, 20);
    expect(await run.column("select to_regclass('half')")).toEqual([null]);
    await run.directory.write("001_long.sql", "create table half ();");
    expect(Object.keys((await run.up()).applied)).toEqual(["001_long.sql"]);
  });

  it("check 8: in a CREATE INDEX CONCURRENTLY leaves an index that the next run builds anew, whatever IF NOT EXISTS says", async () => {
    const run = await runs.fresh({ "000_base.sql": base });
    await run.up();
    await run.directory.write("001_index.sql", index);
    const writer = await openTransaction(run, "update a set name = 'y' where id = 1");
    const runner = await run.start();
    await untilSession(run, "the index to wait for the writer", "wait_event = 'virtualxid'");
    await runner.kill();
    await until("the lock to be free", async () => (await lockHolders(run))[0] === 0, 20);
    expect(await invalid(run)).toEqual(["idx_a_name"]);
    await writer.query("commit");
    expect(Object.keys((await run.up()).applied)).toEqual(["001_index.sql"]);
    expect(run.lines).toContain("001_index.sql: dropped public.idx_a_name, which an earlier run left half built");
    expect({ invalid: await invalid(run), valid: await isValid(run) }).toEqual({
      invalid: [],
      valid: [true],
    });
  });

  it("after its statement and before the row of the ledger has the file run again", async () => {
    const run = await runs.fresh({ "000_base.sql": base });
    await run.up();
    await run.directory.write("001_index.sql", index);
    await run.owner.query("create index idx_a_name on a (name)");
    expect(Object.keys((await run.up()).applied)).toEqual(["001_index.sql"]);
  });
});

describe("an invalid index", () => {
  const twice = "create unique index concurrently idx_by_hand on a (name)";

  it("check 8: that somebody left is built again by the next run, though no file is pending", async () => {
    const run = await runs.fresh({ "000_base.sql": base });
    await run.up();
    await run.owner.query(twice).catch(() => undefined);
    await run.owner.query("update a set name = id::text");
    expect(await isValid(run)).toEqual([false]);
    await run.up();
    expect(run.lines).toContain("built again the invalid index public.idx_by_hand of public.a");
    expect(await isValid(run)).toEqual([true]);
  });

  it("that cannot be built again is named, and no copy of it stays behind", async () => {
    const run = await runs.fresh({ "000_base.sql": base });
    await run.up();
    await run.owner.query(twice).catch(() => undefined);
    expect(await run.refusal()).toBe(
      [
        "1 index is invalid and could not be built again; the files are applied:",
        `  public.idx_by_hand of public.a: could not create unique index "idx_by_hand_ccnew"`,
        "put right what is in the way, or drop the index; then run again",
      ].join("\n"),
    );
    expect(await invalid(run)).toEqual(["idx_by_hand"]);
  });

  it("is not left by a file whose rows do not fit it", async () => {
    const run = await runs.fresh({ "000_base.sql": base });
    await run.up();
    const before = await schemaLines(run.owner);
    await run.directory.write("001_index.sql", index.replace("create index", "create unique index"));
    expect(await run.refusal()).toBe(
      [
        `001_index.sql, line 2: could not create unique index "idx_a_name"`,
        "The half-built index public.idx_a_name was dropped: the database is as it was before it, and there is no row of 001_index.sql in schema_migrations. Put right what is in the way, then run again",
      ].join("\n"),
    );
    expect(await schemaLines(run.owner)).toEqual(before);
  });

  it("is given up when its time is over, and the report says for whom it waited", async () => {
    const run = await runs.fresh({ "000_base.sql": base });
    await run.up();
    await run.directory.write("001_index.sql", index);
    const writer = await openTransaction(run, "update a set name = 'y' where id = 1");
    expect(await run.refusal({ budgets: { aloneMs: 2_000, sayMs: 500 } })).toMatch(
      /^001_index\.sql, line 2: canceling statement due to statement timeout \(allowed: 2 s; it waited last for pid \d+ \(a long report, taskflow_user, in a transaction since .+\)\)\nThe half-built index idx_a_name is left, invalid: the next run drops it first \(canceling statement due to statement timeout\), and there is no row of 001_index\.sql in schema_migrations\. Put right what is in the way, then run again$/,
    );
    expect(run.lines).toContainEqual(
      expect.stringMatching(/^001_index\.sql: goes on for .+; waited last for pid \d+ \(a long report, /),
    );
    await writer.query("commit");
    await run.up();
    expect({ invalid: await invalid(run), valid: await isValid(run) }).toEqual({
      invalid: [],
      valid: [true],
    });
  });
});

describe("a lock that somebody else holds", () => {
  it("is named with its holder when the time is over, and nothing was changed", async () => {
    const run = await runs.fresh({ "000_base.sql": base });
    const before = await schemaLines(run.owner);
    const other = await run.database.connect(names.owner);
    await other.query("set application_name = 'golive of somebody else'");
    await other.query("select pg_advisory_lock($1, $2)", [lockKey.space, lockKey.number]);
    expect(await run.refusal({ budgets: { runnerMs: 1_000 } })).toMatch(
      /^another run of the migrations holds their lock, waited 1 s: pid \d+ \(golive of somebody else, taskflow_user, connected since .+Z\); nothing was changed; run again when it has ended, or end it with: select pg_terminate_backend\(pid\)$/,
    );
    expect(await schemaLines(run.owner)).toEqual(before);
  });

  it("is waited for, and the log says for whom", async () => {
    const run = await runs.fresh({ "000_base.sql": base });
    const other = await run.database.connect(names.owner);
    await other.query("select pg_advisory_lock($1, $2)", [lockKey.space, lockKey.number]);
    const waiting = run.up();
    await until("the runner to wait", async () => run.lines.length > 0);
    expect(run.lines).toEqual([
      expect.stringMatching(
        /^waits for another run of the migrations, at most 60 s more: pid \d+ \(taskflow_user, connected since /,
      ),
    ]);
    await other.end();
    expect(Object.keys((await waiting).applied)).toEqual(["000_base.sql"]);
  });

  it("and that a file gives away in the middle of a run ends the run before the next file", async () => {
    const run = await runs.fresh({ "000_base.sql": `${base}select pg_advisory_unlock_all();`, "001_add.sql": add });
    expect(await run.refusal()).toBe(
      "this session does not hold the lock of the migrations that it took: is there a pooler in between, or did a file release it? Connect to the server itself",
    );
    expect(await run.column("select name from schema_migrations")).toEqual(["000_base.sql"]);
  });
});
