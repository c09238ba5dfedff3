import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { catalogueOptions, checks, findings } from "../../programs/database/catalogue/findings.ts";
import { migrate } from "../../programs/database/migrations/migrate.ts";
import { names, startServer, type TestDatabase, type TestServer } from "../support/postgres.ts";

/** A table as it should be. Each fixture spoils one thing about it. */
const good = `
  create table notes (id integer primary key, team_id integer not null, unique (id, team_id));
  create index idx_notes_team_id on notes (team_id);
  alter table notes enable row level security, force row level security;
  create policy notes_read on notes for select to taskflow_app
    using (team_id = any ((select private.reachable_team_ids())::integer[]));`;
const policy = (using: string) =>
  `alter policy notes_read on notes using (${using} and team_id = any ((select private.reachable_team_ids())::integer[]))`;
const spy = "create function spy() returns integer language sql stable security definer";

/** What breaks each rule, and what is said of it; run by the owner unless it says otherwise. */
const fixtures: Readonly<Record<string, { readonly sql: string; readonly object: string; readonly text: string }>> = {
  "row-security-off": {
    sql: "alter table notes disable row level security",
    object: "public.notes",
    text:
      "row level security is off: everyone with a grant sees every row; wanted: row level security on every table, " +
      "bookkeeping included; to put it right: ALTER TABLE public.notes ENABLE ROW LEVEL SECURITY",
  },
  "row-security-not-forced": {
    sql: "alter table notes no force row level security",
    object: "public.notes",
    text:
      "row level security is not forced: its owner sees every row; wanted: row level security that binds the owner, too; " +
      "to put it right: ALTER TABLE public.notes FORCE ROW LEVEL SECURITY",
  },
  "no-policy": {
    sql: "drop policy notes_read on notes",
    object: "public.notes",
    text:
      "no policy: nobody sees a row, and nothing says whether that is meant; wanted: at least one policy on every table; " +
      "for nobody: USING (false); to put it right: CREATE POLICY … ON public.notes FOR SELECT TO … USING (…)",
  },
  "partition-open": {
    sql: `create table days (team_id integer not null) partition by list (team_id);
      create index idx_days_team_id on days (team_id);
      create table days_1 partition of days default;
      alter table days enable row level security, force row level security;
      create policy days_nobody on days using (false);
      revoke all on days_1 from taskflow_read`,
    object: "public.days_1",
    text:
      "a part of days without forced row level security, which taskflow_app, taskflow_app_a, taskflow_app_b may read or " +
      "write directly; wanted: row level security, forced, on each part of a partitioned table; without policies a part is " +
      "closed, and is read through the whole; to put it right: ALTER TABLE public.days_1 ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
  },
  "truncate-granted": {
    sql: "grant truncate on notes to taskflow_readonly",
    object: "public.notes",
    text:
      "taskflow_readonly may TRUNCATE it; wanted: TRUNCATE for the owner alone: no policy holds it back; to put it right: " +
      "REVOKE TRUNCATE ON public.notes FROM taskflow_readonly",
  },
  "foreign-key-across-tenants": {
    sql: "alter table notes add task_id integer constraint notes_task references tasks (id)",
    object: "notes_task on public.notes",
    text:
      "points at public.tasks by (id), without its team_id: a row can hang on a parent that its writer cannot see; wanted: a " +
      "foreign key to rows of a team or user that includes the target's team_id or user_id; to put it right: " +
      "UNIQUE (id, team_id) on public.tasks and FOREIGN KEY (…, team_id) REFERENCES public.tasks (…, team_id)",
  },
  "policy-column-without-index": {
    sql: "drop index idx_notes_team_id",
    object: "public.notes.team_id",
    text:
      "policy notes_read reads it, and no index begins with it: each query reads the whole table; wanted: an index that begins " +
      "with each column that decides who sees a row; to put it right: " +
      "CREATE INDEX IF NOT EXISTS idx_notes_team_id ON public.notes (team_id)",
  },
  "claim-read-for-each-row": {
    sql: "alter policy notes_read on notes using (team_id = any (private.reachable_team_ids()))",
    object: "policy notes_read on public.notes",
    text:
      "calls private.reachable_team_ids() for each row; wanted: (SELECT helper()): read once for a statement; to put it right: " +
      "write (SELECT private.reachable_team_ids()) in its place",
  },
  "policy-always-true": {
    sql: "create policy notes_write on notes for insert to taskflow_app with check (true)",
    object: "policy notes_write on public.notes",
    text:
      "lets taskflow_app see or write every row; wanted: a condition in each policy of a role that row level security is to " +
      "bind; to put it right: give it a condition on the claims; a role that must see all is one of the allowed",
  },
  "policy-open-without-claims": {
    sql: policy("(select private.current_user_id()) is null"),
    object: "policy notes_read on public.notes",
    text:
      "a missing claim may make it true: ((( SELECT private.current_user_id() AS current_user_id) IS NULL) AND (team_id = ANY " +
      "(( SELECT private.reachable_team_ids() AS reachable_team_ids)::integer[]))); wanted: policies that are false when there are no " +
      "claims; to put it right: compare with = and without IS NULL on a claim: what is compared with null is not seen",
  },
  "definer-search-path": {
    sql: `${spy} as 'select 1'`,
    object: "function spy()",
    text:
      "runs with its owner's rights and its caller's search_path: who calls it chooses the tables that it reads; wanted: " +
      "SET search_path = '' on each SECURITY DEFINER function; to put it right: ALTER FUNCTION spy() SET search_path = ''",
  },
  "definer-for-everyone": {
    sql: `${spy} set search_path = '' as 'select 1'; grant execute on function spy() to public`,
    object: "function spy()",
    text:
      "runs with its owner's rights, and PUBLIC may execute it; wanted: SECURITY DEFINER functions for the roles that need " +
      "them; to put it right: REVOKE EXECUTE ON FUNCTION spy() FROM PUBLIC",
  },
  "view-with-rights-of-its-owner": {
    sql: "create view all_notes as select * from notes",
    object: "view all_notes",
    text:
      "reads with its owner's rights: row level security does not reach through it; wanted: security_invoker on each view; " +
      "to put it right: ALTER VIEW all_notes SET (security_invoker = true)",
  },
  "materialised-view-readable": {
    sql: "create materialized view old_notes as select * from notes; revoke all on old_notes from taskflow_app",
    object: "materialised view old_notes",
    text:
      "taskflow_read, taskflow_readonly may read it; wanted: materialised views and foreign tables for their owner alone: they " +
      "have no row level security; to put it right: REVOKE ALL ON old_notes FROM taskflow_read, taskflow_readonly",
  },
  "index-invalid": {
    // What a CREATE INDEX CONCURRENTLY leaves that was killed; a catalogue is the superuser's to change.
    sql: `create index idx_notes_broken on notes (id, team_id desc);
      reset role; update pg_index set indisvalid = false where indexrelid = 'idx_notes_broken'::regclass`,
    object: "index idx_notes_broken",
    text:
      "invalid: left by a CREATE INDEX CONCURRENTLY that did not end; IF NOT EXISTS takes it for a good one; wanted: indexes " +
      "that PostgreSQL uses; to put it right: REINDEX INDEX CONCURRENTLY idx_notes_broken",
  },
  "index-duplicate": {
    sql: "create index idx_notes_again on notes (id)",
    object: "index idx_notes_again",
    text: "the same as notes_pkey; wanted: each index once; to put it right: DROP INDEX idx_notes_again",
  },
  "login-not-bound": {
    sql: `reset role; create role intruder login; grant taskflow_backup to intruder;
      grant connect on database current_database_name to intruder`,
    object: "role intruder",
    text:
      "may become taskflow_backup, which row level security does not bind; wanted: logins that row level security binds, but " +
      "for the allowed; to put it right: REVOKE taskflow_backup FROM whoever gives it to intruder",
  },
  "owned-by-another": {
    sql: "reset role; alter table notes owner to postgres",
    object: "notes",
    text:
      "owned by postgres; wanted: everything owned by the owner, so that default privileges and forced row level security hold " +
      "for all; to put it right: ALTER TABLE notes OWNER TO taskflow_user",
  },
  "owned-by-the-application": {
    sql: "reset role; create type mood as enum ('good'); alter type mood owner to taskflow_app",
    object: "role taskflow_app",
    text:
      "owns type mood; wanted: nothing owned by a role that row level security binds: an owner may switch it off; to put it " +
      "right: REASSIGN OWNED BY taskflow_app TO taskflow_user",
  },
};

