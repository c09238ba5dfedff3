import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Problem } from "../problem.ts";
import type { ProgramSettings } from "../settings.ts";
import type { BackupKey } from "./key.ts";
import { type Manifest, readManifest } from "./manifest.ts";

/** A backup as it lies in the directory. */
export interface Stored {
  readonly name: string;
  /**
   * Undefined when it is damaged: the manifest is not as it was written, or the file is missing or of another size. Whether
   * the file's bytes are right shows only when they are read.
   */
  readonly manifest: Manifest | undefined;
}

/** `taskflow-20261121T130000Z`: names sort by time. */
export function backupName(database: string, at: Date): string {
  return `${database}-${at.toISOString().replace(/[-:]|\.\d+/g, "")}`;
}

export const fileOf = (name: string): string => `${name}.dump.enc`;

/** Every backup of the database, newest first. @throws Problem when the directory cannot be read. */
export async function storedBackups(settings: ProgramSettings, key: BackupKey): Promise<readonly Stored[]> {
  const names = (await list(settings)).flatMap((file) => nameOf(settings.database, file, ".json") ?? []);
  const found = names.map(async (name) => ({
    name,
    manifest: await wholeManifest(settings.backup.directory, name, key),
  }));
  return (await Promise.all(found)).sort((one, other) => (one.name < other.name ? 1 : -1));
}

async function wholeManifest(directory: string, name: string, key: BackupKey): Promise<Manifest | undefined> {
  try {
    const manifest = await readManifest(directory, name, key);
    const { size } = await stat(join(directory, manifest.file));
    return size === manifest.bytes ? manifest : undefined;
  } catch {
    // Choosing it by name says what is wrong with it; here it only does not count.
    return undefined;
  }
}

/** The newest backup that is whole; undefined when there is none. */
export async function newestBackup(settings: ProgramSettings, key: BackupKey): Promise<Manifest | undefined> {
  return (await storedBackups(settings, key)).find(({ manifest }) => manifest)?.manifest;
}

/**
 * The named backup, or the newest whole one.
 * @param name as the manifest's, or its file's name.
 * @throws Problem that says which there are, when there is none or not this one.
 */
export async function chooseBackup(settings: ProgramSettings, key: BackupKey, name?: string): Promise<Manifest> {
  const { directory } = settings.backup;
  const stored = await storedBackups(settings, key);
  const wanted = name?.replace(/\.(?:dump\.enc|json)$/, "") ?? stored.find(({ manifest }) => manifest)?.name;
  const there = stored.map((each) => (each.manifest ? each.name : `${each.name} (damaged)`)).join(", ");
  const inventory = there === "" ? "there is none" : `there are ${there}`;
  if (wanted === undefined) throw new Problem(`no good backup of ${settings.database} in ${directory}: ${inventory}`);
  if (!stored.some((each) => each.name === wanted)) {
    throw new Problem(`no backup ${wanted} of ${settings.database} in ${directory}: ${inventory}`);
  }
  const manifest = await readManifest(directory, wanted, key);
  const size = await sizeOf(join(directory, manifest.file));
  if (size === manifest.bytes) return manifest;
  const found =
    size === undefined ? "is missing" : `has ${size} bytes instead of ${manifest.bytes}: it was cut short or changed`;
  throw new Problem(`the backup ${join(directory, manifest.file)} ${found}; ${inventory}`);
}

async function sizeOf(path: string): Promise<number | undefined> {
  return await stat(path).then(
    ({ size }) => size,
    () => undefined,
  );
}

/**
 * The backups to be removed: all that are older than the `keep` newest whole ones. As long as there are fewer whole ones
 * than that, none is.
 * @param stored newest first.
 */
export function expired(stored: readonly Stored[], keep: number): readonly string[] {
  const whole = stored.filter(({ manifest }) => manifest);
  const oldestKept = whole[Math.max(keep, 1) - 1];
  return oldestKept ? stored.filter(({ name }) => name < oldestKept.name).map(({ name }) => name) : [];
}

/** Removes a backup's file, then its manifest: a file without one would never be removed. */
export async function removeBackup(directory: string, name: string): Promise<void> {
  await rm(join(directory, fileOf(name)), { force: true });
  await rm(join(directory, `${name}.json`), { force: true });
}

/** Removes what a killed backup of this database left half written. To be called while no other can run. */
export async function removeParts(settings: ProgramSettings): Promise<readonly string[]> {
  const parts = (await list(settings)).filter(
    (file) =>
      nameOf(settings.database, file, ".dump.enc.part") !== undefined ||
      nameOf(settings.database, file, ".json.part") !== undefined,
  );
  for (const part of parts) await rm(join(settings.backup.directory, part), { force: true });
  return parts;
}

async function list({ backup: { directory } }: ProgramSettings): Promise<readonly string[]> {
  return await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    throw new Problem(`cannot read the backup directory ${directory}: ${error.message}; is its volume mounted?`, {
      cause: error,
    });
  });
}

/** The backup's name in a file's, when it is one of this database. */
function nameOf(database: string, file: string, ending: string): string | undefined {
  if (!file.endsWith(ending) || !file.startsWith(`${database}-`)) return undefined;
  const name = file.slice(0, -ending.length);
  return /^\d{8}T\d{6}Z$/.test(name.slice(database.length + 1)) ? name : undefined;
}
