import { everywhere } from "../levels.ts";
import { labelsOf, textsOf } from "../manifest.ts";
import type { Finding, ResourceRule, Subject } from "../rule.ts";
import { kindOf } from "../subject.ts";
import { grantsOf } from "./grants.ts";

/** A role says what it may, one by one. */
export const noWildcards: ResourceRule = {
  id: "no-wildcards",
  summary:
    "No role has `*` as a verb, a resource, an API group or a URL, gathers the rules of others by label, or adds its own to theirs.",
  why: "A wildcard takes in what does not exist yet: the next custom resource, and Secrets today.",
  severity: "critical",
  sources: ["S1-36", "CKV_K8S_49", "KSV044", "KSV045", "KSV046", "kube-linter wildcard-in-rules"],
  levels: everywhere,
  example: {
    bad: 'rules:\n  - {apiGroups: [""], resources: ["*"], verbs: [get]}',
    good: 'rules:\n  - {apiGroups: [""], resources: [pods], verbs: [get]}',
  },
  judge: (subject) => [
    ...(kindOf(subject) === "ClusterRole" ? aggregation(subject) : []),
    ...grantsOf(subject).flatMap(({ path, grant }) =>
      ["apiGroups", "resources", "verbs", "nonResourceURLs"].flatMap((field) =>
        textsOf(grant[field]).some((value) => value.includes("*"))
          ? [{ path: `${path}.${field}`, found: "*", wanted: "names", fix: "list what it needs, one by one" }]
          : [],
      ),
    ),
  ],
};

/** The cluster writes the rules of a role that gathers others: no rule here ever sees them. */
function aggregation(subject: Subject): readonly Finding[] {
  const fix = "list what it needs, one by one";
  const gathers = subject.object.aggregationRule !== undefined;
  const joins = Object.keys(labelsOf(subject)).filter((label) => /^rbac\..*\/aggregate-to-/.test(label));
  return [
    ...(gathers
      ? [{ path: "aggregationRule", found: "the rules of other roles", wanted: "rules of its own", fix }]
      : []),
    ...joins.map((label) => ({
      path: `metadata.labels[${label}]`,
      found: "its rules, given to everybody with another role",
      wanted: "a binding to an account",
      fix: "take the label out, and bind the role",
    })),
  ];
}
