import { eachContainer, isForWindows, podSecurityRule } from "./check.ts";

export const capabilitiesRestricted = podSecurityRule({
  id: "capabilities_restricted",
  level: "restricted",
  summary: "Every container drops all capabilities, and adds none but NET_BIND_SERVICE.",
  why: "What a process cannot do as root it cannot be made to do; a long list of dropped ones always misses the next.",
  severity: "high",
  example: {
    bad: "securityContext:\n  capabilities: {drop: [NET_RAW, SYS_ADMIN]}",
    good: "securityContext:\n  capabilities: {drop: [ALL]}",
  },
  *find(pod) {
    if (isForWindows(pod)) return;
    yield* eachContainer(pod, function* ({ security }) {
      const { value, path } = security.capabilities;
      const dropped = value?.drop ?? [];
      if (!dropped.includes("ALL")) {
        yield {
          path: `${path}.drop`,
          found: dropped.join(", ") || "nothing",
          wanted: "ALL",
          fix: "set capabilities.drop to [ALL]",
        };
      }
      const added = (value?.add ?? []).filter((capability) => capability !== "NET_BIND_SERVICE");
      if (added.length > 0) {
        yield {
          path: `${path}.add`,
          found: added.join(", "),
          wanted: "nothing, or NET_BIND_SERVICE",
          fix: `remove ${added.join(", ")}`,
        };
      }
    });
  },
});
