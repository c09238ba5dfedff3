import { podSecurityRule } from "./check.ts";

/** Kernel settings that a pod has for itself alone, and the minor version since which the standard allows each. */
const allowedSince: Readonly<Record<string, number>> = {
  "kernel.shm_rmid_forced": 0,
  "net.ipv4.ip_local_port_range": 0,
  "net.ipv4.ip_unprivileged_port_start": 0,
  "net.ipv4.ping_group_range": 0,
  "net.ipv4.tcp_syncookies": 0,
  "net.ipv4.ip_local_reserved_ports": 27,
  "net.ipv4.tcp_fin_timeout": 29,
  "net.ipv4.tcp_keepalive_intvl": 29,
  "net.ipv4.tcp_keepalive_probes": 29,
  "net.ipv4.tcp_keepalive_time": 29,
  "net.ipv4.tcp_rmem": 32,
  "net.ipv4.tcp_wmem": 32,
  "net.ipv4.tcp_notsent_lowat": 37,
  "net.ipv4.tcp_slow_start_after_idle": 37,
};

export const sysctls = podSecurityRule({
  id: "sysctls",
  level: "baseline",
  summary: "A pod sets no kernel setting but those that it has for itself alone.",
  why: "The others hold for every pod on the machine, or are refused by its kubelet.",
  severity: "medium",
  example: {
    bad: "securityContext:\n  sysctls:\n    - {name: kernel.msgmax, value: '65536'}",
    good: "securityContext:\n  sysctls:\n    - {name: net.ipv4.ip_unprivileged_port_start, value: '80'}",
  },
  *find({ spec, specPath }, minor) {
    for (const { name } of spec.securityContext?.sysctls ?? []) {
      const since = allowedSince[name] ?? Number.POSITIVE_INFINITY;
      if (since <= minor) continue;
      yield {
        path: `${specPath}.securityContext.sysctls[${name}]`,
        found: name,
        wanted: "a setting that is the pod's own",
        fix: "remove it",
      };
    }
  },
});
