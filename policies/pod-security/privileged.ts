import { eachContainer, podSecurityRule } from "./check.ts";

export const privileged = podSecurityRule({
  id: "privileged",
  level: "baseline",
  summary: "No container is privileged.",
  why: "A privileged container is root on its machine: whoever breaks into it has every pod and every secret there.",
  severity: "critical",
  example: {
    bad: "securityContext:\n  privileged: true",
    good: "securityContext:\n  allowPrivilegeEscalation: false\n  capabilities: {drop: [ALL]}",
  },
  *find(pod) {
    yield* eachContainer(pod, function* ({ security }) {
      const { value, path } = security.privileged;
      if (value === true) yield { path, found: "true", wanted: "false or nothing", fix: "remove privileged" };
    });
  },
});
