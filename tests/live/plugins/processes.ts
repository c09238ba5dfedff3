import { readdir, readFile } from "node:fs/promises";
import process from "node:process";

/** The processes that a process started, and that those started, by their ids. */
export async function descendants(pid: number): Promise<readonly number[]> {
  const ids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const parents = new Map(await Promise.all(ids.map(async (id) => [id, await parentOf(id)] as const)));
  const below = (parent: number): readonly number[] =>
    ids.filter((id) => parents.get(id) === parent).flatMap((id) => [id, ...below(id)]);
  return below(pid);
}

// The fields after the command's name, which may hold anything but ends with the last parenthesis: state, parent, …
async function parentOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
}

export function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
