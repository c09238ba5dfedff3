import { setTimeout as sleep } from "node:timers/promises";
import type { StatusLine } from "../../rpc/engine-log.ts";
import type { Value } from "../../rpc/properties.ts";
import { ApiError } from "../client.ts";
import type { Cluster } from "../cluster.ts";
import {
  annotation,
  apiVersionOf,
  called,
  type KubeObject,
  kindOf,
  listAt,
  objectName,
  objectNamespace,
  textAt,
} from "../json.ts";
import type { Kind } from "../kinds.ts";
import { sameQuantity } from "../quantity.ts";
import { podProblems } from "./pod-problems.ts";
import {
  claimReadiness,
  isReady,
  ownReadiness,
  type Readiness,
  selectsPods,
  serviceReadiness,
  waiting,
} from "./readiness.ts";
import { askedReadiness } from "./wait-for.ts";

export interface WaitOptions {
  readonly cluster: Cluster;
  readonly kind: Kind;
  /** Tells the user how the wait goes on. */
  readonly status: StatusLine;
  /** In seconds; what the annotation or the default say when it is 0. */
  readonly timeout: number;
  /** Aborted when the user cancels the run. */
  readonly signal: AbortSignal;
}

/** An object that did not become ready: it exists, so its last state is worth keeping. */
export class NotReady extends Error {
  readonly live: KubeObject;
  readonly reasons: readonly string[];

  constructor(message: string, live: KubeObject, reasons: readonly string[]) {
    super(message);
    this.name = "NotReady";
    this.live = live;
    this.reasons = reasons;
  }
}

