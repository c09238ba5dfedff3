import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { BackupResult } from "../../programs/database/backup/backup.ts";
import type { DrillResult } from "../../programs/database/drill.ts";
import type { RestoreResult } from "../../programs/database/restore.ts";
import type { ProgramSettings } from "../../programs/database/settings.ts";
import { fillDatabase, rowHashes } from "../support/backup-fixture.ts";
import { type DatabasePod, startDatabasePod } from "../support/database-pod.ts";
import { names, startServer, type TestDatabase, type TestServer } from "../support/postgres.ts";
import { until } from "../support/until.ts";

let server: TestServer;
let pod: DatabasePod;
let admin: pg.Client;
let database: TestDatabase;
let settings: ProgramSettings;

beforeAll(async () => {
  server = await startServer();
  pod = await startDatabasePod(server);
  admin = new pg.Client(server.admin);
  await admin.connect();
});

afterAll(async () => {
  await admin?.end();
  await pod?.stop();
  await server?.stop();
});

beforeEach(async () => {
  database = await server.database();
  await as(names.owner, (owner) => fillDatabase(owner, database.settings));
  settings = await pod.settings(database);
});

afterEach(async () => {
  const { rows } = await admin.query<{ datname: string }>(
    "select datname from pg_database where starts_with(datname, $1)",
    [`${database.name}_`],
  );
  for (const { datname } of rows) await admin.query(`drop database ${datname} with (force)`);
  await database.drop();
});

