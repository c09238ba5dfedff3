import { everywhere } from "../levels.ts";
import { at, namespaceOf, type Tree } from "../manifest.ts";
import type { StackRule } from "../rule.ts";
import { selects } from "../selector.ts";
import { ofKind, runsOf } from "../stack.ts";
import { kindOf } from "../subject.ts";

/** A budget without a selector protects nobody. */
const protects = (selector: unknown, labels: Tree) => selector !== undefined && selects(selector, labels);

/** Who drains machines asks the budgets first. */
export const budgetForSeveral: StackRule = {
  id: "budget-for-several",
  summary: "A workload of two pods or more has a disruption budget that selects them.",
  why: "An upgrade of the machines may otherwise take all its pods away at once.",
  severity: "medium",
  sources: ["kube-score deployment-has-poddisruptionbudget", "Polaris missingPodDisruptionBudget"],
  levels: everywhere,
  example: {
    bad: "kind: Deployment\nspec: {replicas: 3}",
    good: "kind: Deployment\nspec: {replicas: 3}\n---\nkind: PodDisruptionBudget\nspec: {maxUnavailable: 1, selector: {matchLabels: {app: taskflow}}}",
  },
  judgeStack(subjects) {
    const budgets = ofKind(subjects, "PodDisruptionBudget");
    return runsOf(subjects).flatMap(({ subject, namespace, labels, replicas = 1 }) => {
      if (kindOf(subject) === "DaemonSet" || replicas < 2) return [];
      const has =
        // Its operator writes one unless it is told not to.
        kindOf(subject) === "Cluster"
          ? at(subject.object, "spec", "enablePDB") !== false
          : budgets.some(
              (budget) => namespaceOf(budget) === namespace && protects(at(budget.object, "spec", "selector"), labels),
            );
      return has
        ? []
        : [
            {
              subject,
              finding: {
                path: kindOf(subject) === "Cluster" ? "spec.enablePDB" : "spec.replicas",
                found: `${replicas} pods, no disruption budget that selects them`,
                wanted: "a PodDisruptionBudget",
                fix: "declare one with maxUnavailable: 1",
              },
            },
          ];
    });
  },
};
