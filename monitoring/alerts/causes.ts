/**
 * The label `cause`: a critical alert mutes what is less urgent of the same namespace and cause. Alerts of one cause say the
 * same thing louder or softer; an alert without one gets its own name, since two without any would count as equal.
 */
export const causes = {
  errors: "errors",
  latency: "latency",
  availability: "availability",
  certificate: "certificate",
  rollout: "rollout",
  database: "database",
  backup: "backup",
  cache: "cache",
  disk: "disk",
  volume: "volume",
} as const;
