import type { PodView } from "../pod.ts";
import type { Finding } from "../rule.ts";
import { eachContainer, hasOwnUsers, podSecurityRule } from "./check.ts";

export const procMount = podSecurityRule({
  id: "procMount",
  level: "baseline",
  summary: "No container sees an unmasked /proc, unless its pod has users of its own (since 1.35).",
  why: "The masked files change the kernel of the machine, or tell of everything that runs on it.",
  severity: "high",
  example: {
    bad: "securityContext:\n  procMount: Unmasked",
    good: "securityContext:\n  procMount: Default",
  },
  *find(pod, minor) {
    if (!hasOwnUsers(pod, minor)) yield* unmasked(pod);
  },
});

/** Every container whose /proc is another than the default. */
export function* unmasked(pod: PodView): Generator<Finding> {
  yield* eachContainer(pod, function* ({ security }) {
    const { value, path } = security.procMount;
    if (value === undefined || value === "Default") return;
    yield { path, found: value, wanted: "Default or nothing", fix: "remove procMount" };
  });
}
