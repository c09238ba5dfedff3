import type { types } from "@pulumi/kubernetes";

/**
 * A directory that goes with its pod, of at most this size (a Kubernetes quantity). Without a limit one pod can fill its node's
 * disk, and the kubelet then evicts its neighbours, the other colour's among them.
 */
export const scratch = (name: string, sizeLimit: string): types.input.core.v1.Volume => ({
  name,
  emptyDir: { sizeLimit },
});
