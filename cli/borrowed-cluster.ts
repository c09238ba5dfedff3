import process from "node:process";
import { type Cluster, clusterDown, clusterUp } from "../local/cluster/cluster.ts";
import { readOwner } from "../local/cluster/owner.ts";
import { places } from "../local/places.ts";
import { endCommands } from "../local/run.ts";
import { clusterAnswers } from "./cluster-address.ts";
import type { Session } from "./session.ts";

export interface BorrowedCluster extends Cluster {
  /** Whether this command started it, and so stops it at its end unless it is kept. */
  readonly started: boolean;
}

/** Brings the cluster up for the length of a command: it is left as it was found, running or not, unless `keep`. */
export async function borrowCluster(session: Session, keep: boolean): Promise<BorrowedCluster> {
  const given = (process.env.GOLIVE_KUBECONFIG ?? "") !== "";
  // The kubeconfig may still be that of a cluster which an earlier command was given: it must be this clone's own that runs.
  const found = (await isOurs()) && (await clusterAnswers());
  const started = !given && !found;
  const start = session.progress.stage("cluster", (progress) => clusterUp(progress));
  // Registered before the start is over, as one that is cut off leaves processes behind, too.
  if (started && !keep) session.atEnd("stop the cluster", () => stopCluster(session, start));
  return { ...(await start), started };
}

const isOurs = async () => (await readOwner())?.clone === places.root;

/** Stops what a start made, also one that failed or is under way. One that was refused made nothing. */
async function stopCluster(session: Session, start: Promise<Cluster>): Promise<void> {
  // A start that nobody waits for any more ends with the first of its commands that fails.
  const hurry = setInterval(endCommands, 100);
  await Promise.allSettled([start]);
  clearInterval(hurry);
  if (await isOurs()) await clusterDown(session.progress);
}
