import { everywhere } from "../levels.ts";
import { podsOf } from "../pod.ts";
import type { Finding, ResourceRule } from "../rule.ts";

/** A user that its image does not know gets group 0 unless it is told another. */
export const groupsAreNotRoot: ResourceRule = {
  id: "groups-are-not-root",
  summary: "A container that is given a user is given a group, too, and no pod's group or volume group is 0.",
  why: "Images leave much of their root to group 0 to write: it is half of being root.",
  severity: "low",
  sources: ["KSV116", "CIS 5.2"],
  levels: everywhere,
  example: {
    bad: "securityContext: {runAsNonRoot: true, runAsUser: 1000}",
    good: "securityContext: {runAsNonRoot: true, runAsUser: 1000, runAsGroup: 1000, fsGroup: 1000}",
  },
  judge: (subject) =>
    podsOf(subject).flatMap(({ spec, specPath, containers }) => {
      const pod = spec.securityContext;
      const volumes: readonly Finding[] =
        pod?.fsGroup === 0
          ? [rootGroup(`${specPath}.securityContext.fsGroup`, "0", "write fsGroup with the program's own group")]
          : [];
      return [
        ...volumes,
        ...containers.flatMap(({ path, object }) => {
          const user = object.securityContext?.runAsUser ?? pod?.runAsUser;
          const group = object.securityContext?.runAsGroup ?? pod?.runAsGroup;
          const toRoot = group === 0 || (group === undefined && user !== undefined && user !== 0);
          return toRoot
            ? [rootGroup(`${path}.securityContext.runAsGroup`, `${group ?? "nothing"}`, "write runAsGroup")]
            : [];
        }),
      ];
    }),
};

const rootGroup = (path: string, found: string, fix: string): Finding => ({
  path,
  found,
  wanted: "a group above 0",
  fix,
});
