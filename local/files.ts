import { readFile, rename, writeFile } from "node:fs/promises";

/** What a file holds; undefined when there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
  return await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
}

/**
 * Writes a file so that a reader sees the old one or the new one, whole. One that holds the same already is left alone:
 * kube-proxy, for one, ends when its configuration file is written.
 */
export async function writeWhole(path: string, text: string, mode = 0o644): Promise<void> {
  if ((await readIfThere(path)) === text) return;
  await writeFile(`${path}.new`, text, { mode });
  await rename(`${path}.new`, path);
}