describe("the catalogue checks", () => {
  let server: TestServer;
  let database: TestDatabase;
  let admin: pg.Client;
  beforeAll(async () => {
    server = await startServer();
    database = await server.database();
    await migrate(database.settings, () => {});
    admin = await database.connect("postgres");
  });
  afterAll(async () => {
    await database.drop();
    await server.stop();
  });

  /** What is found after these statements of the owner, which are taken back. */
  const foundAfter = async (...statements: readonly string[]) => {
    await admin.query("begin");
    try {
      await admin.query(`set local role ${names.owner}`);
      for (const statement of statements) {
        await admin.query(statement.replaceAll("current_database_name", database.name));
      }
      await admin.query("reset role");
      return await findings(admin, catalogueOptions(database.settings));
    } finally {
      await admin.query("rollback");
    }
  };

  it("find nothing in TaskFlow's schema, bookkeeping included, whoever asks", async () => {
    const options = catalogueOptions(database.settings);
    expect(options).toEqual({ owner: names.owner, allowedBypass: [names.owner, names.backup] });
    expect(await findings(admin, options)).toEqual([]);
    const owner = await database.connect(names.owner);
    expect(await findings(owner, options)).toEqual([]);
    await owner.end();
  });

  it("find nothing in a new table that is as it should be", async () => {
    expect(await foundAfter(good)).toEqual([]);
  });

  it.each(Object.entries(fixtures))("find %s", async (check, { sql, object, text }) => {
    expect(await foundAfter(good, sql)).toEqual([{ check, object, text }]);
  });

  it("have a fixture each", () => {
    expect(Object.keys(fixtures)).toEqual(checks.map(({ name }) => name));
  });

  it.each([
    [
      "a claim that is read for each row without a helper",
      "current_setting('request.jwt.claims', true) <> ''",
      ["claim-read-for-each-row"],
    ],
    ["a claim that is read once", "(select current_setting('request.jwt.claims', true)) <> ''", []],
    ["a column that may be null", "(id is null or id > 0)", []],
    [
      "a comparison that takes two nulls for equal",
      "id is not distinct from (select private.current_user_id())",
      ["policy-open-without-claims"],
    ],
  ])("know %s", async (_, using, expected) => {
    expect((await foundAfter(good, policy(using))).map(({ check }) => check)).toEqual(expected);
  });

  it("find a login that bypasses row level security, and leave the allowed alone", async () => {
    const found = await foundAfter(`reset role; alter role ${names.readOnly} bypassrls`);
    expect(found).toEqual([
      {
        check: "login-not-bound",
        object: "role taskflow_readonly",
        text:
          "has BYPASSRLS: it sees every row; wanted: logins that row level security binds, but for the allowed; " +
          "to put it right: ALTER ROLE taskflow_readonly NOBYPASSRLS",
      },
    ]);
  });

  it("find a new table that says nothing of row level security (S0-54)", async () => {
    const found = await foundAfter("create table notes (id integer primary key)");
    expect(found.map(({ check, object }) => `${check}: ${object}`)).toEqual([
      "row-security-off: public.notes",
      "no-policy: public.notes",
    ]);
  });
});
