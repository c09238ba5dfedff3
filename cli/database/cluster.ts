import {
  ApiException,
  BatchV1Api,
  CoreV1Api,
  type KubeConfig,
  type V1CronJob,
  type V1Job,
  type V1Pod,
} from "@kubernetes/client-node";
import { Failure } from "../failure.ts";
import { toolsName } from "./job.ts";

/** What a command needs of the cluster; a value, so that a test needs none. */
export interface ToolCluster {
  /** The template of the stack's database programs; undefined: the stack is not up. */
  template(): Promise<V1CronJob | undefined>;
  create(job: V1Job): Promise<V1Job>;
  /** The pod of a Job; undefined: it has none (yet, or any more). */
  pod(job: string): Promise<V1Pod | undefined>;
  /** All that the command has printed so far. */
  log(pod: V1Pod): Promise<string>;
  /** Why a Job has no pod any more, in the cluster's own words. */
  ending(job: string): Promise<string>;
  /** The last warning about an object, by its uid; undefined when there is none. */
  warning(uid: string): Promise<string | undefined>;
  /** Deletes a Job and its pod, if they are there. */
  remove(job: string): Promise<void>;
}

/** The cluster of a kubeconfig's current context. Every refusal and every silence of it is a Failure with its address. */
export function toolCluster(config: KubeConfig, namespace: string): ToolCluster {
  const batch = config.makeApiClient(BatchV1Api);
  const core = config.makeApiClient(CoreV1Api);
  const server = config.getCurrentCluster()?.server ?? "of an unknown address";
  const ask = <T>(what: string, work: () => Promise<T>) => explained(`${what} in namespace ${namespace}`, server, work);
  return {
    template: () =>
      ask(`get CronJob ${toolsName}`, () => unlessAbsent(batch.readNamespacedCronJob({ namespace, name: toolsName }))),
    create: (body) => ask("create a Job", () => batch.createNamespacedJob({ namespace, body })),
    pod: (job) =>
      ask("list pods", async () => {
        const { items } = await core.listNamespacedPod({
          namespace,
          labelSelector: `batch.kubernetes.io/job-name=${job}`,
        });
        return items[0];
      }),
    log: ({ metadata, spec }) =>
      ask("read a pod's log", async () => {
        const read = { namespace, name: metadata?.name ?? "", container: spec?.containers[0]?.name ?? "" };
        return (await unlessAbsent(core.readNamespacedPodLog(read))) ?? "";
      }),
    ending: (name) =>
      ask("get a Job", async () => {
        const live = await unlessAbsent(batch.readNamespacedJob({ namespace, name }));
        if (live === undefined) return "somebody deleted the Job";
        const failed = live.status?.conditions?.find(({ type, status }) => type === "Failed" && status === "True");
        return failed === undefined ? "its pod is gone" : `${failed.reason}: ${failed.message}`;
      }),
    warning: (uid) =>
      ask("read events", async () => {
        const fieldSelector = `involvedObject.uid=${uid},type=Warning`;
        const { items } = await core.listNamespacedEvent({ namespace, fieldSelector });
        // Of a pull that fails the last event says only that it failed: the one before names the image.
        return items.findLast(({ message = "" }) => !message.startsWith("Error: "))?.message;
      }),
    remove: (name) =>
      ask(`delete Job ${name}`, async () => {
        await unlessAbsent(batch.deleteNamespacedJob({ namespace, name, propagationPolicy: "Background" }));
      }),
  };
}

/** The cluster could not be reached: it may be again in a moment. */
export class Unreachable extends Failure {}

/** What the API answers, or undefined when the object is not there. */
export async function unlessAbsent<T>(answer: Promise<T>): Promise<T | undefined> {
  return answer.catch((error: unknown) => {
    if (error instanceof ApiException && error.code === 404) return undefined;
    throw error;
  });
}

/** An answer of the API server; what it refuses, and that it does not answer, in words for people. */
export async function explained<T>(what: string, server: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ApiException) {
      throw new Failure(`the cluster at ${server} refused to ${what} (${error.code}): ${reasonOf(error.body)}`, 1, {
        cause: error,
      });
    }
    if (!isNetworkError(error)) throw error;
    throw new Unreachable(`the cluster at ${server} does not answer: ${networkReason(error)}`, 2, { cause: error });
  }
}

function reasonOf(body: unknown): string {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  try {
    const status: unknown = JSON.parse(text);
    const message = typeof status === "object" && status !== null ? Reflect.get(status, "message") : undefined;
    return typeof message === "string" ? message : text;
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}

const isNetworkError = (error: unknown): error is Error =>
  error instanceof Error && (codeOf(error) !== undefined || codeOf(error.cause) !== undefined);

const codeOf = (error: unknown): unknown =>
  typeof error === "object" && error !== null && "code" in error ? error.code : undefined;

const networkReason = (error: Error): string =>
  error.cause instanceof Error ? error.cause.message || String(codeOf(error.cause)) : error.message;
