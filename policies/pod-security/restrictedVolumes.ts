import { podSecurityRule } from "./check.ts";

const allowed = [
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "image",
  "persistentVolumeClaim",
  "projected",
  "secret",
] as const;

export const restrictedVolumes = podSecurityRule({
  id: "restrictedVolumes",
  level: "restricted",
  summary: `Volumes are of these kinds only: ${allowed.join(", ")}.`,
  why: "The other kinds name a disk or a server in the pod itself, past the claim that an administrator can refuse.",
  severity: "medium",
  example: {
    bad: "volumes:\n  - name: data\n    nfs: {server: 10.0.0.1, path: /data}",
    good: "volumes:\n  - name: data\n    persistentVolumeClaim: {claimName: data}",
  },
  *find({ spec, specPath }) {
    for (const volume of spec.volumes ?? []) {
      const kinds = Object.keys(volume).filter((key) => key !== "name");
      // The API makes an emptyDir of a volume without a kind.
      if (kinds.length === 0 || allowed.some((kind) => kind in volume && volume[kind] !== null)) continue;
      yield {
        path: `${specPath}.volumes[${volume.name}]`,
        found: kinds.join(", "),
        wanted: `one of ${allowed.join(", ")}`,
        fix: "use a persistentVolumeClaim, or an emptyDir for what may be lost",
      };
    }
  },
});
