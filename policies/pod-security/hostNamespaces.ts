import { podSecurityRule } from "./check.ts";

const shared = ["hostNetwork", "hostPID", "hostIPC"] as const;

export const hostNamespaces = podSecurityRule({
  id: "hostNamespaces",
  level: "baseline",
  summary: "No pod shares the network, the processes or the memory of its machine.",
  why: "A pod in the machine's network sees all its traffic and passes every NetworkPolicy by; in its processes it reads their secrets.",
  severity: "high",
  example: { bad: "spec:\n  hostNetwork: true", good: "spec:\n  hostNetwork: false" },
  *find({ spec, specPath }) {
    for (const field of shared) {
      if (spec[field] !== true) continue;
      yield { path: `${specPath}.${field}`, found: "true", wanted: "false or nothing", fix: `remove ${field}` };
    }
  },
});
