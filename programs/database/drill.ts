import { join } from "node:path";
import type { ClientBase } from "pg";
import { totalRows } from "./backup/fingerprint.ts";
import { readKey } from "./backup/key.ts";
import { compareCopy, loadBackup } from "./backup/load.ts";
import type { Manifest } from "./backup/manifest.ts";
import { recorded } from "./backup/operations.ts";
import { proveBytes } from "./backup/prove.ts";
import { chooseBackup } from "./backup/store.ts";
import { explaining } from "./database-error.ts";
import { Problem } from "./problem.ts";
import { withScratchServer } from "./scratch.ts";
import type { ProgramSettings } from "./settings.ts";

export interface DrillResult {
  /** The backup's file. */
  readonly file: string;
  readonly tables: number;
  readonly rows: number;
  /** From choosing the backup to the end of the comparison: what a restore takes at least. */
  readonly durationMs: number;
  /** How much a restore would lose now: the age of the newest row that the backup is known to have, its marker. */
  readonly lagSeconds: number;
}

/**
 * Proves that the newest backup can be restored: into a server of its own, where every table must be what was backed up
 * and the backup's own marker row must be found. Its record is what monitoring sees (`restore_drill_…`).
 * @throws Problem that names the backup and what is wrong with its copy; the failure is recorded, too.
 */
export async function drill(settings: ProgramSettings, log: (line: string) => void): Promise<DrillResult> {
  return await recorded(settings, "drill", async () => {
    const started = performance.now();
    const key = await readKey(settings.backup.key);
    const manifest = await chooseBackup(settings, key);
    const path = join(settings.backup.directory, manifest.file);
    log(`restoring ${path} into a scratch server`);
    await proveBytes(path, key, manifest.sha256);
    const into = "the scratch server of this drill";
    const markedAt = await withScratchServer(settings, (client, server) =>
      explaining(`the drill of ${manifest.file}`, async () => {
        const access = server.access(settings.logins.migrator);
        await loadBackup(settings, { manifest, key, access, into });
        await compareCopy(client, manifest, into);
        return await markerTime(client, manifest);
      }),
    );
    const result = {
      file: manifest.file,
      tables: Object.keys(manifest.tables).length,
      rows: totalRows(manifest.tables),
      durationMs: Math.round(performance.now() - started),
      lagSeconds: Math.round((Date.now() - markedAt.getTime()) / 1000),
    };
    log(`${result.tables} tables and ${result.rows} rows are what was backed up, ${result.lagSeconds} s ago`);
    return { result, detail: result };
  });
}

/** When the backup wrote the row that it left for the drill; when it began, when there was no table for such a row yet. */
async function markerTime(client: ClientBase, manifest: Manifest): Promise<Date> {
  if (manifest.marker === null) return new Date(manifest.startedAt);
  const { rows } = await client.query<{ at: Date }>(
    "select started_at as at from public.database_operations where id = $1 and kind = 'backup'",
    [manifest.marker],
  );
  if (rows[0]) return rows[0].at;
  throw new Problem(
    `the copy of ${manifest.file} lacks its marker, row ${manifest.marker} of database_operations: the dump is older than the backup says`,
  );
}
