import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MigrationFile, Phase } from "../../programs/database/migrations/file.ts";

/** A directory of migrations of a test's own; `files` are texts by name. */
export async function migrationDirectory(files: Readonly<Record<string, string>> = {}): Promise<MigrationDirectory> {
  const path = await mkdtemp(join(tmpdir(), "golive-migrations-"));
  const write = (name: string, text: string) => writeFile(join(path, name), text);
  for (const [name, text] of Object.entries(files)) await write(name, text);
  return {
    path,
    write,
    delete: (name) => rm(join(path, name)),
    names: async () => (await readdir(path)).sort(),
    remove: () => rm(path, { recursive: true, force: true }),
  };
}

export interface MigrationDirectory {
  readonly path: string;
  /** Makes a file, or another text of one. */
  write(name: string, text: string): Promise<void>;
  delete(name: string): Promise<void>;
  names(): Promise<readonly string[]>;
  remove(): Promise<void>;
}

/** A migration as `readMigrations` gives it, of the text of a comment. */
export function migration(name: string, phase: Phase = "expand", text = name): MigrationFile {
  const sql = `-- golive: phase ${phase}\n-- ${text}\nselect 1;\n`;
  const checksum = createHash("sha256").update(sql).digest("hex");
  return { name, version: name.slice(0, 3), phase, transaction: true, checksum, sql };
}
