import { link, mkdir, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../../cli/failure.ts";
import type { Progress } from "../../cli/progress.ts";
import { readIfThere, writeWhole } from "../files.ts";
import { places } from "../places.ts";
import { runDir } from "./layout.ts";
import type { Before } from "./machine.ts";
import { type Identity, identify, isAlive } from "./processes.ts";

/** Whose cluster there is on this machine. The record is gone after a reboot, like everything it speaks of. */
export interface Owner {
  /** The root directory of the clone. */
  readonly clone: string;
  readonly before: Before;
}

const ownerFile = join(runDir, "owner.json");
const lockFile = join(runDir, "lock");

interface Lock extends Identity {
  readonly clone: string;
}

export async function readOwner(): Promise<Owner | undefined> {
  return await readJson<Owner>(ownerFile);
}

export async function writeOwner(owner: Owner): Promise<void> {
  await mkdir(runDir, { recursive: true, mode: 0o755 });
  await writeWhole(ownerFile, JSON.stringify(owner, undefined, 2));
}

async function readJson<T>(path: string): Promise<T | undefined> {
  const text = await readIfThere(path);
  return text === undefined ? undefined : (JSON.parse(text) as T);
}

/**
 * Does something with the machine's one cluster while nobody else does. Another run of this clone is waited for; one of
 * another clone is a Failure. A lock whose process has ended counts as none.
 */
export async function exclusively<T>(progress: Progress, work: () => Promise<T>): Promise<T> {
  await acquire(progress);
  try {
    return await work();
  } finally {
    await rm(lockFile, { force: true });
    await removeRunDirectory();
  }
}

/** Gone when the cluster is: it stays while anything is in it. */
async function removeRunDirectory(): Promise<void> {
  await rmdir(runDir).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOTEMPTY" && error.code !== "ENOENT") throw error;
  });
}

async function acquire(progress: Progress): Promise<void> {
  const self = identify(process.pid);
  if (self === undefined) throw new Error("this process is not in /proc");
  const mine = join(runDir, `lock.${process.pid}`);
  const text = JSON.stringify({ ...self, clone: places.root });
  try {
    let told = false;
    while (!(await taken(mine, text))) {
      const holder = await readJson<Lock>(lockFile);
      if (holder === undefined) continue;
      if (!isAlive(holder)) {
        await removeStale(holder);
        continue;
      }
      if (holder.clone !== places.root) {
        throw new Failure(
          `the clone ${holder.clone} is starting or stopping its cluster right now (pid ${holder.pid}). Wait for it to end.`,
        );
      }
      if (!told)
        progress.note(
          `another golive of this clone is starting or stopping the cluster (pid ${holder.pid}); waiting for it`,
        );
      told = true;
      await sleep(250);
    }
  } finally {
    await rm(mine, { force: true });
  }
}

/** A link appears with its contents, or not at all. */
async function taken(mine: string, text: string): Promise<boolean> {
  try {
    await mkdir(runDir, { recursive: true, mode: 0o755 });
    await writeFile(mine, text);
    await link(mine, lockFile);
    return true;
  } catch (error) {
    // Held by somebody; or the directory went with the cluster that was just stopped.
    if (["EEXIST", "ENOENT"].includes((error as NodeJS.ErrnoException).code ?? "")) return false;
    throw error;
  }
}

async function removeStale(seen: Lock): Promise<void> {
  const aside = join(runDir, `lock.stale.${process.pid}`);
  try {
    await rename(lockFile, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  const moved = await readJson<Lock>(aside);
  // Someone else was quicker and holds it by now: give it back.
  if (moved !== undefined && (moved.pid !== seen.pid || moved.started !== seen.started)) await link(aside, lockFile);
  await rm(aside, { force: true });
}
