import { placesOf, podSecurityRule } from "./check.ts";

export const windowsHostProcess = podSecurityRule({
  id: "windowsHostProcess",
  level: "baseline",
  summary: "No Windows container runs as a process of its machine.",
  why: "Such a container has all rights on the machine.",
  severity: "critical",
  example: {
    bad: "securityContext:\n  windowsOptions: {hostProcess: true}",
    good: "securityContext:\n  windowsOptions: {hostProcess: false}",
  },
  *find(pod) {
    for (const { value, path } of placesOf(pod, "windowsOptions")) {
      if (value.hostProcess !== true) continue;
      yield { path: `${path}.hostProcess`, found: "true", wanted: "false or nothing", fix: "remove hostProcess" };
    }
  },
});
