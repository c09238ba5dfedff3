import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import { open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { Problem } from "../problem.ts";
import type { Fingerprints } from "./fingerprint.ts";
import type { BackupKey } from "./key.ts";

/** What is known of a backup without decrypting it: a file beside it, signed with the backup key, with no data in it. */
export interface Manifest {
  readonly format: 1;
  /** `taskflow-20261121T130000Z`: the manifest is `<name>.json`. */
  readonly name: string;
  readonly database: string;
  /** `<name>.dump.enc`, beside the manifest. */
  readonly file: string;
  /** Of the file, encrypted as it is. */
  readonly bytes: number;
  readonly sha256: string;
  /** ISO 8601, UTC: when the backup began, which is before its snapshot, and when it was proven good. */
  readonly startedAt: string;
  readonly finishedAt: string;
  /** Its row of database_operations, which is in the copy; null when there was no such table yet. */
  readonly marker: string | null;
  /** Newest version in schema_migrations; null before the first migration. */
  readonly version: string | null;
  /** `15.18`. */
  readonly server: string;
  readonly locale: Locale;
  readonly tables: Fingerprints;
}

/** How a database sorts and compares text: its copy must do the same. */
export interface Locale {
  readonly encoding: string;
  readonly collate: string;
  readonly ctype: string;
}

/** Writes it whole or not at all; on a return it is on the disk. */
export async function writeManifest(directory: string, manifest: Manifest, key: BackupKey): Promise<void> {
  const path = join(directory, `${manifest.name}.json`);
  const text = `${JSON.stringify({ signature: signature(manifest, key), manifest }, null, 2)}\n`;
  const file = await open(`${path}.part`, "w", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.part`, path);
}

/** @throws Problem that names the file, when it was changed, or was written with another key. */
export async function readManifest(directory: string, name: string, key: BackupKey): Promise<Manifest> {
  const path = join(directory, `${name}.json`);
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new Problem(`cannot read the manifest ${path}: ${error.message}`, { cause: error });
  });
  const parsed = parse(text);
  if (parsed !== undefined && isSigned(parsed, key) && parsed.manifest.name === name) return parsed.manifest;
  throw new Problem(
    `the manifest ${path} was cut short or changed, or was signed with another key than the one in ${key.path}`,
  );
}

interface Signed {
  readonly signature: string;
  readonly manifest: Manifest;
}

function parse(text: string): Signed | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || !("signature" in value) || !("manifest" in value))
      return undefined;
    const { signature: signed, manifest } = value;
    if (typeof signed !== "string" || typeof manifest !== "object" || manifest === null) return undefined;
    // What is signed was written by this program: its shape is what it says.
    return { signature: signed, manifest: manifest as Manifest };
  } catch {
    return undefined;
  }
}

function isSigned({ signature: given, manifest }: Signed, key: BackupKey): boolean {
  const expected = Buffer.from(signature(manifest, key));
  const found = Buffer.from(given);
  return found.length === expected.length && timingSafeEqual(found, expected) && manifest.format === 1;
}

function signature(manifest: Manifest, key: BackupKey): string {
  const signing = Buffer.from(hkdfSync("sha256", key.text, "", "golive manifest 1", 32));
  return createHmac("sha256", signing).update(JSON.stringify(manifest)).digest("hex");
}
