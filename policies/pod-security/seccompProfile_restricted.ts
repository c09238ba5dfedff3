import { eachContainer, isForWindows, podSecurityRule } from "./check.ts";
import { unconfined } from "./seccompProfile_baseline.ts";

export const seccompProfileRestricted = podSecurityRule({
  id: "seccompProfile_restricted",
  level: "restricted",
  summary: "Every container has a seccomp profile that is said: the runtime's, or one of the machine.",
  why: "Kubernetes' default is none, unless every kubelet was told otherwise.",
  severity: "high",
  example: {
    bad: "spec:\n  securityContext: {}",
    good: "spec:\n  securityContext:\n    seccompProfile: {type: RuntimeDefault}",
  },
  *find(pod) {
    if (isForWindows(pod)) return;
    yield* unconfined(pod);
    yield* eachContainer(pod, function* ({ security }) {
      const { value, path } = security.seccompProfile;
      if (value !== undefined) return;
      yield {
        path: `${path}.type`,
        found: "nothing, at the container and at the pod",
        wanted: "RuntimeDefault or Localhost",
        fix: "set seccompProfile.type: RuntimeDefault in the pod's securityContext",
      };
    });
  },
});
