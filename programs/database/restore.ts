import { join } from "node:path";
import pg from "pg";
import { afterwards } from "./afterwards.ts";
import { totalRows } from "./backup/fingerprint.ts";
import { type BackupKey, readKey } from "./backup/key.ts";
import { compareCopy, loadBackup } from "./backup/load.ts";
import type { Manifest } from "./backup/manifest.ts";
import { proveBytes } from "./backup/prove.ts";
import { chooseBackup, storedBackups } from "./backup/store.ts";
import { connect } from "./connection.ts";
import { explaining, sqlState } from "./database-error.ts";
import { accessTo } from "./postgres.ts";
import { Problem } from "./problem.ts";
import { connectStatements } from "./scratch.ts";
import type { ProgramSettings } from "./settings.ts";

export interface RestoreOptions {
  /** Name of a backup or of its file. Default: the newest good one. */
  readonly name?: string | undefined;
}

export interface RestoreResult {
  /** The backup's file. */
  readonly file: string;
  readonly database: string;
  /** The database as it was before, under a new name; absent when there was none. */
  readonly previous?: string;
  /** The statement that removes it. */
  readonly dropPrevious?: string;
  readonly tables: number;
  readonly rows: number;
  /** Newest version in schema_migrations; null when the backup is older than the first migration. */
  readonly version: string | null;
  /** The migrations that it has: "<phase> <checksum>" by file name, as the stack's record of the schema has them. */
  readonly ledger: Readonly<Record<string, string>>;
  readonly durationMs: number;
}

/** The database that every server has: another one is renamed from there. */
const maintenance = "postgres";
const longestName = 63;
const quoted = pg.escapeIdentifier;

/**
 * Puts a backup in the database's place: loaded into a new database beside it, compared row by row, then swapped by
 * renames. A failure leaves the database as it was; a success keeps it, under another name.
 * @throws Problem that names the backup, or who uses the database.
 */
export async function restore(
  settings: ProgramSettings,
  log: (line: string) => void,
  { name }: RestoreOptions = {},
): Promise<RestoreResult> {
  const started = performance.now();
  const key = await readKey(settings.backup.key);
  const manifest = await chooseBackup(settings, key, name);
  const path = join(settings.backup.directory, manifest.file);
  log(`reading ${path}`);
  await proveBytes(path, key, manifest.sha256);

  const { migrator } = settings.logins;
  const { host, port } = settings.server;
  const what = `the restore of ${settings.database} on ${host}:${port}`;
  const admin = await connect(settings, { login: migrator, database: maintenance, name: "golive restore" });
  return await afterwards(
    () => admin.end(),
    () =>
      explaining(what, async () => {
        await takeTurn(admin, settings);
        await requireUnused(admin, settings);
        const names = namesAt(settings.database, new Date());
        const { previous, ledger } = await load(settings, { admin, key, manifest, names, log });
        log(`${settings.database} is the copy of ${manifest.file} now`);
        if (previous) log(`the database as it was before is ${names.before}; to remove it: ${dropStatement(names)}`);
        return {
          file: manifest.file,
          database: settings.database,
          ...(previous ? { previous: names.before, dropPrevious: dropStatement(names) } : {}),
          tables: Object.keys(manifest.tables).length,
          rows: totalRows(manifest.tables),
          version: manifest.version,
          ledger,
          durationMs: Math.round(performance.now() - started),
        };
      }),
  );
}

/** A backup as `restore --list` shows it. */
export interface ListedBackup {
  readonly name: string;
  /** False: its file or its manifest is missing, cut short or changed. */
  readonly whole: boolean;
  /** Of a whole one: when it was finished (ISO 8601, UTC), its size, what it holds. */
  readonly finishedAt?: string;
  readonly version?: string | null;
  readonly bytes?: number;
  readonly rows?: number;
}

/** The backups there are, newest first. @throws Problem when the directory or the key cannot be read. */
export async function listBackups(settings: ProgramSettings): Promise<{ readonly backups: readonly ListedBackup[] }> {
  const key = await readKey(settings.backup.key);
  const stored = await storedBackups(settings, key);
  return {
    backups: stored.map(({ name, manifest }) =>
      manifest === undefined
        ? { name, whole: false }
        : {
            name,
            whole: true,
            finishedAt: manifest.finishedAt,
            version: manifest.version,
            bytes: manifest.bytes,
            rows: totalRows(manifest.tables),
          },
    ),
  };
}

interface Names {
  /** The copy, until it takes the database's place. */
  readonly copy: string;
  /** The database as it was, afterwards. */
  readonly before: string;
}

function namesAt(database: string, at: Date): Names {
  const time = at.toISOString().replace(/\D/g, "").slice(0, 14);
  const names = { copy: `${database}_restore_${time}`, before: `${database}_before_${time}` };
  // PostgreSQL cuts a longer name without a word, and two names could become one.
  if (Buffer.byteLength(names.copy) <= longestName) return names;
  throw new Problem(
    `the name of the database ${database} is too long for a restore beside it: ${names.copy} has more than ${longestName} bytes`,
  );
}

const dropStatement = ({ before }: Names) => `drop database ${quoted(before)}`;

interface Work {
  readonly admin: pg.Client;
  readonly key: BackupKey;
  readonly manifest: Manifest;
  readonly names: Names;
  readonly log: (line: string) => void;
}

interface Loaded {
  /** Whether there was a database before. */
  readonly previous: boolean;
  readonly ledger: RestoreResult["ledger"];
}

