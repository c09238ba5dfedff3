import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { runTool } from "../postgres.ts";
import { Problem } from "../problem.ts";
import type { ProgramSettings } from "../settings.ts";
import { unseal } from "./archive.ts";
import type { BackupKey } from "./key.ts";

export interface Proof {
  /** Of the file, encrypted as it is. */
  readonly bytes: number;
  /** Tables whose data pg_restore lists. */
  readonly tables: number;
}

/**
 * Reads a backup's file to its end: every byte is what was written with this key.
 * @throws Problem that names the file.
 */
export async function proveBytes(path: string, key: BackupKey, sha256: string): Promise<void> {
  const digest = createHash("sha256");
  for await (const _ of unseal(path, key, { digest }));
  const found = digest.digest("hex");
  if (found === sha256) return;
  throw new Problem(`the backup ${path} was replaced: its SHA-256 is ${found}, and ${sha256} was written`);
}

/**
 * Proves that a backup can be restored, without restoring it anywhere: its bytes, and that pg_restore reads it whole and
 * lists it (S4-45).
 * @throws Problem that names the file.
 */
export async function proveBackup(
  settings: ProgramSettings,
  key: BackupKey,
  path: string,
  sha256: string,
): Promise<Proof> {
  await proveBytes(path, key, sha256);
  await runTool(settings, "pg_restore", ["--file=/dev/null"], {
    what: `pg_restore, reading the whole backup ${path},`,
    input: Readable.from(unseal(path, key)),
  });
  const list = await runTool(settings, "pg_restore", ["--list"], {
    what: `pg_restore --list of the backup ${path}`,
    input: Readable.from(unseal(path, key)),
  });
  const tables = list.split("\n").filter((line) => /^\d+; \d+ \d+ TABLE DATA /.test(line)).length;
  return { bytes: (await stat(path)).size, tables };
}
