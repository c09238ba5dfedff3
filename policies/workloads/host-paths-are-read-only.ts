import { everywhere } from "../levels.ts";
import { podsOf } from "../pod.ts";
import type { ResourceRule } from "../rule.ts";

/** Even where a directory of the machine is let in. */
export const hostPathsAreReadOnly: ResourceRule = {
  id: "host-paths-are-read-only",
  summary: "A directory of the machine is mounted read-only.",
  why: "Who can write to the machine's files owns the machine and every pod on it.",
  severity: "critical",
  sources: ["kube-linter writable-host-mount", "C-0045"],
  levels: everywhere,
  example: {
    bad: "volumeMounts: [{name: host, mountPath: /host}]",
    good: "volumeMounts: [{name: host, mountPath: /host, readOnly: true}]",
  },
  judge: (subject) =>
    podsOf(subject).flatMap(({ spec, containers }) => {
      const host = (spec.volumes ?? []).filter((volume) => volume.hostPath !== undefined).map(({ name }) => name);
      return containers.flatMap(({ path, object }) =>
        (object.volumeMounts ?? [])
          .filter(({ name, readOnly }) => host.includes(name) && readOnly !== true)
          .map(({ name, mountPath }) => ({
            path: `${path}.volumeMounts[${mountPath}]`,
            found: `volume ${name} of the machine, to write`,
            wanted: "readOnly: true",
            fix: "write readOnly: true",
          })),
      );
    }),
};
