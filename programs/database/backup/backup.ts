import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { open, rename, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";
import type pg from "pg";
import { afterwards } from "../afterwards.ts";
import { connect } from "../connection.ts";
import { explaining } from "../database-error.ts";
import { accessTo, runTool, toolMajor } from "../postgres.ts";
import { Problem } from "../problem.ts";
import type { ProgramSettings } from "../settings.ts";
import { seal } from "./archive.ts";
import { totalRows } from "./fingerprint.ts";
import { type BackupKey, readKey } from "./key.ts";
import { type Manifest, writeManifest } from "./manifest.ts";
import { recorded } from "./operations.ts";
import { proveBackup } from "./prove.ts";
import { takeSnapshot } from "./snapshot.ts";
import { backupName, expired, fileOf, newestBackup, removeBackup, removeParts, storedBackups } from "./store.ts";

export interface BackupResult {
  /** Name of the file in the backup directory. */
  readonly file: string;
  /** Its size, encrypted as it is. */
  readonly bytes: number;
  /** Newest version in schema_migrations; null before the first migration. */
  readonly version: string | null;
  readonly tables: number;
  readonly rows: number;
  readonly durationMs: number;
}

const waitMinutes = 15;

/**
 * Dumps the database, encrypted, to the backup directory, and proves the file before it counts (S0-13, S0-46, S4-45,
 * S4-46). A failure leaves nothing of it and every earlier backup; the oldest go when there are more than are kept.
 * @throws Problem that names the file, the directory or the host.
 */
export async function backup(settings: ProgramSettings, log: (line: string) => void): Promise<BackupResult> {
  const started = performance.now();
  const key = await readKey(settings.backup.key);
  // Asked first: a missing volume is said before the database is read.
  await storedBackups(settings, key);
  const { host, port } = settings.server;
  const what = `the backup of ${settings.database} on ${host}:${port}`;
  const client = await connect(settings, { login: settings.logins.backup, name: "golive backup" });
  return await afterwards(
    () => client.end(),
    async () => {
      await explaining(what, async () => {
        await requireTool(settings, client);
        await waitForTurn(client, settings, log);
      });
      for (const part of await removeParts(settings)) log(`removed ${part}, which a killed backup had left`);
      return await recorded(settings, "backup", async (marker) => {
        const manifest = await explaining(what, () => make(settings, key, client, marker, log));
        await removeOld(settings, key, log);
        const result = {
          file: manifest.file,
          bytes: manifest.bytes,
          version: manifest.version,
          tables: Object.keys(manifest.tables).length,
          rows: totalRows(manifest.tables),
          durationMs: Math.round(performance.now() - started),
        };
        log(`${result.file}: ${result.bytes} bytes, ${result.tables} tables, ${result.rows} rows`);
        return { result, detail: result };
      });
    },
  );
}

/** pg_dump reads servers of its own version and older ones. */
async function requireTool(settings: ProgramSettings, client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ major: number }>(
    "select current_setting('server_version_num')::int / 10000 as major",
  );
  const server = rows[0]?.major ?? 0;
  const tool = await toolMajor(settings, "pg_dump");
  if (tool >= server) return;
  const { host, port } = settings.server;
  throw new Problem(
    `pg_dump is of PostgreSQL ${tool}, too old for the server ${host}:${port}, which is ${server}; run this program in an image of PostgreSQL ${server} or newer`,
  );
}

/** One backup of a database at a time: a half-written file of another run is then a dead one. */
async function waitForTurn(client: pg.Client, settings: ProgramSettings, log: (line: string) => void): Promise<void> {
  const deadline = Date.now() + waitMinutes * 60_000;
  for (let waits = 0; ; waits += 1) {
    const { rows } = await client.query<{ ours: boolean }>(
      "select pg_try_advisory_lock(hashtext('golive'), hashtext('backup')) as ours",
    );
    if (rows[0]?.ours === true) return;
    if (waits === 0) log(`another backup of ${settings.database} is under way: waiting for its end`);
    if (Date.now() > deadline) {
      throw new Problem(
        `another backup of ${settings.database} has been under way for more than ${waitMinutes} minutes; look at its pod, or end its session "golive backup"`,
      );
    }
    await delay(1_000);
  }
}

