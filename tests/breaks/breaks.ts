import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Break } from "./break.ts";

/** Files of this directory that hold no breaks of a topic. */
const others = ["break.ts", "breaks.ts"];

/** Every committed break: the list `breaks` of each file of this directory, in the order of the files' names. */
export async function allBreaks(): Promise<readonly Break[]> {
  const files = (await readdir(import.meta.dirname)).filter((name) => name.endsWith(".ts") && !others.includes(name));
  const lists: (readonly Break[])[] = [];
  for (const file of files.sort()) {
    const { breaks } = (await import(join(import.meta.dirname, file))) as { readonly breaks?: readonly Break[] };
    if (breaks === undefined) throw new Error(`tests/breaks/${file} exports no list named breaks`);
    lists.push(breaks);
  }
  return lists.flat();
}
