import { placesOf, podSecurityRule } from "./check.ts";

const types = ["container_t", "container_init_t", "container_kvm_t"];
const typesSince31 = [...types, "container_engine_t"];

export const seLinuxOptions = podSecurityRule({
  id: "seLinuxOptions",
  level: "baseline",
  summary: "SELinux options name a container's type, and neither user nor role.",
  why: "Another type, user or role takes the container out of the confinement that SELinux keeps it in.",
  severity: "high",
  example: {
    bad: "securityContext:\n  seLinuxOptions: {type: spc_t}",
    good: "securityContext:\n  seLinuxOptions: {type: container_t}",
  },
  *find(pod, minor) {
    const allowed = minor >= 31 ? typesSince31 : types;
    for (const { value, path } of placesOf(pod, "seLinuxOptions")) {
      if (value.type && !allowed.includes(value.type)) {
        yield {
          path: `${path}.type`,
          found: value.type,
          wanted: `${allowed.join(", ")} or nothing`,
          fix: "remove type",
        };
      }
      for (const field of ["user", "role"] as const) {
        if (value[field]) yield { path: `${path}.${field}`, found: "one", wanted: "none", fix: `remove ${field}` };
      }
    }
  },
});
