import { everywhere } from "../levels.ts";
import { labelsOf, textOf } from "../manifest.ts";
import { oldestMinor } from "../pod-security/check.ts";
import type { ResourceRule } from "../rule.ts";
import { kindOf } from "../subject.ts";

const enforce = "pod-security.kubernetes.io/enforce";

/** An old version asks for less than these rules do. */
const isKnown = (version: string) =>
  version === "latest" || Number(/^v1\.(\d+)$/.exec(version)?.[1] ?? 0) >= oldestMinor;

/** The second line: what the API server refuses needs no policy pack to be refused. */
export const namespacesEnforceRestricted: ResourceRule = {
  id: "namespaces-enforce-restricted",
  summary:
    "Every namespace of the stack makes the API server enforce Pod Security `restricted`, and says of which version.",
  why: "A pod that nobody's preview has seen, by hand or by an operator, may otherwise be anything.",
  severity: "high",
  sources: ["S2-22", "S1-36"],
  levels: everywhere,
  example: {
    bad: "kind: Namespace\nmetadata: {name: production}",
    good: `kind: Namespace\nmetadata:\n  name: production\n  labels: {${enforce}: restricted, ${enforce}-version: latest}`,
  },
  judge(subject) {
    if (kindOf(subject) !== "Namespace") return [];
    const labels = labelsOf(subject);
    const missing = (label: string, wanted: string) => ({
      path: `metadata.labels[${label}]`,
      found: String(labels[label] ?? "none"),
      wanted,
      fix: `label it ${label}: ${wanted.split(",")[0]}`,
    });
    return [
      ...(labels[enforce] === "restricted" ? [] : [missing(enforce, "restricted")]),
      ...(isKnown(textOf(labels[`${enforce}-version`]) ?? "")
        ? []
        : [missing(`${enforce}-version`, `latest, or a version from v1.${oldestMinor} on`)]),
    ];
  },
};
