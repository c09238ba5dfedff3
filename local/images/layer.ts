import { stat } from "node:fs/promises";
import type { Progress } from "../../cli/progress.ts";
import { contentsOf } from "./inputs.ts";
import type { Entry } from "./tar.ts";

/** What a layer is made from. */
export interface LayerRecipe {
  /** Makes what the inputs are, when that is not there. Default: nothing. */
  readonly prepare?: (progress: Progress) => Promise<unknown>;
  /** Says whether the layer must be made again: different inputs give a different text. */
  readonly inputs: () => Promise<string>;
  readonly entries: () => AsyncIterable<Entry> | Promise<Iterable<Entry>>;
}

/** A layer of one program. */
export function binary(path: string, from: string): LayerRecipe {
  return { inputs: () => sizeAndTime([from]), entries: async () => [...parentsOf(path), executable(path, from)] };
}

/** A layer of one text that is run. */
export function script(path: string, from: string): LayerRecipe {
  return { inputs: () => contentsOf([from]), entries: async () => [...parentsOf(path), executable(path, from)] };
}

// Large files are told apart by size and time: reading hundreds of megabytes would cost every start a second.
export async function sizeAndTime(paths: readonly string[]): Promise<string> {
  const found = await Promise.all(paths.map((path) => stat(path)));
  return found.map(({ size, mtimeMs }) => `${size} ${mtimeMs}`).join(" ");
}

export const executable = (path: string, from: string): Entry => ({
  kind: "file",
  path,
  mode: 0o755,
  content: { from },
});

export const text = (path: string, content: string): Entry => {
  return { kind: "file", path, mode: 0o644, content: Buffer.from(content) };
};

/** The directories above a path, outermost first. */
export function parentsOf(path: string): Entry[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, index) => ({ kind: "directory", path: parts.slice(0, index + 1).join("/"), mode: 0o755 }));
}
