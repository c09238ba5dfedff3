import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Problem } from "../problem.ts";
import type { ProgramSettings } from "../settings.ts";

/** The part of a backup's result that goes on to the migrations, which tell it as the outputs of the stack. */
export interface HandedOver {
  readonly file: string;
  readonly bytes: number;
}

// Containers of a pod share the work directory: what stands there was made in this pod, before this container began.
const pathIn = ({ work }: ProgramSettings) => join(work, "backup.json");

/** Tells the next container of this pod which backup was made. */
export async function handOver(settings: ProgramSettings, { file, bytes }: HandedOver): Promise<void> {
  await writeFile(pathIn(settings), JSON.stringify({ file, bytes }));
}

/** The backup that a container of this pod made before; undefined when none did. */
export async function handedOver(settings: ProgramSettings): Promise<HandedOver | undefined> {
  const path = pathIn(settings);
  try {
    return JSON.parse(await readFile(path, "utf8")) as HandedOver;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw new Problem(`cannot read ${path}, which the backup before this run wrote`, { cause: error });
  }
}
