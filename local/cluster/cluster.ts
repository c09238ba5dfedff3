import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import process from "node:process";
import { Failure } from "../../cli/failure.ts";
import type { Progress } from "../../cli/progress.ts";
import { ensureHostTools } from "../debian/host-tools.ts";
import { places } from "../places.ts";
import { run } from "../run.ts";
import { type ComponentStatus, componentLogs, componentStatus } from "./components.ts";
import { clusterProcesses, endAllProcesses, listLeftovers, removeRunFiles } from "./leftovers.ts";
import { interfaces, restoreMachine } from "./machine.ts";
import { clusterOfAnotherClone, refuseAnotherClone } from "./neighbours.ts";
import { exclusively, readOwner } from "./owner.ts";
import { requireMachine, requireOwnRules, requireRoot } from "./preflight.ts";
import { running } from "./processes.ts";
import { buildCluster, startCluster } from "./start.ts";

export interface Cluster {
  readonly kubeconfig: string;
  /** False when GOLIVE_KUBECONFIG named it. */
  readonly ours: boolean;
}

const givenKubeconfig = () => process.env.GOLIVE_KUBECONFIG || undefined;

/**
 * Gives a cluster that has what the `local` stack needs: the one that GOLIVE_KUBECONFIG names, this clone's running
 * one, or a new one. What an earlier run left half-done is cleaned up or completed.
 */
export async function clusterUp(progress: Progress): Promise<Cluster> {
  const given = givenKubeconfig();
  if (given !== undefined) {
    // Loaded only here: the Kubernetes client is large, and a throw-away cluster does without.
    const { useCluster } = await import("./existing.ts");
    await mkdir(dirname(places.kubeconfig), { recursive: true });
    await progress.stage(`cluster of ${given}`, (stage) => useCluster(given, stage));
    return { kubeconfig: places.kubeconfig, ours: false };
  }
  requireRoot();
  await refuseAnotherClone();
  await exclusively(progress, async () => {
    await refuseAnotherClone();
    // Without its runtime a node is lost, and with it all that ran on it: what is left is cleaned up, and all begins anew.
    const isNew = (await running("containerd")) === undefined;
    if (isNew) {
      await cleanUp(progress);
      await requireMachine();
    }
    await buildCluster(progress);
    if (isNew) await requireOwnRules();
    await startCluster(progress);
  });
  return { kubeconfig: places.kubeconfig, ours: true };
}

/** Stops this clone's cluster and throws away what it held. The machine is as it was before. */
export async function clusterDown(progress: Progress): Promise<void> {
  if (givenKubeconfig() !== undefined) {
    throw new Failure(
      "GOLIVE_KUBECONFIG is set: its cluster was not started here and is not stopped here. Unset it first.",
      2,
    );
  }
  requireRoot();
  await refuseAnotherClone();
  await exclusively(progress, () => progress.stage("stop the cluster", cleanUp));
}

async function cleanUp(progress: Progress): Promise<void> {
  const owner = await readOwner();
  const left = clusterProcesses();
  if (left.length > 0) progress.note(`${left.length} processes of the cluster of ${owner?.clone ?? places.root}`);
  // They may have been removed with all of .golive/ while the cluster ran.
  if (left.length > 0 || interfaces().length > 0) await ensureHostTools(progress);
  await endAllProcesses();
  await restoreMachine(owner?.before, progress);
  await removeRunFiles();
  // Images unpacked are tens of thousands of files: Node's own removal takes ten times as long.
  await run("rm", ["-rf", "--one-file-system", places.cluster]);
}

export async function clusterStatus(): Promise<readonly ComponentStatus[]> {
  const given = givenKubeconfig();
  if (given !== undefined) return [{ name: "cluster", state: "given", detail: `GOLIVE_KUBECONFIG=${given}` }];
  const other = await clusterOfAnotherClone();
  if (other !== undefined)
    return [{ name: "cluster", state: "in the way", detail: `the cluster of the clone ${other} runs` }];
  return await componentStatus();
}

export async function clusterLogs(name: string, write: (text: string) => void): Promise<void> {
  await componentLogs(name, write);
}

/** Everything of a cluster of ours that still exists on the machine; empty after `clusterDown`. */
export const clusterLeftovers = listLeftovers;
