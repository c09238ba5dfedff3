import { eachContainer, podSecurityRule } from "./check.ts";

/** What a container runtime gives every container anyway. */
const common: ReadonlySet<string> = new Set([
  "AUDIT_WRITE",
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "FSETID",
  "KILL",
  "MKNOD",
  "NET_BIND_SERVICE",
  "SETFCAP",
  "SETGID",
  "SETPCAP",
  "SETUID",
  "SYS_CHROOT",
]);

export const capabilitiesBaseline = podSecurityRule({
  id: "capabilities_baseline",
  level: "baseline",
  summary: "No container adds a capability beyond those that runtimes give by default.",
  why: "SYS_ADMIN, NET_RAW and their like reach the machine, or the traffic of other pods on it.",
  severity: "high",
  example: {
    bad: "securityContext:\n  capabilities: {add: [NET_RAW]}",
    good: "securityContext:\n  capabilities: {drop: [ALL]}",
  },
  *find(pod) {
    yield* eachContainer(pod, function* ({ security }) {
      const { value, path } = security.capabilities;
      const added = (value?.add ?? []).filter((capability) => !common.has(capability));
      if (added.length === 0) return;
      yield {
        path: `${path}.add`,
        found: added.join(", "),
        wanted: "none beyond the runtime's default",
        fix: `remove ${added.join(", ")}`,
      };
    });
  },
});