/** From the snapshot to the file in its place. */
async function make(
  settings: ProgramSettings,
  key: BackupKey,
  client: pg.Client,
  marker: string | undefined,
  log: (line: string) => void,
): Promise<Manifest> {
  const { directory } = settings.backup;
  const { name, startedAt } = await freeName(settings, key);
  const path = join(directory, fileOf(name));
  const part = `${path}.part`;
  let inPlace = false;
  const undo = async () => {
    if (!inPlace) await removeBackup(directory, name);
    await removeParts(settings);
  };
  return await afterwards(undo, async () => {
    const snapshot = await takeSnapshot(client);
    log(`dumping ${Object.keys(snapshot.tables).length} tables of ${settings.database}`);
    const sha256 = await dump(settings, key, snapshot.id, part);
    await client.query("commit");
    const { bytes, tables: listed } = await proveBackup(settings, key, part, sha256);
    requireTables(part, listed, Object.keys(snapshot.tables).length);
    await requireSize(settings, key, bytes);
    const manifest: Manifest = {
      format: 1,
      name,
      database: settings.database,
      file: fileOf(name),
      bytes,
      sha256,
      startedAt: startedAt.toISOString(),
      finishedAt: new Date().toISOString(),
      marker: marker ?? null,
      version: snapshot.version,
      server: snapshot.server,
      locale: snapshot.locale,
      tables: snapshot.tables,
    };
    // The manifest first: a backup counts when both are there, and a file without a manifest would never be removed.
    await writing(settings, async () => {
      await writeManifest(directory, manifest, key);
      await rename(part, path);
      await syncDirectory(directory);
    });
    inPlace = true;
    return manifest;
  });
}

/** A name has the second in it: a backup that follows within the same one waits for the next. */
async function freeName(settings: ProgramSettings, key: BackupKey) {
  const taken = (await storedBackups(settings, key)).map(({ name }) => name);
  for (;;) {
    const startedAt = new Date();
    const name = backupName(settings.database, startedAt);
    if (!taken.includes(name)) return { name, startedAt };
    await delay(1_000 - startedAt.getMilliseconds());
  }
}

/** Runs pg_dump into an encrypted file that is on the disk on a return; its SHA-256 comes back. */
async function dump(settings: ProgramSettings, key: BackupKey, snapshot: string, path: string): Promise<string> {
  const digest = createHash("sha256");
  const counted = async function* (pieces: AsyncIterable<Buffer>) {
    for await (const piece of pieces) {
      digest.update(piece);
      yield piece;
    }
  };
  const { host, port } = settings.server;
  await writing(settings, async () => {
    await runTool(
      settings,
      "pg_dump",
      ["--format=custom", `--snapshot=${snapshot}`, "--no-password", "--lock-wait-timeout=60000"],
      {
        what: `pg_dump of ${settings.database} on ${host}:${port}`,
        access: await accessTo(settings, settings.logins.backup),
        output: (stdout: Readable) =>
          pipeline(
            stdout,
            (pieces: AsyncIterable<Buffer>) => seal(pieces, key),
            counted,
            createWriteStream(path, { flags: "wx", mode: 0o600, flush: true }),
          ),
      },
    );
  });
  return digest.digest("hex");
}

function requireTables(part: string, listed: number, expected: number): void {
  if (listed >= expected) return;
  throw new Problem(`the backup ${part} lists the data of ${listed} tables, and the database has ${expected}`);
}

/** S4-46: a backup that is much smaller than the one before has most likely lost something. */
async function requireSize(settings: ProgramSettings, key: BackupKey, bytes: number): Promise<void> {
  const { directory, leastPercentOfPrevious: least } = settings.backup;
  const previous = await newestBackup(settings, key);
  if (previous === undefined || bytes * 100 >= previous.bytes * least) return;
  throw new Problem(
    `the backup of ${settings.database} has ${bytes} bytes, less than ${least} % of the ${previous.bytes} bytes of ${join(directory, previous.file)}; ` +
      "find out what is missing, or, when that much was deleted on purpose, lower leastPercentOfPrevious for one backup",
  );
}

async function removeOld(settings: ProgramSettings, key: BackupKey, log: (line: string) => void): Promise<void> {
  const { directory, keep } = settings.backup;
  for (const name of expired(await storedBackups(settings, key), keep)) {
    await removeBackup(directory, name);
    log(`removed ${name}: ${keep} newer ones are kept`);
  }
}

/** Says which directory is full or read-only. */
async function writing<T>(settings: ProgramSettings, work: () => Promise<T>): Promise<T> {
  const { directory } = settings.backup;
  try {
    return await work();
  } catch (error) {
    const { code, message } = error instanceof Error ? (error as NodeJS.ErrnoException) : {};
    if (error instanceof Problem || code === undefined || !/^E[A-Z]+$/.test(code)) throw error;
    if (code !== "ENOSPC" && code !== "EDQUOT") {
      throw new Problem(`cannot write a backup to ${directory}: ${message}`, { cause: error });
    }
    const { bavail, blocks, bsize } = await statfs(directory);
    throw new Problem(
      `no space left for a backup of ${settings.database} in ${directory}: ${bavail * bsize} of ${blocks * bsize} bytes are free; enlarge the volume or keep fewer backups`,
      { cause: error },
    );
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
