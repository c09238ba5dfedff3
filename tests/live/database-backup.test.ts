import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { BackupResult } from "../../programs/database/backup/backup.ts";
import type { ProgramSettings } from "../../programs/database/settings.ts";
import { addAttachments, fillDatabase } from "../support/backup-fixture.ts";
import { type DatabasePod, startDatabasePod } from "../support/database-pod.ts";
import { names, startServer, type TestDatabase, type TestServer } from "../support/postgres.ts";
import { until } from "../support/until.ts";

let server: TestServer;
let pod: DatabasePod;
let admin: pg.Client;
let database: TestDatabase;
let owner: pg.Client;
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
  owner = await database.connect(names.owner);
  await fillDatabase(owner, database.settings);
  settings = await pod.settings(database);
});

afterEach(async () => {
  await database.drop();
});

async function backedUp(given: ProgramSettings = settings): Promise<BackupResult> {
  const { code, stdout, stderr } = await pod.run(given, "backup", "--json");
  if (code !== 0) throw new Error(`the backup failed: ${stderr}`);
  return JSON.parse(stdout) as BackupResult;
}

/** What a program said that failed, without its first line, which names the database. */
async function refusalOf(given: ProgramSettings, ...args: readonly string[]): Promise<string> {
  const { code, stderr } = await pod.run(given, ...args);
  expect(code).toBe(1);
  return stderr;
}

/** Every file of the backup directory with its checksum. */
async function files(directory = settings.backup.directory): Promise<string> {
  return (await pod.shell(settings, `cd ${directory} && find . -type f | sort | xargs -r sha256sum`)).stdout;
}

async function operations() {
  const { rows } = await owner.query("select kind, succeeded, detail from database_operations order by id");
  return rows;
}

/** A pg_dump that does something else; it still says its version. */
const withDump = (script: string) =>
  pod.withTool(settings, "pg_dump", `[ "$1" = --version ] && exec $real --version\n${script}`);

