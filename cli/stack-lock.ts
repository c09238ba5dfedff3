import { readFileSync } from "node:fs";
import { readdir, readFile, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { identify } from "../local/cluster/processes.ts";
import { parseJson } from "../rollout/parse-json.ts";
import type { Workspace } from "./workspace.ts";

/** Who holds a stack of a file backend, as the engine writes it (pkg/backend/diy/lock.go). */
export interface LockHolder {
  readonly pid: number;
  readonly username: string;
  readonly hostname: string;
  readonly timestamp: string;
}

/** One lock on a stack: its file, and who made it. The holder is undefined while its file is still being written. */
export interface StackLock {
  readonly file: string;
  readonly holder: LockHolder | undefined;
}

export async function stackLocks(workspace: Workspace, project: string, stack: string): Promise<StackLock[]> {
  const directory = join(workspace.state, ".pulumi", "locks", "organization", project, stack);
  const names = await readdir(directory).catch(absentAs<string[]>([]));
  const files = names.filter((name) => name.endsWith(".json")).map((name) => join(directory, name));
  const locks: StackLock[] = [];
  for (const file of files) {
    const text = await readFile(file, "utf8").catch(absentAs(undefined));
    if (text !== undefined) locks.push({ file, holder: parseHolder(text) });
  }
  return locks;
}

/** A lock that goes away while it is looked at is no lock. */
function absentAs<T>(value: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === "ENOENT") return value;
    throw error;
  };
}

const parseHolder = (text: string) => parseJson(text) as LockHolder | undefined;

/** What is asked about a process; a value, so that a test needs none. */
export interface Machine {
  readonly hostname: string;
  /** When the process with this number started, in milliseconds since 1970; undefined when there is none. */
  startedAt(pid: number): number | undefined;
}

export const thisMachine: Machine = {
  hostname: hostname(),
  startedAt(pid) {
    const started = identify(pid)?.started;
    return started === undefined ? undefined : bootedAt() + started * tickMs;
  },
};

// The kernel tells programs about times in hundredths of a second, on every architecture that Node runs on.
const tickMs = 10;
const bootedAt = () => Number(/^btime (\d+)$/m.exec(readFileSync("/proc/stat", "utf8"))?.[1]) * 1000;

// The boot time is told in whole seconds, and moves when the clock is set.
const toleranceMs = 10_000;

/**
 * Whether a holder is dead for certain: it was on this machine, and its number is free, or went to a process that started after
 * the lock was taken. One on another machine cannot be judged from here; the engine's own message names it.
 */
export function isDead(holder: LockHolder, machine: Machine): boolean {
  if (holder.hostname !== machine.hostname) return false;
  const started = machine.startedAt(holder.pid);
  return started === undefined || started > Date.parse(holder.timestamp) + toleranceMs;
}

/**
 * Removes the locks that dead processes of this machine left, and returns who they were.
 * Their files are removed one by one: `pulumi cancel` takes every lock of the stack, also one that another `up` took since.
 */
export async function removeDeadLocks(workspace: Workspace, project: string, stack: string): Promise<LockHolder[]> {
  const dead: LockHolder[] = [];
  for (const { file, holder } of await stackLocks(workspace, project, stack)) {
    if (holder === undefined || !isDead(holder, thisMachine)) continue;
    await rm(file, { force: true });
    dead.push(holder);
  }
  return dead;
}
