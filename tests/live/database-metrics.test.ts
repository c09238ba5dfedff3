import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cleanUp } from "../../programs/database/afterwards.ts";
import { metrics } from "../../programs/database/metrics.ts";
import { names, startServer, type TestDatabase, type TestServer } from "../support/postgres.ts";
import { as, claimsOf, taskflow } from "../support/taskflow-rows.ts";
import { until } from "../support/until.ts";

let server: TestServer;
let database: TestDatabase;
let owner: pg.Client;
beforeAll(async () => {
  server = await startServer();
  database = await taskflow(server);
  owner = await database.connect(names.owner);
});
afterAll(async () => {
  await database.drop();
  await server.stop();
});

/** What the exporter serves of a database, by name of the metric; and what it says. */
async function exported(of: TestDatabase): Promise<{ values: Readonly<Record<string, number>>; said: string[] }> {
  const said: string[] = [];
  const running = metrics(of.settings, (line) => said.push(line), { port: 0 });
  try {
    await until("the exporter", async () => said.length > 0, 10, 10);
    const port = /on port (\d+)$/.exec(said[0] ?? "")?.[1];
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const series = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    const values = Object.fromEntries(
      series.map((line) => [line.slice(0, line.indexOf("{")), Number(line.slice(line.lastIndexOf(" ") + 1))]),
    );
    return { values, said: said.slice(1) };
  } finally {
    await cleanUp();
    await running;
  }
}

const business = ({ values }: { values: Readonly<Record<string, number>> }) =>
  Object.fromEntries(Object.entries(values).filter(([name]) => name.startsWith("taskflow_")));

describe("what people did in the last day (S1-63)", () => {
  it("is four numbers for the exporter, which sees no row behind them", async () => {
    // Everyone of the tests has a session from now; the entries of the time are from long ago.
    const found = await exported(database);
    expect({ business: business(found), said: found.said }).toEqual({
      business: {
        taskflow_active_users: 6,
        taskflow_tasks_created_last_day: 4,
        taskflow_comments_last_day: 3,
        taskflow_time_tracked_seconds_last_day: 0,
      },
      said: [],
    });
    const exporter = await database.connect(names.exporter);
    for (const table of ["users", "tasks", "comments", "time_entries", "refresh_tokens"])
      await expect(exporter.query(`select from ${table}`)).rejects.toThrow(`permission denied for table ${table}`);
    for (const call of ["private.reachable_user_ids()", "private.is_admin()"])
      await expect(exporter.query(`select ${call}`)).rejects.toThrow("permission denied for function");
  });

  it("is for nobody else to ask: not the application, not its readers", async () => {
    for (const login of [names.applicationLogins.a, names.readOnly, names.backup]) {
      const client = await database.connect(login);
      await expect(client.query("select * from private.business_metrics()")).rejects.toThrow("permission denied");
    }
  });

  it("forgets what is older than a day, and counts a clock that still runs until now", async () => {
    await owner.query("begin");
    await owner.query("update users set last_active_at = now() - interval '25 hours' where open_id <> 'ann'");
    await owner.query("update tasks set created_at = now() - interval '25 hours' where id > 1");
    await owner.query("update comments set created_at = now() - interval '25 hours' where id > 1");
    await owner.query(
      `insert into time_entries (task_id, user_id, started_at, ended_at) values
         (1, 1, now() - interval '2 hours', now() - interval '1 hour'),
         (1, 2, now() - interval '30 minutes', null),
         (1, 4, now() - interval '25 hours', now()),
         (3, 3, now() - interval '10 minutes', now() + interval '1 hour'),
         (3, 3, now() + interval '1 hour', now() + interval '2 hours')`,
    );
    await owner.query("commit");
    const { taskflow_time_tracked_seconds_last_day: seconds = 0, ...counts } = business(await exported(database));
    expect(counts).toEqual({
      taskflow_active_users: 1,
      taskflow_tasks_created_last_day: 1,
      taskflow_comments_last_day: 1,
    });
    expect(Math.abs(seconds - 3600 - 40 * 60)).toBeLessThan(60);
  });

  it("has somebody active who begins a session or continues one, once a minute and without a line in the audit log", async () => {
    const app = await database.connect(names.applicationLogins.a);
    const activeAt = async () =>
      (await owner.query<{ at: Date }>("select last_active_at as at from users where open_id = 'rita'")).rows[0]?.at;
    const audited = async () => (await owner.query("select from audit_log where table_name = 'users'")).rowCount;
    const lines = await audited();
    await app.query("begin");
    await app.query("select set_config('request.jwt.claims', $1, true)", [JSON.stringify(claimsOf("rita"))]);
    await app.query("select start_session(sha256('one'))");
    await app.query("commit");
    const first = await activeAt();
    expect(Date.now() - (first?.getTime() ?? 0)).toBeLessThan(60_000);
    await app.query("select continue_session(sha256('one'), sha256('two'))");
    expect(await activeAt()).toEqual(first);
    await owner.query("update users set last_active_at = now() - interval '2 minutes' where open_id = 'rita'");
    await app.query("select continue_session(sha256('two'), sha256('three'))");
    expect((await activeAt())?.getTime()).toBeGreaterThanOrEqual(first?.getTime() ?? 0);
    expect(await audited()).toBe(lines);
  });

  it("is nothing where the application has no such function, and what is wrong with one is said", async () => {
    await owner.query("alter function private.business_metrics() rename to other_metrics");
    const without = await exported(database);
    expect({ business: business(without), said: without.said }).toEqual({ business: {}, said: [] });
    await owner.query(
      `create function private.business_metrics() returns table (name text, help text, value double precision)
       language sql as $$ values ('taskflow_good', 'Good.', 1::float8), ('database_up', 'Forged.', 0) $$`,
    );
    const unasked = await exported(database);
    expect({ business: business(unasked), said: unasked.said }).toEqual({
      business: {},
      said: ["permission denied for function business_metrics"],
    });
    await owner.query(`grant execute on function private.business_metrics() to ${names.exporter}`);
    const forged = await exported(database);
    expect({ business: business(forged), said: forged.said, up: forged.values.database_up }).toEqual({
      business: { taskflow_good: 1 },
      said: ["private.business_metrics() gives database_up: no name in small letters that begins with taskflow_"],
      up: 1,
    });
    await owner.query("drop function private.business_metrics()");
    await owner.query("alter function private.other_metrics() rename to business_metrics");
  });

  it("is read by indexes of one day, not by whole tables", async () => {
    await as(owner, undefined, async () => {
      await owner.query("set local enable_seqscan = off");
      const { rows } = await owner.query<{ prosrc: string }>(
        "select prosrc from pg_proc where oid = 'private.business_metrics()'::regprocedure",
      );
      const plan = await owner.query<{ "QUERY PLAN": string }>(`explain ${rows[0]?.prosrc}`);
      const text = plan.rows.map((row) => row["QUERY PLAN"]).join("\n");
      for (const index of [
        "idx_users_last_active_at",
        "idx_tasks_created_at",
        "idx_comments_created_at",
        "idx_time_entries_started_at",
      ])
        expect(text).toContain(index);
      expect(text).not.toContain("Seq Scan");
    });
  });
});
