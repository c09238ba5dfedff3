import { everywhere } from "../levels.ts";
import { namespaceOf } from "../manifest.ts";
import { podsOf } from "../pod.ts";
import type { StackRule } from "../rule.ts";
import { ownNamespaces } from "../stack.ts";

/** What runs, runs where the stack's own rules hold. */
export const namespacesOfTheStack: StackRule = {
  id: "namespaces-of-the-stack",
  summary: "Pods run only in namespaces that the stack declares.",
  why: "In another namespace, `default` first, neither its Pod Security level, its quota nor its NetworkPolicies hold.",
  severity: "high",
  sources: ["CKV_K8S_21", "KSV110", "C-0061", "kube-linter use-namespace"],
  levels: everywhere,
  example: { bad: "metadata: {name: guard}", good: "metadata: {name: guard, namespace: production}" },
  judgeStack(subjects) {
    const own = ownNamespaces(subjects);
    return subjects
      .filter((subject) => podsOf(subject).length > 0 && !own.has(namespaceOf(subject)))
      .map((subject) => ({
        subject,
        finding: {
          path: "metadata.namespace",
          found: namespaceOf(subject) || "none, which is default",
          wanted: `one of ${[...own].join(", ")}`,
          fix: "write a namespace of the stack",
        },
      }));
  },
};
