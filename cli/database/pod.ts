import type { V1ContainerStatus, V1Pod } from "@kubernetes/client-node";

/** How a pod that runs one command stands. */
export type PodState =
  /** Not running yet; what keeps it from running, when it is more than the usual moments. */
  | { readonly kind: "waiting"; readonly obstacle: string | undefined }
  | { readonly kind: "running" }
  | {
      readonly kind: "ended";
      readonly exitCode: number;
      /** Its last words (the termination message), or the system's reason for its end; empty when there is none. */
      readonly message: string;
    };

const usualWaits = ["ContainerCreating", "PodInitializing", undefined];

/** The state of a Job's pod, by what the API server says of it. */
export function podState({ metadata, status }: V1Pod): PodState {
  const [main] = status?.containerStatuses ?? [];
  const ended = main?.state?.terminated;
  if (ended) {
    const message = (ended.message ?? "").trim() || (ended.exitCode === 0 ? "" : causeOf(ended.reason, ended.exitCode));
    return { kind: "ended", exitCode: ended.exitCode, message };
  }
  if (status?.phase === "Failed") return { kind: "ended", exitCode: 1, message: failureOf(status) };
  if (main?.state?.running) return { kind: "running" };
  return { kind: "waiting", obstacle: obstacleOf(metadata?.name ?? "", status) };
}

function causeOf(reason: string | undefined, exitCode: number): string {
  if (reason === "OOMKilled") return "it was ended because it needed more memory than its limit";
  return reason === undefined || reason === "Error" ? "" : `it ended with exit code ${exitCode} (${reason})`;
}

/** Why a pod failed without its command: evicted, or an init container ended badly. */
function failureOf(status: NonNullable<V1Pod["status"]>): string {
  const init = status.initContainerStatuses?.find(({ state }) => (state?.terminated?.exitCode ?? 0) !== 0);
  if (init) {
    const { exitCode, message = "" } = init.state?.terminated ?? {};
    return `its init container ${init.name} ended with exit code ${exitCode}${message === "" ? "" : `: ${message.trim()}`}`;
  }
  return [status.reason, status.message].filter((part) => (part ?? "") !== "").join(": ");
}

function obstacleOf(name: string, status: V1Pod["status"]): string | undefined {
  const scheduled = status?.conditions?.find(({ type }) => type === "PodScheduled");
  if (scheduled?.status === "False")
    return `pod ${name} is not scheduled: ${scheduled.message ?? scheduled.reason ?? ""}`;
  const all = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  return all.map((each) => waitOf(name, each)).find((wait) => wait !== undefined);
}

function waitOf(pod: string, { name, image, state }: V1ContainerStatus): string | undefined {
  const waiting = state?.waiting;
  if (waiting === undefined || usualWaits.includes(waiting.reason)) return undefined;
  const detail = waiting.message === undefined ? "" : `: ${waiting.message}`;
  const pulls = ["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"];
  if (pulls.includes(waiting.reason ?? "")) {
    return `pod ${pod}: the image ${image} cannot be pulled (${waiting.reason}${detail})`;
  }
  return `pod ${pod}, container ${name}: ${waiting.reason}${detail}`;
}
