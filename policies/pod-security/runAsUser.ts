import { hasOwnUsers, placesOf, podSecurityRule } from "./check.ts";

export const runAsUser = podSecurityRule({
  id: "runAsUser",
  level: "restricted",
  summary: "No pod and no container names user 0, unless the pod has users of its own (since 1.35).",
  why: "User 0 is root: with runAsNonRoot such a pod does not even start, without it the container is root.",
  severity: "high",
  example: {
    bad: "securityContext:\n  runAsUser: 0",
    good: "securityContext:\n  runAsUser: 10001",
  },
  *find(pod, minor) {
    if (hasOwnUsers(pod, minor)) return;
    for (const { value, path } of placesOf(pod, "runAsUser")) {
      if (value === 0) yield { path, found: "0", wanted: "another user or nothing", fix: "name a user above 0" };
    }
  },
});
