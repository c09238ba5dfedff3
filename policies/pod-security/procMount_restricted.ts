import { podSecurityRule } from "./check.ts";
import { unmasked } from "./procMount.ts";

export const procMountRestricted = podSecurityRule({
  id: "procMount_restricted",
  level: "restricted",
  since: 35,
  summary: "No container sees an unmasked /proc, whatever its users are.",
  why: "Since 1.35 a pod with users of its own may under `baseline`; an application has no need for it.",
  severity: "high",
  example: {
    bad: "spec:\n  hostUsers: false\n  containers:\n    - securityContext: {procMount: Unmasked}",
    good: "spec:\n  hostUsers: false\n  containers:\n    - securityContext: {procMount: Default}",
  },
  find: unmasked,
});
