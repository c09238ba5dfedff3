import { rm } from "node:fs/promises";
import { join } from "node:path";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checks } from "../../programs/database/catalogue/findings.ts";
import { readMigrations } from "../../programs/database/migrations/file.ts";
import { migrate } from "../../programs/database/migrations/migrate.ts";
import { status } from "../../programs/database/status.ts";
import { verify } from "../../programs/database/verify.ts";
import { names, roles, startServer, type TestDatabase, type TestServer } from "../support/postgres.ts";
import { taskflow } from "../support/taskflow-rows.ts";

describe("a database as it is now", () => {
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

  const verified = async (settings = database.settings) => {
    const lines: string[] = [];
    const { ok, rows } = await verify(settings, (line) => lines.push(line));
    const table = rows.filter(({ check }) => !checks.some(({ name }) => name === check));
    return { ok, lines, table, gaps: rows.filter((row) => !row.ok).map(({ check, found }) => [check, found]) };
  };

  it("has nothing before the first migration, and says so", async () => {
    const empty = await server.database();
    const files = await readMigrations(empty.settings.migrations);
    expect(await status(empty.settings, () => {})).toEqual({
      database: empty.name,
      version: null,
      applied: 0,
      pending: files.map(({ name, phase }) => ({ name, phase })),
      held: [],
      problems: [],
      tables: 0,
      indexes: 0,
      policies: 0,
      rowSecurityGaps: [],
      invalidIndexes: [],
      backup: { last: null, lastSucceeded: null },
      drill: { last: null, lastSucceeded: null },
    });
    expect((await verified(empty.settings)).gaps).toEqual([
      ["ledger", "no table schema_migrations"],
      ["indexes", "0"],
      ["tables with row level security", "0 of 0"],
    ]);
    await migrate(empty.settings, () => {});
    expect((await verified(empty.settings)).gaps).toEqual([]);
    await empty.drop();
  });

  it("passes every check once the migrations ran", async () => {
    const { ok, lines, table } = await verified();
    expect({ ok, lines }).toEqual({ ok: true, lines: [`${checks.length + 10} checks hold`] });
    const row = (check: string, found: string, wanted: string) => ({ check, found, wanted, ok: true });
    expect(table).toEqual([
      row("ledger", "16 files, last 015_add_business_metrics.sql", "schema_migrations with the applied files"),
      row("indexes", "55", "40 or more"),
      row("tables with row level security", "13 of 13", "all, and one or more"),
      row("policies", "35", "13 or more, one for each table"),
      row("any row without claims", "none in 9 tables", "none in 9 tables"),
      row("tasks as a member of a team", "2", "2"),
      row("tasks as someone without a team", "1", "1"),
      row("tasks with a forged claim of all teams", "1", "1"),
      row("tasks with a forged claim to be an admin", "2", "2"),
      row("tasks as an admin", "4", "4"),
    ]);
  });

  it("says what was applied, what waits, and how the last backup and drill ended", async () => {
    await owner.query(
      `insert into database_operations (kind, started_at, finished_at, succeeded, detail) values
         ('backup', '2026-01-01 01:00Z', '2026-01-01 01:01Z', true, '{"file": "one.dump"}'),
         ('backup', '2026-01-02 01:00Z', '2026-01-02 01:02Z', false, '{"problem": "no space"}'),
         ('drill', '2026-01-01 02:00Z', null, null, null)`,
    );
    expect(await status(database.settings, () => {})).toEqual({
      database: database.name,
      version: "015",
      applied: 16,
      pending: [],
      held: [],
      problems: [],
      tables: 13,
      indexes: 55,
      policies: 35,
      rowSecurityGaps: [],
      invalidIndexes: [],
      backup: {
        last: { at: "2026-01-02T01:02:00.000Z", succeeded: false, detail: { problem: "no space" } },
        lastSucceeded: { at: "2026-01-01T01:01:00.000Z", succeeded: true, detail: { file: "one.dump" } },
      },
      drill: { last: { at: "2026-01-01T02:00:00.000Z", succeeded: null, detail: null }, lastSucceeded: null },
    });
  });

  it("fails verification when one table is open, and names it", async () => {
    await owner.query("alter table comments disable row level security");
    const { ok, lines, gaps } = await verified();
    expect({ ok, lines }).toEqual({ ok: false, lines: [`3 of ${checks.length + 10} checks fail`] });
    expect(gaps).toEqual([
      ["tables with row level security", "12 of 13; not: comments"],
      ["any row without claims", "rows of public.comments"],
      ["row-security-off", expect.stringMatching(/^public\.comments: row level security is off/)],
    ]);
    expect((await status(database.settings, () => {})).rowSecurityGaps).toEqual(["comments"]);
    await owner.query("alter table comments enable row level security");
  });

  it("fails verification when a policy shows more, or less, than the memberships say", async () => {
    const policy = async (using: string) => {
      await owner.query(`alter policy tasks_read on tasks using (${using})`);
      return (await verified()).gaps;
    };
    const { rows: before } = await owner.query<{ qual: string }>(
      "select qual from pg_policies where policyname = 'tasks_read'",
    );
    expect(await policy("id > 0 and (select private.current_user_id()) > 0")).toEqual([
      ["tasks as a member of a team", "4"],
      ["tasks as someone without a team", "4"],
      ["tasks with a forged claim of all teams", "4"],
      ["tasks with a forged claim to be an admin", "4"],
    ]);
    expect(await policy("creator_id = (select private.current_user_id())")).toEqual([
      ["tasks as someone without a team", "0"],
      ["tasks with a forged claim of all teams", "0"],
      ["tasks as an admin", "0"],
    ]);
    await policy(before[0]?.qual ?? "");
    expect((await verified()).gaps).toEqual([]);
  });

  it("fails verification when there is no login to look through", async () => {
    for (const { name, login, bypassRowSecurity } of roles) {
      if (login && !bypassRowSecurity && name !== names.exporter) await rm(join(database.settings.passwords, name));
    }
    expect((await verified()).gaps).toEqual([
      ["what readers are shown", "no password of a login that row level security binds"],
    ]);
  });
});
