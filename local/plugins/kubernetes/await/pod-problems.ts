import type { Value } from "../../rpc/properties.ts";
import type { Cluster } from "../cluster.ts";
import { type KubeObject, listAt, numberAt, objectNamespace, textAt } from "../json.ts";
import { conditionOf } from "./readiness.ts";

const pods = { apiVersion: "v1", kind: "Pod", plural: "pods", namespaced: true };
const replicaSets = { apiVersion: "apps/v1", kind: "ReplicaSet", plural: "replicasets", namespaced: true };
const events = { apiVersion: "v1", kind: "Event", plural: "events", namespaced: true };

/** Why the pods of a workload are not ready, one line each; warnings about the workload itself when it has none. */
export async function podProblems(
  cluster: Cluster,
  workload: KubeObject,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const owners = [workload, ...(await newestReplicaSet(cluster, workload, signal))];
  const own = ownedBy(await items(cluster, pods, workload, {}, signal), owners);
  const problems = own.flatMap(problemsOfPod);
  return problems.length > 0 ? problems : warnings(cluster, owners.at(-1) ?? workload, signal);
}

// A deployment owns its pods by a replica set for each template; only the newest one's pods are waited for.
async function newestReplicaSet(
  cluster: Cluster,
  workload: KubeObject,
  signal: AbortSignal,
): Promise<readonly KubeObject[]> {
  if (textAt(workload, "kind") !== "Deployment") return [];
  const sets = ownedBy(await items(cluster, replicaSets, workload, {}, signal), [workload]);
  const revision = (set: Value) => Number(textAt(set, "metadata", "annotations", "deployment.kubernetes.io/revision"));
  return sets.toSorted((left, right) => revision(right) - revision(left)).slice(0, 1) as readonly KubeObject[];
}

async function warnings(cluster: Cluster, object: KubeObject, signal: AbortSignal): Promise<readonly string[]> {
  const fieldSelector = `involvedObject.uid=${textAt(object, "metadata", "uid")},type=Warning`;
  const found = await items(cluster, events, object, { fieldSelector }, signal);
  return [...new Set(found.map((event) => `[${textAt(event, "reason")}] ${textAt(event, "message")}`))].slice(-3);
}

async function items(
  cluster: Cluster,
  kind: typeof pods,
  near: KubeObject,
  query: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<readonly Value[]> {
  return listAt(await cluster.list(kind, objectNamespace(near), query, signal), "items");
}

function ownedBy(objects: readonly Value[], owners: readonly Value[]): readonly Value[] {
  const uids = new Set(owners.map((owner) => textAt(owner, "metadata", "uid")));
  return objects.filter((object) =>
    listAt(object, "metadata", "ownerReferences").some((reference) => uids.has(textAt(reference, "uid"))),
  );
}

/** What keeps one pod from being ready: its scheduling, or its containers' own words. */
export function problemsOfPod(pod: Value): readonly string[] {
  const name = textAt(pod, "metadata", "name");
  const object = pod as KubeObject;
  if (textAt(conditionOf(object, "Ready"), "status") === "True" || textAt(pod, "status", "phase") === "Succeeded")
    return [];
  const scheduled = conditionOf(object, "PodScheduled");
  if (textAt(scheduled, "status") === "False") return [`pod ${name}: ${textAt(scheduled, "message")}`];
  const statuses = [...listAt(pod, "status", "initContainerStatuses"), ...listAt(pod, "status", "containerStatuses")];
  const lines = statuses.flatMap((status) => problemsOfContainer(status).map((problem) => `pod ${name}, ${problem}`));
  if (lines.length > 0) return lines;
  const message = textAt(conditionOf(object, "Ready"), "message");
  return message === "" ? [] : [`pod ${name}: ${message}`];
}

function problemsOfContainer(status: Value): readonly string[] {
  if ((status as { ready?: boolean }).ready === true) return [];
  const container = `container ${textAt(status, "name")}`;
  const reason = textAt(status, "state", "waiting", "reason");
  const usual = ["", "ContainerCreating", "PodInitializing"].includes(reason);
  const message = textAt(status, "state", "waiting", "message");
  return [
    ...(usual ? [] : [`${container}: [${reason}] ${message}`]),
    ...[end(status, "state"), end(status, "lastState")].flatMap((ended) =>
      ended === "" ? [] : [`${container}: ${ended}`],
    ),
  ];
}

function end(status: Value, state: "state" | "lastState"): string {
  const code = numberAt(status, state, "terminated", "exitCode");
  if (code === undefined || code === 0) return "";
  const message = textAt(status, state, "terminated", "message").trim();
  const when = state === "lastState" ? "ended before" : "ended";
  return `${when} with exit code ${code} (${textAt(status, state, "terminated", "reason")})${message === "" ? "" : `: ${message}`}`;
}
