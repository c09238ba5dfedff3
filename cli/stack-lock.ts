import { readdir, readFile, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { describe as describeProcess, identify } from "../local/cluster/processes.ts";
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

function parseHolder(text: string): LockHolder | undefined {
  try {
    return JSON.parse(text) as LockHolder;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** What is asked about a process; a value, so that a test needs none. */
export interface Machine {
  readonly hostname: string;
  /** What runs under this number, or undefined when nothing does. */
  processName(pid: number): string | undefined;
}

export const thisMachine: Machine = {
  hostname: hostname(),
  processName: (pid) => (identify(pid) === undefined ? undefined : describeProcess(pid)),
};

/**
 * Whether a holder is dead for certain: it was on this machine, and its number is free or went to another program.
 * One on another machine cannot be judged from here; the engine's own message names it.
 */
export function isDead(holder: LockHolder, machine: Machine): boolean {
  return holder.hostname === machine.hostname && machine.processName(holder.pid)?.startsWith("pulumi") !== true;
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
