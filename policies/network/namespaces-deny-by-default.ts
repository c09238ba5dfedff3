import { everywhere } from "../levels.ts";
import { listOf, nameOf, type Tree, treeOf } from "../manifest.ts";
import type { StackRule } from "../rule.ts";
import { ofKind } from "../stack.ts";
import { declaredPolicies } from "./pods.ts";
import { type Direction, policiesOf } from "./reachability.ts";

const directions: readonly Direction[] = ["Ingress", "Egress"];

const selectsAll = ({ matchLabels, matchExpressions }: Tree) =>
  Object.keys(treeOf(matchLabels)).length === 0 && listOf(matchExpressions).length === 0;

/** Pods that nobody foresaw are closed, too. */
export const namespacesDenyByDefault: StackRule = {
  id: "namespaces-deny-by-default",
  summary: "In every namespace of the stack a NetworkPolicy selects all pods, in both directions.",
  why: "A pod that somebody starts by hand would be open, and so would one whose labels were mistyped.",
  severity: "medium",
  sources: ["S4-28", "CIS 5.3.2"],
  levels: everywhere,
  example: {
    bad: "spec: {podSelector: {}, policyTypes: [Ingress]}",
    good: "spec: {podSelector: {}, policyTypes: [Ingress, Egress]}",
  },
  judgeStack(subjects) {
    // Labels that a pod must not have leave out those that have them.
    const policies = declaredPolicies(subjects).filter(({ spec }) => selectsAll(treeOf(spec.podSelector)));
    return ofKind(subjects, "Namespace").flatMap((subject) => {
      const anybody = { namespace: nameOf(subject), namespaceLabels: {}, labels: {} };
      return directions
        .filter((direction) => policiesOf(policies, direction, anybody).length === 0)
        .map((direction) => ({
          subject,
          finding: {
            path: "metadata.name",
            found: `no NetworkPolicy selects all its pods for ${direction}`,
            wanted: "one that does, and allows nothing",
            fix: "give the namespace a place in components/network/places.ts",
          },
        }));
    });
  },
};