describe("a backup", () => {
  it("is an encrypted file with every row of every table, is recorded, and says what it holds", async () => {
    const result = await backedUp();
    expect(result).toEqual({
      file: expect.stringMatching(new RegExp(`^${database.name}-\\d{8}T\\d{6}Z\\.dump\\.enc$`)),
      bytes: expect.any(Number),
      version: "001",
      tables: 9,
      // Its own marker is one of them.
      rows: 5_055,
      durationMs: expect.any(Number),
    });
    expect(await operations()).toEqual([{ kind: "backup", succeeded: true, detail: result }]);
    const { directory } = settings.backup;
    const name = result.file.replace(".dump.enc", "");
    expect((await pod.shell(settings, `ls ${directory}`)).stdout).toBe(`${name}.dump.enc\n${name}.json\n`);
    // Neither the archive's own head nor a name of a table can be read; nobody but the program's user may open it.
    const { stdout } = await pod.shell(
      settings,
      `grep -c -a -e PGDMP -e attachments ${directory}/${result.file}; stat -c %a ${directory}/*; cat ${settings.report}`,
    );
    expect(stdout).toBe(`0\n600\n600\n${JSON.stringify(result)}`);
  });

  it("of an empty database is taken, too, and leaves no record where there is no table for it", async () => {
    const empty = await server.database();
    try {
      const result = await backedUp(await pod.settings(empty));
      expect(result).toMatchObject({ version: null, tables: 0, rows: 0 });
    } finally {
      await empty.drop();
    }
  });

  it("sees every row although row level security binds the owner, and without BYPASSRLS fails instead of taking a part (check 22)", async () => {
    await backedUp();
    const before = await files();
    await admin.query(`alter role ${names.backup} nobypassrls`);
    try {
      expect(await refusalOf(settings, "backup")).toContain(
        'query would be affected by row-level security policy for table "',
      );
    } finally {
      await admin.query(`alter role ${names.backup} bypassrls`);
    }
    expect(await files()).toBe(before);
    // The owner, too, when it is bound as others are: no part of the rows.
    await admin.query(`alter role ${names.owner} nobypassrls`);
    try {
      const asOwner = { ...settings, logins: { ...settings.logins, backup: names.owner } };
      expect(await refusalOf(asOwner, "backup")).toContain("row-level security policy");
    } finally {
      await admin.query(`alter role ${names.owner} bypassrls`);
    }
  });

  it("that pg_dump cannot finish leaves nothing, says why, and keeps every earlier backup", async () => {
    await backedUp();
    const before = await files();
    const broken = await withDump('echo PGDMP; echo "got: $*" >&2; exit 3');
    const said = await refusalOf(broken, "backup");
    expect(said).toContain(
      `pg_dump of ${database.name} on ${settings.server.host}:${settings.server.port} failed (exit code 3):\ngot: --format=custom`,
    );
    expect(await files()).toBe(before);
    // No process list shows the password: it is not among the arguments.
    const { stdout: password } = await pod.shell(settings, `cat ${settings.passwords}/${names.backup}`);
    expect(password.length).toBeGreaterThan(20);
    expect(said).not.toContain(password.trim());
    expect(await operations()).toMatchObject([
      { succeeded: true },
      { succeeded: false, detail: { problem: expect.stringContaining("failed (exit code 3)") } },
    ]);
  });

  it("that pg_restore cannot read is none, whatever pg_dump said", async () => {
    const broken = await withDump("echo no archive");
    expect(await refusalOf(broken, "backup")).toMatch(
      /pg_restore, reading the whole backup .*\.dump\.enc\.part, failed/,
    );
    expect(await files()).toBe("");
  });

  it("is refused by a pg_dump that is older than the server", async () => {
    const old = await pod.withTool(settings, "pg_dump", 'echo "pg_dump (PostgreSQL) 13.4"');
    expect(await refusalOf(old, "backup")).toMatch(
      /pg_dump is of PostgreSQL 13, too old for the server .*, which is \d+; run this program in an image of PostgreSQL \d+ or newer/,
    );
  });

  it("without space says so, leaves nothing of itself, and keeps the one before", async () => {
    const { path, mebibytes } = pod.small;
    const onSmall = { ...settings, backup: { ...settings.backup, directory: path } };
    await backedUp(onSmall);
    const before = await files(path);
    await addAttachments(owner, mebibytes + 1, 1_024);
    expect(await refusalOf(onSmall, "backup")).toMatch(
      new RegExp(
        `no space left for a backup of ${database.name} in ${path}: \\d+ of ${mebibytes * 2 ** 20} bytes are free; enlarge the volume`,
      ),
    );
    expect(await files(path)).toBe(before);
  });

  it("that is less than half of the one before is refused, unless the settings allow it (S4-46)", async () => {
    await addAttachments(owner, 1, 300);
    const large = await backedUp();
    const before = await files();
    await owner.query("delete from attachments");
    expect(await refusalOf(settings, "backup")).toMatch(
      new RegExp(
        `the backup of ${database.name} has \\d+ bytes, less than 50 % of the ${large.bytes} bytes of .*/${large.file}; find out what is missing`,
      ),
    );
    expect(await files()).toBe(before);
    const small = await backedUp({ ...settings, backup: { ...settings.backup, leastPercentOfPrevious: 0 } });
    expect(small.bytes).toBeLessThan(large.bytes / 2);
  });

  it("removes the oldest when there are more than are kept", async () => {
    const keepTwo = { ...settings, backup: { ...settings.backup, keep: 2 } };
    const made = [await backedUp(keepTwo), await backedUp(keepTwo), await backedUp(keepTwo)];
    const kept = made.slice(1).flatMap(({ file }) => [file, file.replace(".dump.enc", ".json")]);
    expect((await pod.shell(settings, `ls ${settings.backup.directory}`)).stdout.trim().split("\n")).toEqual(kept);
  });

  it("waits for another one of the same database, and both are good", async () => {
    const { stdout } = await pod.shell(
      settings,
      "$program backup --json & one=$!; $program backup --json & other=$!; wait $one && wait $other && echo both",
    );
    expect(stdout.trim().split("\n").at(-1)).toBe("both");
    expect((await pod.shell(settings, `ls ${settings.backup.directory} | wc -l`)).stdout.trim()).toBe("4");
  });

  it("that is told to stop leaves nothing but the record that it was stopped, and the next removes what a killed one left", async () => {
    await owner.query("begin");
    await owner.query("lock table tasks in access exclusive mode");
    const waits = async () => {
      const { rows } = await admin.query(
        "select 1 from pg_stat_activity where datname = $1 and usename = $2 and wait_event_type = 'Lock'",
        [database.name, names.backup],
      );
      return rows.length > 0;
    };
    const stopped = pod.shell(settings, `$program backup & echo $! > ${settings.work}/pid; wait $!`);
    await until("the backup at the lock", waits);
    await pod.shell(settings, `kill -TERM $(cat ${settings.work}/pid)`);
    expect(await stopped).toMatchObject({
      code: 143,
      stderr: expect.stringContaining("stopped by SIGTERM: putting back what is half done\n"),
    });
    await owner.query("rollback");
    expect(await files()).toBe("");
    expect(await operations()).toEqual([
      { kind: "backup", succeeded: false, detail: { problem: "stopped before its end" } },
    ]);
    const part = `${database.name}-20260101T000000Z.dump.enc.part`;
    await pod.shell(settings, `touch ${settings.backup.directory}/${part}`);
    const { stdout } = await pod.run(settings, "backup");
    expect(stdout).toContain(`removed ${part}, which a killed backup had left`);
    expect(await files()).not.toContain(".part");
  });

  it.each([
    [
      "a key that is too short",
      "echo -n abc > $KEY",
      /the backup key .*\/key has 3 characters; 64 or more are needed, letters and digits only/,
    ],
    ["no key", "rm $KEY", /cannot read the backup key .*\/key: ENOENT/],
    [
      "no directory",
      "rmdir $BACKUPS",
      /cannot read the backup directory .*\/backups: ENOENT.*; is its volume mounted\?/,
    ],
    ["a directory that is read-only", "chmod 500 $BACKUPS", /cannot write a backup to .*\/backups: EACCES/],
    [
      "another password",
      "echo -n wrong > $PASSWORD",
      /the server .* refused the login taskflow_backup: password authentication failed/,
    ],
  ])("is refused with %s, by name", async (_, harm, message) => {
    const places = `KEY=${settings.backup.key}; BACKUPS=${settings.backup.directory}; PASSWORD=${settings.passwords}/${names.backup}`;
    await pod.shell(settings, `${places}; ${harm}`);
    expect(await refusalOf(settings, "backup")).toMatch(message);
  });
});
