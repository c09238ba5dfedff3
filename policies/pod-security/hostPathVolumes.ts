import { podSecurityRule } from "./check.ts";

export const hostPathVolumes = podSecurityRule({
  id: "hostPathVolumes",
  level: "baseline",
  summary: "No pod mounts a directory of its machine.",
  why: "Whoever writes there changes the machine, and whoever reads there reads what belongs to other pods.",
  severity: "high",
  example: {
    bad: "volumes:\n  - name: data\n    hostPath: {path: /var/lib/data}",
    good: "volumes:\n  - name: data\n    persistentVolumeClaim: {claimName: data}",
  },
  *find({ spec, specPath }) {
    for (const { name, hostPath } of spec.volumes ?? []) {
      if (hostPath === undefined || hostPath === null) continue;
      yield {
        path: `${specPath}.volumes[${name}].hostPath`,
        found: "a directory of the machine",
        wanted: "another kind of volume",
        fix: "use a persistentVolumeClaim, or an emptyDir for what may be lost",
      };
    }
  },
});
