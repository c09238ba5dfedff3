import { eachContainer, hasOwnUsers, placesOf, podSecurityRule } from "./check.ts";

export const runAsNonRoot = podSecurityRule({
  id: "runAsNonRoot",
  level: "restricted",
  summary: "Every container must run as another user than root, unless its pod has users of its own (since 1.35).",
  why: "Root in a container is root on the machine for every fault of the runtime, and an image's own user may be root.",
  severity: "high",
  example: {
    bad: "spec:\n  securityContext: {runAsNonRoot: true}\n  containers:\n    - securityContext: {runAsNonRoot: false}",
    good: "spec:\n  securityContext: {runAsNonRoot: true}",
  },
  *find(pod, minor) {
    if (hasOwnUsers(pod, minor)) return;
    for (const { value, path } of placesOf(pod, "runAsNonRoot")) {
      if (value === false) yield { path, found: "false", wanted: "true", fix: "set runAsNonRoot: true" };
    }
    yield* eachContainer(pod, function* ({ security }) {
      const { value, path } = security.runAsNonRoot;
      if (value !== undefined) return;
      yield {
        path,
        found: "nothing, at the container and at the pod",
        wanted: "true",
        fix: "set runAsNonRoot: true in the pod's securityContext",
      };
    });
  },
});