/** A connection for some statements: one that stays would be in the way of a restore. */
async function as<T>(login: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await database.connect(login);
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function succeeds<T>(...args: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await pod.run(settings, ...args, "--json");
  if (code !== 0) throw new Error(`${args.join(" ")} failed: ${stderr}`);
  return JSON.parse(stdout) as T;
}

async function refusalOf(...args: readonly string[]): Promise<string> {
  const { code, stderr } = await pod.run(settings, ...args);
  expect(code).toBe(1);
  return stderr;
}

/** Databases of this test by name, with their identity: a swapped one has another. */
async function databases(): Promise<Readonly<Record<string, string>>> {
  const { rows } = await admin.query<{ name: string; id: string }>(
    "select datname as name, oid::text as id from pg_database where starts_with(datname, $1) order by 1",
    [database.name],
  );
  return Object.fromEntries(rows.map(({ name, id }) => [name, id]));
}

const hashes = () => as("postgres", rowHashes);

async function operations() {
  const query = "select kind, succeeded, detail from database_operations order by id";
  return as("postgres", async (client) => (await client.query(query)).rows);
}

describe("a restore", () => {
  it("brings every row, every right and the bookkeeping back after the database was dropped", async () => {
    const before = await hashes();
    expect(before.tasks).toMatch(/^2000 /);
    const backup = await succeeds<BackupResult>("backup");
    await admin.query(`drop database ${database.name}`);
    const result = await succeeds<RestoreResult>("restore");
    expect(result).toEqual({
      file: backup.file,
      database: database.name,
      tables: 9,
      rows: 5_055,
      version: "001",
      ledger: { "000_base.sql": `expand ${"a".repeat(64)}`, "001_more.sql": `contract ${"b".repeat(64)}` },
      durationMs: expect.any(Number),
    });
    expect(await hashes()).toEqual(before);
    expect(await operations()).toMatchObject([
      { kind: "backup", succeeded: true, detail: { file: backup.file, bytes: backup.bytes } },
      { kind: "restore", succeeded: true, detail: { file: backup.file } },
    ]);
    await as(names.owner, async (owner) => {
      const { rows } = await owner.query(`
        select pg_get_userbyid(datdba) as owner,
          (select count(*)::int from pg_class c where relnamespace in ('public'::regnamespace, 'private'::regnamespace)
            and pg_get_userbyid(relowner) <> datname and pg_get_userbyid(relowner) <> pg_get_userbyid(datdba)) as others,
          has_database_privilege('public', datname, 'CONNECT') as everybody,
          has_schema_privilege('public', 'public', 'USAGE') as all_in_schema
        from pg_database where datname = current_database()`);
      expect(rows).toEqual([{ owner: names.owner, others: 0, everybody: false, all_in_schema: false }]);
      // Rights of tables that do not exist yet are in the copy, too.
      await owner.query("create table later (id integer); insert into later values (1)");
    });
    await as(names.applicationLogins.a, async (application) => {
      await application.query("begin");
      await application.query(`select set_config('request.jwt.claims', '{"sub":"user-7"}', true)`);
      const count = async (from: string) =>
        (await application.query(`select count(*)::int as n from ${from}`)).rows[0]?.n;
      expect([await count("tasks"), await count("my_tasks"), await count("later")]).toEqual([40, 40, 1]);
      await application.query("insert into tasks (owner_id, title) select id, 'after the restore' from users");
      await application.query("commit");
      expect(await count("tasks")).toBe(0);
      await expect(application.query("truncate tasks")).rejects.toMatchObject({ code: "42501" });
      await expect(application.query("delete from audit_log")).rejects.toMatchObject({ code: "42501" });
      await expect(application.query("select * from schema_migrations")).rejects.toMatchObject({ code: "42501" });
    });
    // What could be backed up before can be again.
    await succeeds("backup");
  });

  it("puts the newest backup in the place of a database, and keeps what was there under a name that it tells", async () => {
    await succeeds("backup");
    const good = await hashes();
    await as(names.owner, async (owner) => {
      await owner.query("update tasks set title = 'spoilt'");
      await owner.query("drop table events");
    });
    const spoilt = await hashes();
    const { previous = "", dropPrevious = "" } = await succeeds<RestoreResult>("restore");
    expect(previous).toMatch(new RegExp(`^${database.name}_before_\\d{14}$`));
    expect(await hashes()).toEqual(good);
    expect(Object.keys(await databases())).toEqual([database.name, previous]);
    const old = new pg.Client({ ...server.admin, ...(await connectionTo(previous)) });
    await old.connect();
    expect(await rowHashes(old)).toEqual(spoilt);
    await old.end();
    await admin.query(dropPrevious);
    expect(Object.keys(await databases())).toEqual([database.name]);
  });

  it("takes the backup that is named, and lists which there are", async () => {
    const first = await succeeds<BackupResult>("backup");
    const before = await hashes();
    await as(names.owner, (owner) => owner.query("delete from tasks where id > 10"));
    await succeeds("backup");
    const name = first.file.replace(".dump.enc", "");
    const { backups } = await succeeds<{ backups: readonly { name: string }[] }>("restore", "--list");
    expect(backups).toMatchObject([
      { name: expect.any(String), whole: true, rows: 5_055 - 1_990 + 1 },
      { name, whole: true, version: "001", bytes: first.bytes, rows: first.rows },
    ]);
    expect(await refusalOf("restore", "taskflow-1")).toContain(
      `no backup taskflow-1 of ${database.name} in ${settings.backup.directory}: there are ${backups[0]?.name}, ${name}`,
    );
    await succeeds("restore", name);
    expect(await hashes()).toEqual(before);
  });

  it.each([
    [
      "cut short",
      (file: string) => `truncate -s -1 ${file}`,
      /the backup .*\.dump\.enc has \d+ bytes instead of \d+: it was cut short or changed/,
    ],
    [
      "changed in one bit",
      (file: string) =>
        `byte=$(dd if=${file} bs=1 skip=30000 count=1 status=none | od -An -tu1); printf "\\\\x$(printf %x $((byte ^ 1)))" | dd of=${file} bs=1 seek=30000 conv=notrunc status=none`,
      /the backup .*\.dump\.enc was cut short or changed: byte 41 and what follows are not what was written/,
    ],
    [
      "missing, but for its manifest",
      (file: string) => `rm ${file}`,
      /the backup .*\.dump\.enc is missing; there are .* \(damaged\)/,
    ],
    [
      "beside a changed manifest",
      (file: string) => `sed -i 's/"rows": 2000/"rows": 2001/' ${file.replace(".dump.enc", ".json")}`,
      /the manifest .*\.json was cut short or changed, or was signed with another key/,
    ],
    [
      "of another key",
      (_: string, key: string) => `printf 'k%.0s' {1..64} > ${key}`,
      /the manifest .*\.json was cut short or changed, or was signed with another key than the one in .*\/key/,
    ],
  ])("of a backup that is %s is refused by name, before anything is touched", async (_, harm, message) => {
    const { file } = await succeeds<BackupResult>("backup");
    const before = { databases: await databases(), hashes: await hashes() };
    const { directory, key } = settings.backup;
    expect(await pod.shell(settings, harm(`${directory}/${file}`, key))).toMatchObject({ code: 0, stderr: "" });
    const { code, stdout, stderr } = await pod.run(settings, "restore", file);
    expect([code, stderr]).toEqual([1, expect.stringMatching(message)]);
    expect(stdout).not.toContain("new database");
    expect({ databases: await databases(), hashes: await hashes() }).toEqual(before);
  });

  it("does not fall back to an older backup without a word when the newest is damaged", async () => {
    const older = await succeeds<BackupResult>("backup");
    const newest = await succeeds<BackupResult>("backup");
    const { directory } = settings.backup;
    await pod.shell(settings, `printf x | dd of=${directory}/${newest.file} bs=1 seek=20000 conv=notrunc status=none`);
    expect(await refusalOf("restore")).toContain(`the backup ${directory}/${newest.file} was cut short or changed`);
    expect(await refusalOf("drill")).toContain(`the backup ${directory}/${newest.file} was cut short or changed`);
    await pod.shell(settings, `truncate -s 100 ${directory}/${newest.file}`);
    // A file of the wrong size is no backup, and the list says so.
    expect((await pod.run(settings, "restore", "--list", "--json")).stdout).toContain('"whole":false');
    expect(await succeeds<RestoreResult>("restore")).toMatchObject({ file: older.file });
  });

  it("onto a database that is in use is refused with whose sessions they are, and changes nothing", async () => {
    await succeeds("backup");
    const before = await databases();
    const sessions = [
      await database.connect(names.applicationLogins.a),
      await database.connect(names.applicationLogins.a),
      await database.connect(names.readOnly),
    ];
    expect(await refusalOf("restore")).toContain(
      `the database ${database.name} is in use by 3 sessions: 2 of taskflow_app_a; 1 of taskflow_readonly. Nothing was changed.`,
    );
    expect(await databases()).toEqual(before);
    for (const session of sessions) await session.end();
    await succeeds("restore");
  });

  it("is refused in the end, with the database as it was, when somebody connects while the copy is made", async () => {
    await succeeds("backup");
    const before = await databases();
    const restoring = pod.run(settings, "restore");
    await until("the copy", async () => Object.keys(await databases()).length === 2, 60, 5);
    const session = await database.connect(names.applicationLogins.b);
    expect(await restoring).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(
        `the database ${database.name} is in use by 1 session: 1 of taskflow_app_b. Nothing was changed.`,
      ),
    });
    expect(await databases()).toEqual(before);
    await session.end();
  });

  it("of a copy that is not what was backed up fails by table, with the database as it was; so does the drill", async () => {
    await forgeBackup();
    const before = { databases: await databases(), hashes: await hashes() };
    const wrong = [
      "public.audit_log has 2000 rows, the backup has 2001",
      "public.tasks has 2000 rows, the backup has 2001",
    ];
    for (const line of wrong) {
      expect(await refusalOf("restore")).toContain(line);
      expect(await refusalOf("drill")).toContain(line);
    }
    expect({ databases: await databases(), hashes: await hashes() }).toEqual(before);
  });

  it("that is told to stop, or that pg_restore cannot finish, leaves the database as it was and no copy", async () => {
    await succeeds("backup");
    const before = { databases: await databases(), hashes: await hashes() };
    const broken = await pod.withTool(settings, "pg_restore", "echo 'pg_restore: error: disk on fire' >&2; exit 1");
    expect(await pod.run(broken, "restore")).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /pg_restore of .* into .*_restore_\d{14} failed \(exit code 1\):\npg_restore: error: disk on fire/,
      ),
    });
    expect({ databases: await databases(), hashes: await hashes() }).toEqual(before);
    const slow = await pod.withTool(settings, "pg_restore", "exec sleep 600");
    const stopped = pod.shell(slow, `$program restore & echo $! > ${settings.work}/pid; wait $!`);
    await until("the copy", async () => Object.keys(await databases()).length === 2);
    await pod.shell(settings, `kill -TERM $(cat ${settings.work}/pid)`);
    expect(await stopped).toMatchObject({ code: 143 });
    expect({ databases: await databases(), hashes: await hashes() }).toEqual(before);
  });
});

