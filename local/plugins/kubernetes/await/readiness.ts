import type { Value } from "../../rpc/properties.ts";
import { apiVersionOf, type KubeObject, kindOf, listAt, numberAt, textAt } from "../json.ts";

/** How far an object is: what a wait waits for, and what it says meanwhile. */
export interface Readiness {
  readonly ready: boolean;
  /** It will never be ready: there is nothing to wait for. */
  readonly failed: boolean;
  /** One line for the status column. */
  readonly progress: string;
  /** What stands in the way, as far as the object itself knows. */
  readonly problems: readonly string[];
}

export const isReady: Readiness = { ready: true, failed: false, progress: "", problems: [] };

export function waiting(progress: string, problems: readonly string[] = []): Readiness {
  return { ready: false, failed: false, progress, problems };
}

/** An object's conditions by their type. */
export function conditionOf(object: KubeObject, type: string): Value | undefined {
  return listAt(object, "status", "conditions").find((condition) => textAt(condition, "type") === type);
}

export function conditionProblem(condition: Value | undefined): readonly string[] {
  const [reason, message] = [textAt(condition, "reason"), textAt(condition, "message")];
  return message === "" ? [] : [`[${reason}] ${message}`];
}

/** Whether the controller has seen the object's present generation: older status would describe what was before. */
export function observed(object: KubeObject): boolean {
  return (numberAt(object, "status", "observedGeneration") ?? 0) >= (numberAt(object, "metadata", "generation") ?? 0);
}

/** A deployment is ready when its rollout is complete: every replica is of the new template, available, and no old one is left. */
export function deploymentReadiness(deployment: KubeObject): Readiness {
  const wanted = numberAt(deployment, "spec", "replicas") ?? 1;
  const count = (field: string) => numberAt(deployment, "status", field) ?? 0;
  const available = conditionOf(deployment, "Available");
  const progressing = conditionOf(deployment, "Progressing");
  const complete =
    count("updatedReplicas") >= wanted &&
    count("replicas") <= count("updatedReplicas") &&
    count("availableReplicas") >= wanted;
  if (observed(deployment) && complete && textAt(available, "status") === "True") return isReady;
  const progress = `waiting for the rollout: ${Math.min(count("availableReplicas"), count("updatedReplicas"))} of ${wanted} new pods available`;
  const bad = [available, progressing].filter((condition) => textAt(condition, "status") === "False");
  const failure = conditionOf(deployment, "ReplicaFailure");
  return waiting(progress, observed(deployment) ? [...bad, failure].flatMap(conditionProblem) : []);
}

/** A stateful set is ready when all its replicas are ready and of one, the newest, revision. */
export function statefulSetReadiness(set: KubeObject): Readiness {
  const wanted = numberAt(set, "spec", "replicas") ?? 1;
  const count = (field: string) => numberAt(set, "status", field) ?? 0;
  const [current, update] = [textAt(set, "status", "currentRevision"), textAt(set, "status", "updateRevision")];
  const byHand =
    textAt(set, "spec", "updateStrategy", "type") === "OnDelete" && (numberAt(set, "metadata", "generation") ?? 0) > 1;
  const replicas = count("replicas") === wanted && count("readyReplicas") === wanted;
  const revision = byHand || (current !== "" && current === update && count("currentReplicas") === wanted);
  if (observed(set) && replicas && revision) return isReady;
  const done = current === update ? count("readyReplicas") : Math.min(count("readyReplicas"), count("updatedReplicas"));
  return waiting(`waiting for the stateful set: ${done} of ${wanted} pods ready`);
}

/** A job is ready when it is complete; one that has failed never will be. */
export function jobReadiness(job: KubeObject): Readiness {
  if (textAt(conditionOf(job, "Complete"), "status") === "True") return isReady;
  const failed = conditionOf(job, "Failed");
  const count = (field: string) => numberAt(job, "status", field) ?? 0;
  const progress = `waiting for the job: ${count("active")} active, ${count("succeeded")} succeeded, ${count("failed")} failed`;
  if (textAt(failed, "status") === "True")
    return { ready: false, failed: true, progress, problems: conditionProblem(failed) };
  return waiting(progress);
}

/** A claim is ready when it is bound, or pending where its storage class waits for a first consumer. */
export function claimReadiness(claim: KubeObject, bindingMode: string): Readiness {
  const phase = textAt(claim, "status", "phase");
  const ready = phase === "Bound" || (bindingMode === "WaitForFirstConsumer" && phase === "Pending");
  return ready ? isReady : waiting(`waiting for the volume: the claim is ${phase === "" ? "new" : phase}`);
}

/** What stands against a service: not ready pods that it selects. No pods at all is no reason to wait. */
export function serviceReadiness(service: KubeObject, slices: readonly Value[]): Readiness {
  if (
    textAt(service, "spec", "type") === "LoadBalancer" &&
    listAt(service, "status", "loadBalancer", "ingress").length === 0
  ) {
    return waiting("waiting for an address of the load balancer");
  }
  if (!selectsPods(service)) return isReady;
  if (slices.length === 0) return waiting("waiting for the service's endpoints");
  const pending = slices
    .flatMap((slice) => listAt(slice, "endpoints"))
    .filter((endpoint) => flagAt(endpoint, "ready") === false && flagAt(endpoint, "terminating") !== true);
  if (pending.length === 0) return isReady;
  return waiting(`waiting for ${pending.length} pod(s) of the service that are not ready`, [
    `${pending.length} pod(s) that the service selects are not ready`,
  ]);
}

/** Whether a service has endpoints that Kubernetes makes of pods. */
export function selectsPods(service: KubeObject): boolean {
  const selector = Object.keys((service.spec as { selector?: object } | undefined)?.selector ?? {});
  const headless = textAt(service, "spec", "clusterIP") === "None";
  return selector.length > 0 && !headless && textAt(service, "spec", "type") !== "ExternalName";
}

function flagAt(endpoint: Value, name: string): boolean | undefined {
  const conditions = (endpoint as { conditions?: Readonly<Record<string, unknown>> }).conditions;
  const value = conditions?.[name];
  return typeof value === "boolean" ? value : undefined;
}

/** Readiness of the kinds that say it themselves; undefined for those that are ready once they exist. */
export function ownReadiness(object: KubeObject): Readiness | undefined {
  switch (`${apiVersionOf(object)} ${kindOf(object)}`) {
    case "apps/v1 Deployment":
      return deploymentReadiness(object);
    case "apps/v1 StatefulSet":
      return statefulSetReadiness(object);
    case "batch/v1 Job":
      return jobReadiness(object);
    default:
      return undefined;
  }
}
