import type { types } from "@pulumi/kubernetes";

type PodSpec = types.input.core.v1.PodSpec;
type Container = types.input.core.v1.Container;

/** Pod-level half of Pod Security `restricted` (S2-22, S1-36): a user of its own, no token, the runtime's seccomp profile. */
export function restrictedPod(uid: number): Pick<PodSpec, "automountServiceAccountToken" | "securityContext"> {
  return {
    automountServiceAccountToken: false,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: uid,
      runAsGroup: uid,
      fsGroup: uid,
      fsGroupChangePolicy: "OnRootMismatch",
      seccompProfile: { type: "RuntimeDefault" },
    },
  };
}

/** Container-level half of Pod Security `restricted`, with a read-only root: what must be written gets a volume. */
export function restrictedContainer(): Pick<Container, "securityContext"> {
  return {
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    },
  };
}
