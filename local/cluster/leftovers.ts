import { existsSync, readFileSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { clusterDirs, node, runDir } from "./layout.ts";
import { cgroupDirectories, interfaces, ourTables } from "./machine.ts";
import { describe, everyProcess, type Identity, identify, nameOf, ownerOf, readOrNothing, stop } from "./processes.ts";

/** Every process of a cluster of ours, of whichever clone: its components, its containers' shims, its containers. */
export function clusterProcesses(): number[] {
  const inCgroup = new RegExp(`:/${node.cgroup}(/|$)`, "m");
  const isOurs = (pid: number) =>
    ownerOf(pid) !== undefined || inCgroup.test(readOrNothing(`/proc/${pid}/cgroup`) ?? "");
  // One that has ended, only not yet collected by its parent, holds nothing.
  return everyProcess().filter((pid) => isOurs(pid) && identify(pid) !== undefined);
}

/** Ends all of them, by force: what they hold is thrown away. */
export async function endAllProcesses(): Promise<void> {
  // First those that start others: a kubelet would bring its containers back.
  const starters = clusterProcesses().filter((pid) => ["kubelet", "containerd"].includes(nameOf(pid)));
  await stop(identitiesOf(starters), 0);
  for (let left = clusterProcesses(); left.length > 0; left = clusterProcesses()) await stop(identitiesOf(left), 0);
}

function identitiesOf(pids: readonly number[]): Identity[] {
  return pids.map(identify).filter((identity) => identity !== undefined);
}

/** Everything on the machine that a cluster of ours (of any clone) would leave, in words. Empty after `local down`. */
export async function listLeftovers(): Promise<string[]> {
  return [
    ...clusterProcesses().map((pid) => `process ${describe(pid)}`),
    ...mounts().map((path) => `mount ${path}`),
    ...interfaces().map((name) => `network interface ${name}`),
    ...(await ourTables()).map(([family, table]) => `nftables table ${family} ${table}`),
    ...cgroupDirectories().map((path) => `control group ${path}`),
    ...(await runFiles()).map((path) => `file ${path}`),
  ];
}

function mounts(): string[] {
  const paths = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "");
  const ours = [runDir, ...Object.values(clusterDirs)];
  return paths.filter((path) => ours.some((root) => path === root || path.startsWith(`${root}/`)));
}

async function runFiles(): Promise<string[]> {
  if (!existsSync(runDir)) return [];
  // The lock of the run that is looking is no leftover.
  return (await readdir(runDir)).filter((name) => !name.startsWith("lock")).map((name) => join(runDir, name));
}

export async function removeRunFiles(): Promise<void> {
  for (const path of await runFiles()) await rm(path, { recursive: true, force: true });
}
