import type { PodView } from "../pod.ts";
import type { Finding } from "../rule.ts";
import { placesOf, podSecurityRule } from "./check.ts";

const allowed: readonly (string | undefined)[] = ["RuntimeDefault", "Localhost"];

export const seccompProfileBaseline = podSecurityRule({
  id: "seccompProfile_baseline",
  level: "baseline",
  summary: "No pod and no container turns seccomp off.",
  why: "Unconfined, a container may call all of the kernel, and most ways out of a container are a rare system call.",
  severity: "high",
  example: {
    bad: "securityContext:\n  seccompProfile: {type: Unconfined}",
    good: "securityContext:\n  seccompProfile: {type: RuntimeDefault}",
  },
  find: unconfined,
});

/** Every place that names a profile which confines nothing. */
export function* unconfined(pod: PodView): Generator<Finding> {
  for (const { value, path } of placesOf(pod, "seccompProfile")) {
    if (allowed.includes(value.type)) continue;
    yield {
      path: `${path}.type`,
      found: value.type || "no type",
      wanted: "RuntimeDefault or Localhost",
      fix: "set seccompProfile.type: RuntimeDefault",
    };
  }
}
