import { dirname } from "node:path";
import type pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { readMigrations } from "../../programs/database/migrations/file.ts";
import { migrate } from "../../programs/database/migrations/migrate.ts";
import { rules } from "../../programs/database/seed/rules.ts";
import { seed } from "../../programs/database/seed/seed.ts";
import type { ProgramSettings } from "../../programs/database/settings.ts";
import { type DatabasePod, startDatabasePod } from "../support/database-pod.ts";
import { migrationDirectory } from "../support/migration-files.ts";
import { names, startServer, type TestDatabase, type TestServer } from "../support/postgres.ts";
import { hashesOf, rowsOf } from "../support/seeded-rows.ts";
import { addRows, taskflow } from "../support/taskflow-rows.ts";

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

describe("seeding from a dump of another environment", () => {
  let pod: DatabasePod;
  let source: TestDatabase;
  /** What the dump's stack and the target's are told; both see the same directory of backups. */
  let given: { readonly source: ProgramSettings; readonly target: ProgramSettings };
  let dump: string;

  beforeAll(async () => {
    pod = await startDatabasePod(server);
  });
  afterAll(async () => {
    await pod?.stop();
  });
  beforeEach(async () => {
    source = await taskflow(server);
    const people = await source.connect(names.owner);
    for (const sql of secretsOfPeople) await people.query(sql);
    await people.end();
    given = await settingsOfBoth();
    dump = await backedUp(given.source);
  });
  afterEach(async () => {
    await source?.drop();
  });

  async function settingsOfBoth() {
    const ofSource = await pod.settings(source);
    const ofTarget = await pod.settings(database);
    const files = await readMigrations(database.settings.migrations);
    const write = files.map(
      ({ name, sql }) => `cat > ${ofTarget.migrations}/${name} <<'END-OF-FILE'\n${sql}END-OF-FILE`,
    );
    await pod.shell(ofTarget, write.join("\n"));
    return {
      source: ofSource,
      target: { ...ofTarget, backup: { ...ofTarget.backup, directory: ofSource.backup.directory } },
    };
  }

  async function backedUp(settings: ProgramSettings): Promise<string> {
    const { code, stdout, stderr } = await pod.run(settings, "backup", "--json");
    if (code !== 0) throw new Error(stderr);
    return (JSON.parse(stdout) as { file: string }).file.replace(".dump.enc", "");
  }

  /** Puts the key of the dump where the target looks for a key of another environment. */
  const giveKey = () =>
    pod.shell(given.target, `cp ${given.source.backup.key} ${dirname(given.target.backup.key)}/from`);

  const load = (settings = given.target) => pod.run(settings, "seed", "--from-dump", dump, "--json");

  /** All that is in the database, as text. */
  async function everything(): Promise<string> {
    const { rows } = await owner.query<{ name: string }>(
      "select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'",
    );
    const texts: unknown[] = [];
    for (const { name } of rows) texts.push(...(await rowsOf(owner, `select string_agg(t::text, '|') from ${name} t`)));
    return texts.join("\n");
  }

  it("puts its rows in place of what is there, with nothing of a person in them (S0-01, S1-25)", async () => {
    await seed(database.settings, () => {});
    await giveKey();
    const { code, stdout, stderr } = await load();
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(JSON.parse(stdout)).toMatchObject({
      tables: [
        { table: "users", rows: 6, added: 6 },
        { table: "teams", rows: 2, added: 2 },
        { table: "team_members", rows: 3, added: 3 },
        { table: "projects", rows: 2, added: 2 },
        { table: "tasks", rows: 4, added: 4 },
        { table: "comments", rows: 4, added: 4 },
        { table: "notifications", rows: 3, added: 3 },
        { table: "time_entries", rows: 2, added: 2 },
      ],
    });
    const people = await source.connect(names.owner);
    const originals = (await rowsOf(people, originalsSql)).flat().map(String);
    expect(originals.length).toBeGreaterThan(30);
    const found = await everything();
    expect(originals.filter((original) => found.includes(original))).toEqual([]);
    expect(`${stdout}${stderr}`).not.toContain("@example.com");
    // The shape of it stays: who works with whom on what, in which state and when.
    const shape = `select t.id, t.team_id, t.status, t.assignee_id, t.creator_id, t.created_at, u.role, u.last_active_at
      from tasks t left join users u on u.id = t.assignee_id order by t.id`;
    expect(await rowsOf(owner, shape)).toEqual(await rowsOf(people, shape));
    expect(await rowsOf(owner, "select count(*)::int from user_credentials")).toEqual([[0]]);
    // No scratch server, and no file of it, is left.
    expect((await pod.shell(given.target, `ls ${given.target.work}`)).stdout).not.toContain("scratch");
    // The next row gets a number of its own.
    expect(await rowsOf(owner, "insert into users (email, name) values ('a@b.test', 'A') returning id")).toEqual([[7]]);
  });

  it("masks the same person in the same way each time, and otherwise in another stack", async () => {
    await giveKey();
    await load();
    const first = await hashesOf(owner);
    await load();
    expect(await hashesOf(owner)).toEqual(first);
    await pod.shell(given.target, `tr 0-9a-f a-f0-9 < ${given.target.backup.key} > ${given.target.work}/other-key`);
    const other = { ...given.target, backup: { ...given.target.backup, key: `${given.target.work}/other-key` } };
    expect((await load(other)).code).toBe(0);
    expect(await hashesOf(owner)).not.toEqual(first);
  });

  it("brings a dump of an older schema to the target's", async () => {
    await source.drop();
    source = await server.database();
    const older = await migrationDirectory();
    for (const { name, sql } of await readMigrations(source.settings.migrations))
      if (name < "010") await older.write(name, sql);
    await migrate({ ...source.settings, migrations: older.path }, () => {});
    const people = await source.connect(names.owner);
    await addRows(people);
    await people.query("update tasks set due = '2026-02-01' where id = 1");
    await people.end();
    await older.remove();
    given = await settingsOfBoth();
    dump = await backedUp(given.source);
    await giveKey();
    expect(await load()).toMatchObject({ code: 0 });
    expect(await rowsOf(owner, "select id, due_at from tasks where due_at is not null")).toEqual([
      [1, new Date("2026-02-01T00:00:00Z")],
    ]);
  });

  const refused: readonly (readonly [string, () => Promise<unknown>, string])[] = [
    ["with a key that is not its own", async () => {}, "was signed with another key than the one in"],
    [
      "with a table that nobody has decided about",
      () => change("create table invoices (id integer primary key)"),
      "no rule says what becomes of the table invoices when a dump is loaded elsewhere; nothing was loaded. Decide it in programs/database/seed/rules.ts",
    ],
    [
      "with a column that nobody has decided about",
      () => change("alter table users add phone text"),
      "no rule says what becomes of users.phone when a dump is loaded elsewhere; nothing was loaded. Decide it in programs/database/seed/rules.ts",
    ],
    [
      "with a column that the target lacks",
      () => change("alter table tasks add due timestamptz"),
      "the backup has tasks.due, which this database has not: bring it up to date (golive pulumi up), then load the backup. Nothing was loaded",
    ],
    [
      "of a database without a schema",
      async () => {
        await source.drop();
        source = await server.database();
        given = await settingsOfBoth();
        dump = await backedUp(given.source);
        await giveKey();
      },
      "is of a database without a schema; nothing was loaded",
    ],
  ];

  /** Changes the source, and dumps it anew. */
  async function change(sql: string): Promise<void> {
    const people = await source.connect(names.owner);
    await people.query(sql);
    await people.end();
    const { directory } = given.source.backup;
    await pod.shell(given.source, `rm ${directory}/*`);
    dump = await backedUp(given.source);
    await giveKey();
  }

  it.each(refused)("is refused %s, and touches nothing", async (_, prepare, message) => {
    await seed(database.settings, () => {});
    await prepare();
    const before = await hashesOf(owner);
    const { code, stderr } = await load();
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(message) });
    expect(await hashesOf(owner)).toEqual(before);
  });

  it("keeps no text but words of a closed list: what a rule keeps cannot name a person", async () => {
    const kept = Object.entries(rules).flatMap(([table, columns]) =>
      Object.entries(columns).flatMap(([column, rule]) => (rule === "keep" ? [`${table}.${column}`] : [])),
    );
    const open = await rowsOf(
      owner,
      `
      select a.attrelid::regclass || '.' || a.attname
      from pg_attribute a join pg_type t on t.oid = a.atttypid
      where a.attrelid::regclass::text = any ('{${Object.keys(rules)}}') and a.attnum > 0 and not a.attisdropped
        and t.typname not in ('int4', 'int8', 'bool', 'timestamptz')
        and not exists (select from pg_constraint k where k.conrelid = a.attrelid and k.contype = 'c' and k.conkey = array[a.attnum]
          and pg_get_constraintdef(k.oid) like 'CHECK ((% = ANY (ARRAY[%')`,
    );
    expect(kept.filter((column) => open.flat().includes(column))).toEqual([]);
  });
});

/** What people leave in their rows, beside `addRows`. */
const secretsOfPeople: readonly string[] = [
  "update tasks set title = 'Call Rita Original about her divorce', description = 'rita@example.com, +49 30 123456' where id = 1",
  "insert into comments (task_id, author_id, body) values (1, 1, 'Rita lives in Example Street 5')",
  "update teams set name = 'Team of Ann Original' where id = 1",
  "update projects set name = 'Project for Example Inc' where id = 1",
];

/** Every text of the source that could name somebody, or let them in. */
const originalsSql = `
  select unnest(array[email, open_id || '@', ' ' || name]) from users
  union select name from teams union select name from projects
  union select title from tasks union select description from tasks where description <> ''
  union select body from comments union select password_hash from user_credentials
  union select encode(token_hash, 'hex') from refresh_tokens`;
