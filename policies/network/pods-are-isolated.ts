import { everywhere } from "../levels.ts";
import type { StackRule } from "../rule.ts";
import { declaredPods, declaredPolicies } from "./pods.ts";
import { type Direction, policiesOf } from "./reachability.ts";

const directions: readonly Direction[] = ["Ingress", "Egress"];

/** A pod that no policy selects is open to the whole cluster. */
export const podsAreIsolated: StackRule = {
  id: "pods-are-isolated",
  summary:
    "Every pod of the stack is selected by a NetworkPolicy for what it receives and by one for what it sends; pods in their machine's network cannot be.",
  why: "A pod that no policy selects can be reached by every pod of the cluster, and reaches every one of them.",
  severity: "high",
  sources: ["S4-28", "CKV2_K8S_6", "kube-score pod-networkpolicy", "CIS 5.3.2"],
  levels: everywhere,
  example: {
    bad: "spec:\n  podSelector: {matchLabels: {app: taskflow, component: backend}}\n  policyTypes: [Ingress]",
    good: "spec:\n  podSelector: {matchLabels: {app: taskflow, component: backend}}\n  policyTypes: [Ingress, Egress]",
  },
  judgeStack(subjects) {
    const policies = declaredPolicies(subjects);
    return declaredPods(subjects).flatMap((pod) =>
      directions
        .filter((direction) => policiesOf(policies, direction, pod).length === 0)
        .map((direction) => ({
          subject: pod.subject,
          finding: {
            path: pod.path === "" ? "metadata.labels" : `${pod.path}.metadata.labels`,
            found: `no NetworkPolicy of ${pod.namespace} selects it for ${direction}`,
            wanted: "one that does",
            fix: "give its component a place in components/network/places.ts",
          },
        })),
    );
  },
};
