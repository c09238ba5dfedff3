import { eachContainer, isForWindows, podSecurityRule } from "./check.ts";

export const allowPrivilegeEscalation = podSecurityRule({
  id: "allowPrivilegeEscalation",
  level: "restricted",
  summary: "Every container forbids its processes to gain rights.",
  why: "Without it one setuid file in an image makes root of whoever got in; Kubernetes' default is to allow it.",
  severity: "high",
  example: {
    bad: "securityContext: {}",
    good: "securityContext:\n  allowPrivilegeEscalation: false",
  },
  *find(pod) {
    if (isForWindows(pod)) return;
    yield* eachContainer(pod, function* ({ security }) {
      const { value, path } = security.allowPrivilegeEscalation;
      if (value === false) return;
      const found = value === undefined ? "nothing, which allows it" : "true";
      yield { path, found, wanted: "false", fix: "set allowPrivilegeEscalation: false" };
    });
  },
});
