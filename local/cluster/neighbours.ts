import { existsSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../../cli/failure.ts";
import { places } from "../places.ts";
import { readOwner } from "./owner.ts";
import { describe, everyProcess, ownerOf } from "./processes.ts";

/** The processes without which a cluster is none. */
const vital = ["kube-apiserver", "containerd"];

/** Another clone whose cluster runs on this machine; undefined when there is none, or only what is left of one. */
export async function clusterOfAnotherClone(): Promise<string | undefined> {
  const processes = new Map<string, string[]>();
  for (const pid of everyProcess()) {
    const clone = ownerOf(pid);
    if (clone === undefined || clone === places.root) continue;
    processes.set(clone, [...(processes.get(clone) ?? []), describe(pid)]);
  }
  const owner = await readOwner();
  for (const [clone, running] of processes) {
    const lives = vital.every((name) => running.some((one) => one.startsWith(`${name.slice(0, 15)} (`)));
    // A cluster whose clone was removed can neither be used nor stopped by anybody.
    if (lives && owner?.clone === clone && existsSync(join(clone, ".golive", "kubeconfig"))) return clone;
  }
  return undefined;
}

/** A machine has room for one cluster: its addresses, ports and rules are fixed. */
export async function refuseAnotherClone(): Promise<void> {
  const clone = await clusterOfAnotherClone();
  if (clone === undefined) return;
  throw new Failure(
    `the cluster of another clone is in the way: ${clone}\n` +
      `  use it:   GOLIVE_KUBECONFIG=${join(clone, ".golive", "kubeconfig")}\n` +
      `  stop it:  ${join(clone, "golive")} local down`,
    2,
  );
}
