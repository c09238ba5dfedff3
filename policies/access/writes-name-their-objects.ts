import { everywhere } from "../levels.ts";
import { textsOf } from "../manifest.ts";
import type { ResourceRule } from "../rule.ts";
import { allows, grantsOf } from "./grants.ts";

/** `create` cannot be held to a name: the object has none yet. */
export const writesNameTheirObjects: ResourceRule = {
  id: "writes-name-their-objects",
  summary: "A role reads, changes or deletes objects only by name; lists and watches apart.",
  why: "The guard may lower one route: without its name it may send the users of every other application elsewhere.",
  severity: "high",
  sources: ["S1-36", "KSV049", "KSV056"],
  levels: everywhere,
  example: {
    bad: "rules:\n  - {apiGroups: [gateway.networking.k8s.io], resources: [httproutes], verbs: [patch]}",
    good: "rules:\n  - {apiGroups: [gateway.networking.k8s.io], resources: [httproutes], resourceNames: [taskflow], verbs: [patch]}",
  },
  judge: (subject) =>
    grantsOf(subject)
      .filter(({ grant }) => !textsOf(grant.resourceNames).some((name) => name !== ""))
      // A machine's figures: who watches all machines cannot know their names.
      .filter(({ grant }) => textsOf(grant.resources).some((resource) => resource !== "nodes/metrics"))
      .filter(({ grant }) =>
        allows(grant, ["get", "update", "patch", "delete", "deletecollection"], textsOf(grant.resources)),
      )
      .map(({ path, grant }) => ({
        path: `${path}.resourceNames`,
        found: `${textsOf(grant.verbs).join(", ")} on any of ${textsOf(grant.resources).join(", ")}`,
        wanted: "the names of the objects",
        fix: "write resourceNames",
      })),
};