const defaultSeconds = 600;
const slices = { apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", plural: "endpointslices", namespaced: true };
const storageClasses = {
  apiVersion: "storage.k8s.io/v1",
  kind: "StorageClass",
  plural: "storageclasses",
  namespaced: false,
};

export function timeoutSeconds(asked: number, object: KubeObject): number {
  const annotated = Number.parseInt(annotation(object, "pulumi.com/timeoutSeconds"), 10);
  return asked > 0 ? asked : annotated > 0 ? annotated : defaultSeconds;
}

export const skipsWait = (object: KubeObject) => annotation(object, "pulumi.com/skipAwait") === "true";

type Judge = (live: KubeObject, signal: AbortSignal) => Readiness | Promise<Readiness>;

/** What an object's readiness is, now or after a wait; undefined when it is ready once it exists. */
async function judgeOf(object: KubeObject, updated: boolean, { cluster }: WaitOptions): Promise<Judge | undefined> {
  if (skipsWait(object)) return undefined;
  const asked = askedReadiness(object);
  if (asked !== undefined) return asked;
  switch (`${apiVersionOf(object)} ${kindOf(object)}`) {
    case "v1 Service":
      return async (service, signal) =>
        serviceReadiness(service, selectsPods(service) ? await slicesOf(cluster, service, signal) : []);
    case "v1 PersistentVolumeClaim": {
      const mode = updated ? "" : await bindingMode(cluster, object);
      return (claim) => claimReadiness(claim, mode);
    }
    case "v1 ResourceQuota":
      return quotaReadiness;
    case "v1 Secret":
      return textAt(object, "type") === "kubernetes.io/service-account-token" ? tokenReadiness : undefined;
    default:
      return ownReadiness(object) === undefined ? undefined : (live) => ownReadiness(live) ?? isReady;
  }
}

async function slicesOf(cluster: Cluster, service: KubeObject, signal: AbortSignal): Promise<readonly Value[]> {
  const labelSelector = `kubernetes.io/service-name=${objectName(service)}`;
  return listAt(await cluster.list(slices, objectNamespace(service), { labelSelector }, signal), "items");
}

async function bindingMode(cluster: Cluster, claim: KubeObject): Promise<string> {
  const name = textAt(claim, "spec", "storageClassName");
  if (name === "") return "";
  try {
    return textAt(await cluster.get(storageClasses, "", name), "volumeBindingMode");
  } catch (error) {
    if (error instanceof ApiError && (error.status === 404 || error.status === 403)) return "";
    throw error;
  }
}

function quotaReadiness(quota: KubeObject): Readiness {
  const hard = (part: "spec" | "status") =>
    (quota[part] as { hard?: Readonly<Record<string, Value>> } | undefined)?.hard ?? {};
  const [wanted, counted] = [hard("spec"), hard("status")];
  const known = Object.entries(wanted).every(([name, amount]) => sameQuantity(amount, counted[name]));
  return known ? isReady : waiting("waiting for the quota to be counted");
}

function tokenReadiness(secret: KubeObject): Readiness {
  return Object.keys((secret.data as object | undefined) ?? {}).length > 0 ? isReady : waiting("waiting for the token");
}

/** Waits until an object is ready, and returns it as it then is. Fails with NotReady after the timeout, on failure and on cancellation. */
export async function waitUntilReady(object: KubeObject, updated: boolean, options: WaitOptions): Promise<KubeObject> {
  const judge = await judgeOf(object, updated, options);
  if (judge === undefined) return object;
  const seconds = timeoutSeconds(options.timeout, object);
  const timeout = AbortSignal.timeout(seconds * 1000);
  const done = new AbortController();
  const signal = AbortSignal.any([options.signal, timeout, done.signal]);
  const seen: Seen = { live: object, readiness: waiting("waiting"), pods: [] };
  const reporting = report(seen, options, signal);
  try {
    for await (const live of states(object, options, signal)) {
      if (live === undefined)
        throw new NotReady(`${called(object)} was deleted while it was waited for`, seen.live, []);
      seen.live = live;
      seen.readiness = await judge(live, signal);
      if (seen.readiness.ready) return live;
      if (seen.readiness.failed) throw new NotReady(`${called(object)} failed`, live, await reasons(seen, options));
      void options.status(seen.readiness.progress);
    }
    throw new Error("the watch ended");
  } catch (error) {
    if (options.signal.aborted)
      throw new NotReady(`the wait for ${called(object)} was cancelled`, seen.live, await reasons(seen, options));
    if (timeout.aborted) {
      throw new NotReady(
        `${called(object)} timed out waiting to be ready after ${seconds} s`,
        seen.live,
        await reasons(seen, options),
      );
    }
    throw error;
  } finally {
    done.abort();
    await reporting;
    // The line must be cleared before the resource is done: it would stay beside it.
    await options.status("");
  }
}

/** What is known while waiting. */
interface Seen {
  live: KubeObject;
  readiness: Readiness;
  pods: readonly string[];
}

// A service's readiness is in its endpoints, which are objects of their own: it is looked at again and again.
async function* states(
  object: KubeObject,
  options: WaitOptions,
  signal: AbortSignal,
): AsyncGenerator<KubeObject | undefined> {
  const [namespace, name] = [objectNamespace(object), objectName(object)];
  if (kindOf(object) !== "Service") {
    yield* options.cluster.follow(options.kind, namespace, name, signal);
    return;
  }
  for (let pause = 50; ; pause = Math.min(pause * 2, 1_000)) {
    yield await options.cluster.get(options.kind, namespace, name, signal);
    await sleep(pause, undefined, { signal });
  }
}

const workloads = new Set(["Deployment", "StatefulSet", "Job"]);
const reportEvery = 3_000;

async function report(seen: Seen, options: WaitOptions, signal: AbortSignal): Promise<void> {
  const told = new Set<string>();
  while (!signal.aborted) {
    try {
      await sleep(reportEvery, undefined, { signal });
      if (workloads.has(kindOf(seen.live))) seen.pods = await podProblems(options.cluster, seen.live, signal);
    } catch (error) {
      // Why pods are not ready is asked for the user's sake alone: the wait itself goes on without it.
      if (signal.aborted) return;
      void options.status(error instanceof Error ? error.message : String(error), "warning");
    }
    const fresh = [...seen.readiness.problems, ...seen.pods].filter((line) => !told.has(line));
    for (const line of fresh) {
      told.add(line);
      void options.status(line, "warning");
    }
  }
}

async function reasons(seen: Seen, { cluster }: WaitOptions): Promise<readonly string[]> {
  // The pods may have said more since the last report.
  const pods = workloads.has(kindOf(seen.live))
    ? await podProblems(cluster, seen.live, AbortSignal.timeout(5_000)).catch(() => seen.pods)
    : [];
  return [...new Set([seen.readiness.progress, ...seen.readiness.problems, ...pods])].filter((line) => line !== "");
}

/** Whether an object is ready at this moment; fails with NotReady and its reasons when it is not. */
export async function checkReady(object: KubeObject, options: WaitOptions): Promise<void> {
  const readiness = skipsWait(object) ? undefined : ownReadiness(object);
  if (readiness === undefined || readiness.ready) return;
  const seen = { live: object, readiness, pods: [] };
  throw new NotReady(`${called(object)} exists, but is not ready`, object, await reasons(seen, options));
}

const deletedWithoutWait = new Set(["v1 Namespace", "apps/v1 Deployment", "apps/v1 StatefulSet", "batch/v1 Job"]);

/** Waits until an object is gone (or another has taken its name). */
export async function waitUntilGone(inputs: KubeObject, object: KubeObject, options: WaitOptions): Promise<void> {
  if (skipsWait(inputs) && deletedWithoutWait.has(`${apiVersionOf(object)} ${kindOf(object)}`)) return;
  const seconds = timeoutSeconds(options.timeout, inputs);
  const timeout = AbortSignal.timeout(seconds * 1000);
  const done = new AbortController();
  const signal = AbortSignal.any([options.signal, timeout, done.signal]);
  const uid = textAt(object, "metadata", "uid");
  let last = object;
  try {
    const { cluster, kind, status } = options;
    for await (const live of cluster.follow(kind, objectNamespace(object), objectName(object), signal)) {
      if (live === undefined || textAt(live, "metadata", "uid") !== uid) return;
      last = live;
      void status("waiting until it is gone");
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    const finalizers = listAt(last, "metadata", "finalizers").join(", ");
    const held = finalizers === "" ? [] : [`finalizers may hold it: ${finalizers}`];
    const conditions = listAt(last, "status", "conditions").map((condition) => textAt(condition, "message"));
    const ended = options.signal.aborted ? "was cancelled" : `took more than ${seconds} s`;
    throw new NotReady(`the deletion of ${called(object)} ${ended}`, last, [
      ...held,
      ...conditions.filter((it) => it !== ""),
    ]);
  } finally {
    done.abort();
    // The line must be cleared before the resource is done: it would stay beside it.
    await options.status("");
  }
}