describe("the programs of a stack", () => {
  it("check, back up and migrate an empty database, seed it, and restore it after it was dropped so that verify holds", async () => {
    await database.drop();
    database = await server.database();
    settings = await pod.settings(database);
    expect(await succeeds("check")).toEqual({ files: expect.any(Number) });
    const { file, bytes } = await succeeds<BackupResult>("backup");
    // What a pod's first container backed up is what its last one tells.
    expect(await succeeds("migrate")).toMatchObject({ version: expect.any(String), backup: { file, bytes } });
    await succeeds("seed");
    const status = await succeeds<{ version: string; applied: number }>("status");
    const before = await hashes();
    expect(await succeeds("backup")).toMatchObject({ version: status.version });
    expect(await succeeds("drill")).toMatchObject({ tables: Object.keys(before).length + 1 });
    await admin.query(`drop database ${database.name}`);
    const { ledger } = await succeeds<RestoreResult>("restore");
    expect(Object.keys(ledger)).toHaveLength(status.applied);
    expect(await hashes()).toEqual(before);
    const { ok, rows } = await succeeds<{ ok: boolean; rows: readonly { ok: boolean }[] }>("verify");
    expect([ok, rows.filter((row) => !row.ok)]).toEqual([true, []]);
    expect(await succeeds("migrate", "--dry-run")).toMatchObject({ pending: [], applied: {} });
  });

  it("that find something wanting tell it whole, with exit code 1", async () => {
    const { code, stdout } = await pod.run(settings, "verify", "--json");
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false });
  });
});

