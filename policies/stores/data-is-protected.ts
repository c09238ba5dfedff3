import { at, listOf, nameOf, namespaceOf, textOf } from "../manifest.ts";
import type { StackRule, Subject } from "../rule.ts";
import { ofKind } from "../stack.ts";
import { kindOf } from "../subject.ts";

/** What is gone with the resource that declares it. */
export const dataIsProtected: StackRule = {
  id: "data-is-protected",
  summary:
    "Whatever holds data is protected: databases, schemas, volumes, backup stores and their keys, and the namespaces around them.",
  why: "One renamed resource, or one `pulumi destroy` on the wrong stack, deletes all tasks of all users.",
  severity: "critical",
  sources: ["S0-15", "S4-16", "S4-29", "S4-74"],
  levels: { local: "disabled", staging: "mandatory", production: "mandatory" },
  example: {
    bad: 'new Cluster("postgres", args)',
    good: 'new Cluster("postgres", args, {protect: true, retainOnDelete: true})',
  },
  judgeStack(subjects) {
    const holders = subjects.filter(holdsData);
    const homes = new Set([...holders, ...ofKind(subjects, "Prometheus", "Alertmanager")].map(namespaceOf));
    return [...holders, ...ofKind(subjects, "Namespace").filter((namespace) => homes.has(nameOf(namespace)))]
      .filter(({ protect }) => !protect)
      .map((subject) => ({
        subject,
        finding: {
          path: "protect",
          found: `${kindOf(subject) ?? subject.type} ${nameOf(subject)} holds data and is not protected`,
          wanted: "protect: true",
          fix: "set the option protect, by the environment's defaults in settings/environments.ts",
        },
      }));
  },
};

function holdsData(subject: Subject): boolean {
  const { type, name } = subject;
  switch (kindOf(subject)) {
    case "PersistentVolumeClaim":
    case "ObjectStore":
    case "Elasticsearch":
      return true;
    case "Cluster":
      return type.includes("postgresql.cnpg.io");
    case "StatefulSet":
      return listOf(at(subject.object, "spec", "volumeClaimTemplates")).length > 0;
    case "Secret":
      // Backups cannot be read without it.
      return (textOf(at(subject.object, "metadata", "name")) ?? name).endsWith("backup-key");
    case undefined:
      return (
        ["postgresql:index/database:Database", "postgresql:index/schema:Schema"].includes(type) ||
        (type === "random:index/randomPassword:RandomPassword" && /^jwt-secret$|backup-key$/.test(name))
      );
    default:
      return false;
  }
}
