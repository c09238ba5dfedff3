import { join } from "node:path";
import { Readable } from "node:stream";
import type { ClientBase } from "pg";
import { type Access, runTool } from "../postgres.ts";
import { Problem } from "../problem.ts";
import type { ProgramSettings } from "../settings.ts";
import { unseal } from "./archive.ts";
import { differences, fingerprints } from "./fingerprint.ts";
import type { BackupKey } from "./key.ts";
import type { Manifest } from "./manifest.ts";

export interface Load {
  readonly manifest: Manifest;
  readonly key: BackupKey;
  /** An empty database; the role is the one that owns it, so that it comes to own all in it. */
  readonly access: Access;
  /** Names the database, for an error. */
  readonly into: string;
}

/** Restores a backup into an empty database; the first error ends it. @throws Problem with what pg_restore said. */
export async function loadBackup(settings: ProgramSettings, { manifest, key, access, into }: Load): Promise<void> {
  const path = join(settings.backup.directory, manifest.file);
  const database = access.PGDATABASE ?? "";
  await runTool(settings, "pg_restore", ["--exit-on-error", "--no-password", `--dbname=${database}`], {
    what: `pg_restore of ${path} into ${into}`,
    access,
    input: Readable.from(unseal(path, key)),
  });
}

/**
 * Compares every table of a copy with what the backup had. The role must see every row.
 * @throws Problem that lists the tables that are not the same.
 */
export async function compareCopy(client: ClientBase, manifest: Manifest, into: string): Promise<void> {
  await client.query("begin isolation level repeatable read, read only");
  const found = await fingerprints(client);
  await client.query("commit");
  const wrong = differences(manifest.tables, found);
  if (wrong.length === 0) return;
  throw new Problem(
    [`the copy of ${manifest.name} in ${into} is not what was backed up:`, ...wrong.map((each) => `  ${each}`)].join(
      "\n",
    ),
  );
}
