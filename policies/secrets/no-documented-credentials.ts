import { documentedCredential } from "../../settings/documented-credentials.ts";
import { always } from "../levels.ts";
import { leavesOf, treeOf } from "../manifest.ts";
import type { ResourceRule, Subject } from "../rule.ts";
import { kindOf } from "../subject.ts";
import { isUnknown, knownPart } from "../unknown.ts";
import { isReportToCome } from "./report.ts";

/** The examples of the source documents are known to everybody who has read them. */
export const noDocumentedCredentials: ResourceRule = {
  id: "no-documented-credentials",
  summary:
    "None of the credentials that the project's documents hand out stands anywhere: not in an object, a role or a provider.",
  why: "They are the first that an attacker tries, and the documents are older than the stack.",
  severity: "critical",
  sources: ["C39", "S0-02", "S0-43", "S1-28", "S4-12", "S4-58"],
  levels: always,
  example: { bad: "env:\n  - {name: JWT_SECRET, value: …}", good: "envFrom:\n  - secretRef: {name: taskflow-green}" },
  *judge(subject) {
    for (const field of Object.keys(subject.object)) {
      for (const { path, text } of leavesOf(openOf(subject, field), field)) {
        const found = documentedCredential(text) ?? (isEncoded(subject, field) ? documentedIn64(text) : undefined);
        if (found !== undefined)
          yield {
            path,
            found,
            wanted: "a value that nobody has read",
            fix: "generate it with @pulumi/random, and refer to its Secret",
          };
      }
    }
  },
};

/** Fields whose values are bytes in base64. */
const isEncoded = (subject: Subject, field: string): boolean =>
  (kindOf(subject) === "Secret" && field === "data") || (kindOf(subject) === "ConfigMap" && field === "binaryData");

const documentedIn64 = (text: string) => documentedCredential(Buffer.from(text, "base64").toString("utf8"));

/**
 * What a preview knows for certain. The payload of a Secret and the password of a login are generated in the first `up`, so that asking
 * for them would leave every first preview undecided: of those only what is known is read. Somebody wrote that down, and in the `up`
 * the rule is asked again, with the rest.
 */
function openOf(subject: Subject, field: string): unknown {
  const kind = kindOf(subject);
  const generated =
    kind === "Secret" ? ["data", "stringData"] : kind === undefined ? ["password", "keepers"] : ["status"];
  if (generated.includes(field)) return isUnknown(subject.object, field) ? undefined : knownPart(subject.object[field]);
  const value = treeOf(subject.object)[field];
  if (kind !== "ConfigMap" || field !== "data") return value;
  const data = treeOf(value);
  const known = Object.keys(data).filter((name) => !isReportToCome(subject, name));
  return Object.fromEntries(known.map((name) => [name, data[name]]));
}