/** Makes the copy and puts it in the database's place. */
async function load(settings: ProgramSettings, { admin, key, manifest, names, log }: Work): Promise<Loaded> {
  const { copy } = names;
  await createDatabase(admin, manifest, copy);
  // After the swap no database has this name any more.
  const undo = async () => {
    await dropCopy(settings, copy);
  };
  return await afterwards(undo, async () => {
    log(`restoring into the new database ${copy}`);
    const access = await accessTo(settings, settings.logins.migrator, copy);
    await loadBackup(settings, { manifest, key, access, into: copy });
    const ledger = await finishCopy(settings, manifest, copy);
    for (const statement of connectStatements(settings, copy)) await admin.query(statement);
    return { previous: await swap(admin, settings, names), ledger };
  });
}

async function createDatabase(admin: pg.Client, manifest: Manifest, name: string): Promise<void> {
  const { encoding, collate, ctype } = manifest.locale;
  await admin.query(
    `create database ${quoted(name)} template template0 encoding ${pg.escapeLiteral(encoding)}
      lc_collate ${pg.escapeLiteral(collate)} lc_ctype ${pg.escapeLiteral(ctype)}`,
  );
}

/** On a connection of its own: the other one may be in the middle of something when this process is told to stop. */
async function dropCopy(settings: ProgramSettings, copy: string): Promise<void> {
  const client = await connect(settings, { login: settings.logins.migrator, database: maintenance });
  try {
    await client.query(`drop database if exists ${quoted(copy)} with (force)`);
  } finally {
    await client.end();
  }
}

/** Compares the copy, and writes into it what happened: its backup succeeded, and it was restored. Its ledger comes back. */
async function finishCopy(
  settings: ProgramSettings,
  manifest: Manifest,
  copy: string,
): Promise<RestoreResult["ledger"]> {
  const client = await connect(settings, { login: settings.logins.migrator, database: copy, name: "golive restore" });
  try {
    await compareCopy(client, manifest, copy);
    // Without statistics the first queries would be slow ones.
    await client.query("analyze");
    if (manifest.marker !== null) await recordRestore(client, manifest, manifest.marker);
    return manifest.version === null ? {} : await readLedger(client);
  } finally {
    await client.end();
  }
}

async function recordRestore(client: pg.Client, { file, bytes, version, finishedAt }: Manifest, marker: string) {
  // In the copy the backup that it was made from is still under way.
  await client.query(
    `update public.database_operations set finished_at = $2, succeeded = true, detail = $3::jsonb where id = $1`,
    [marker, finishedAt, JSON.stringify({ file, bytes, version })],
  );
  await client.query(
    `insert into public.database_operations (kind, started_at, finished_at, succeeded, detail)
      values ('restore', clock_timestamp(), clock_timestamp(), true, $1::jsonb)`,
    [JSON.stringify({ file })],
  );
}

async function readLedger(client: pg.Client): Promise<RestoreResult["ledger"]> {
  const { rows } = await client.query<{ name: string; phase: string; checksum: string }>(
    "select name, phase, checksum from public.schema_migrations order by version",
  );
  return Object.fromEntries(rows.map(({ name, phase, checksum }) => [name, `${phase} ${checksum}`]));
}

/** In one transaction: there is always a database of that name, the old one or the new one. */
async function swap(admin: pg.Client, settings: ProgramSettings, { copy, before }: Names): Promise<boolean> {
  const { database } = settings;
  const { rows } = await admin.query("select 1 from pg_database where datname = $1", [database]);
  const exists = rows.length > 0;
  try {
    await admin.query("begin");
    if (exists) await admin.query(`alter database ${quoted(database)} rename to ${quoted(before)}`);
    await admin.query(`alter database ${quoted(copy)} rename to ${quoted(database)}`);
    await admin.query("commit");
    return exists;
  } catch (error) {
    await admin.query("rollback");
    // 55006: somebody connected while the copy was made.
    if (sqlState(error) === "55006") await requireUnused(admin, settings, "all");
    throw error;
  }
}

async function takeTurn(admin: pg.Client, { database }: ProgramSettings): Promise<void> {
  const { rows } = await admin.query<{ ours: boolean }>(
    "select pg_try_advisory_lock(hashtext('golive restore'), hashtext($1)) as ours",
    [database],
  );
  if (rows[0]?.ours === true) return;
  throw new Problem(
    `another restore of ${database} is under way: wait for its end, or end its session "golive restore"`,
  );
}

/**
 * What is written to the database while the copy is made would be lost.
 * @throws Problem that says how many sessions there are, and of whom. The exporter's last for milliseconds: they count
 * only when they were in the way.
 */
async function requireUnused(
  admin: pg.Client,
  { database, logins }: ProgramSettings,
  which: "all" | "lasting" = "lasting",
): Promise<void> {
  const { rows } = await admin.query<{ login: string; sessions: number; names: string }>(
    `select usename as login, count(*)::int as sessions,
        coalesce(string_agg(distinct nullif(application_name, ''), ', '), '') as names
      from pg_stat_activity
      where datname = $1 and pid <> pg_backend_pid() and usename is not null and ($2 or usename <> $3)
      group by usename order by usename`,
    [database, which === "all", logins.exporter],
  );
  if (rows.length === 0) return;
  const total = rows.reduce((sum, { sessions }) => sum + sessions, 0);
  const whose = rows.map(({ login, sessions, names }) => `${sessions} of ${login}${names === "" ? "" : ` (${names})`}`);
  throw new Problem(
    `the database ${database} is in use by ${total} ${total === 1 ? "session" : "sessions"}: ${whose.join("; ")}. ` +
      "Nothing was changed. What they write during a restore would be lost: stop what uses it (scale the application to 0), then restore again",
  );
}
