import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { places } from "../places.ts";

/** One text for the contents of files, wherever the clone stands. */
export async function contentsOf(paths: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const path of paths)
    hash
      .update(path.slice(places.root.length))
      .update("\0")
      .update(await readFile(path));
  return hash.digest("hex");
}
