import { readFile } from "node:fs/promises";
import { Problem } from "../problem.ts";

/** The stack's backup key, and the file where it stands (which errors name). */
export interface BackupKey {
  readonly text: string;
  readonly path: string;
}

const leastCharacters = 64;

/** @throws Problem when the file is missing, or holds anything else than 64 or more letters and digits. */
export async function readKey(path: string): Promise<BackupKey> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new Problem(`cannot read the backup key ${path}: ${error.message}; the stack's Secret of backups holds it`, {
      cause: error,
    });
  });
  const key = text.trim();
  if (/^[A-Za-z0-9]*$/.test(key) && key.length >= leastCharacters) return { text: key, path };
  throw new Problem(
    `the backup key ${path} has ${key.length} characters; ${leastCharacters} or more are needed, letters and digits only`,
  );
}