describe("a restore drill", () => {
  it("finds every row of the newest backup in a scratch server, and monitoring sees it over HTTP", async () => {
    const backup = await succeeds<BackupResult>("backup");
    expect(await scrape()).toEqual({ ...migrated, ...backupSeries(backup) });
    const drill = await succeeds<DrillResult>("drill");
    expect(drill).toEqual({
      file: backup.file,
      tables: 9,
      rows: 5_055,
      durationMs: expect.any(Number),
      lagSeconds: expect.any(Number),
    });
    const series = await scrape();
    expect(series).toEqual({
      ...migrated,
      ...backupSeries(backup),
      restore_drill_last_success_timestamp_seconds: expect.any(Number),
      restore_drill_duration_seconds: drill.durationMs / 1000,
      restore_drill_lag_seconds: drill.lagSeconds,
    });
    expect(series.restore_drill_last_success_timestamp_seconds).toBeGreaterThanOrEqual(
      series.backup_last_success_timestamp_seconds ?? Number.NaN,
    );
    // The scratch server is gone with all its files.
    expect(
      (await pod.shell(settings, `ls ${settings.work}; grep -ls "${settings.work}/[s]cratch-" /proc/[0-9]*/cmdline`))
        .stdout,
    ).not.toMatch(/scratch|cmdline/);
  });

  it("that fails is recorded, ends with exit code 1, and leaves the last success as it was", async () => {
    await succeeds("backup");
    await succeeds("drill");
    const before = await scrape();
    await forgeBackup();
    expect(await refusalOf("drill")).toContain("is not what was backed up");
    const { restore_drill_last_success_timestamp_seconds: at } = before;
    expect(await scrape()).toMatchObject({ restore_drill_last_success_timestamp_seconds: at });
    expect((await operations()).at(-1)).toMatchObject({
      kind: "drill",
      succeeded: false,
      detail: { problem: expect.stringContaining("public.tasks has 2000 rows, the backup has 2001") },
    });
  });

  it("without any backup fails and says so", async () => {
    expect(await refusalOf("drill")).toContain(
      `no good backup of ${database.name} in ${settings.backup.directory}: there is none`,
    );
    expect(await operations()).toMatchObject([{ kind: "drill", succeeded: false }]);
  });

  it("is answered for by metrics when the database cannot be reached: database_up is 0", async () => {
    await admin.query(`alter database ${database.name} rename to ${database.name}_away`);
    expect(await scrape()).toEqual({ database_up: 0 });
  });
});

/** What is told of the database of the fixture, whose ledger has two rows. */
const migrated = {
  database_up: 1,
  database_migrations_applied: 2,
  database_first_migration_timestamp_seconds: Date.parse("2026-01-01T00:00:00Z") / 1000,
};

const backupSeries = ({ bytes }: BackupResult) => ({
  backup_last_success_timestamp_seconds: expect.any(Number),
  backup_size_bytes: bytes,
});

/** What the metrics program answers over HTTP, by name; every series is of this database. */
async function scrape(): Promise<Readonly<Record<string, number>>> {
  const ask = `
    const answer = async () => {
      for (;;) {
        try { return await fetch("http://127.0.0.1:9188/metrics"); }
        catch { await new Promise((resolve) => setTimeout(resolve, 50)); }
      }
    };
    process.stdout.write(await (await answer()).text());`;
  const { stdout, stderr } = await pod.shell(
    settings,
    `$program metrics >&2 & pid=$!; $node --input-type=module -e '${ask}'; kill $pid; wait $pid`,
  );
  const lines = stdout.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  if (lines.length === 0) throw new Error(`no metrics: ${stderr}`);
  return Object.fromEntries(
    lines.map((line) => {
      const [, name = "", of, value] = /^(\w+)\{database="(.*)"\} (\S+)$/.exec(line) ?? [];
      expect(of).toBe(database.name);
      return [name, Number(value)];
    }),
  );
}

/** Leaves a newest backup whose dump lacks a row that the database had: pg_dump lost it, and said that all was well. */
async function forgeBackup(): Promise<void> {
  const dump = (script: string) =>
    pod.withTool(settings, "pg_dump", `[ "$1" = --version ] && exec $real --version\n${script}`);
  const backup = async (given: ProgramSettings) => expect(await pod.run(given, "backup")).toMatchObject({ code: 0 });
  const kept = `${settings.work}/kept.dump`;
  await backup(await dump(`$real "$@" | tee ${kept}`));
  await as(names.owner, (owner) => owner.query("insert into tasks (owner_id, title) values (1, 'lost')"));
  await backup(await dump(`cat ${kept}`));
}

async function connectionTo(name: string): Promise<pg.ClientConfig> {
  const { host, port } = database.settings.server;
  const { connectionString } = server.admin;
  return connectionString === undefined
    ? { host, port, database: name }
    : { connectionString: connectionString.replace(/\/[^/]*$/, `/${name}`) };
}
