import { always } from "../levels.ts";
import { namespaceOf, treeOf } from "../manifest.ts";
import type { StackRule } from "../rule.ts";
import { selects } from "../selector.ts";
import { ofKind, runsOf } from "../stack.ts";

/** A budget keeps some pods, never all. */
export const budgetsLetGo: StackRule = {
  id: "budgets-let-go",
  summary: "A disruption budget lets one pod go at least, and selects pods of the stack.",
  why: "A budget that allows no eviction stops every upgrade of the machines, until somebody deletes it in a hurry.",
  severity: "medium",
  sources: ["kube-linter pdb-max-unavailable", "kube-linter pdb-min-available", "Polaris pdbDisruptionsIsZero"],
  levels: always,
  example: {
    bad: "spec: {maxUnavailable: 0, selector: {matchLabels: {app: taskflow}}}",
    good: "spec: {maxUnavailable: 1, selector: {matchLabels: {app: taskflow}}}",
  },
  judgeStack(subjects) {
    const runs = runsOf(subjects);
    return ofKind(subjects, "PodDisruptionBudget").flatMap((subject) => {
      const { maxUnavailable, minAvailable, selector } = treeOf(subject.object.spec);
      const pods = runs.filter(
        ({ namespace, labels }) =>
          namespace === namespaceOf(subject) && selector !== undefined && selects(selector, labels),
      );
      const fix = "write maxUnavailable: 1 and the labels of the pods";
      if (pods.length === 0)
        return [
          {
            subject,
            finding: {
              path: "spec.selector",
              found: "labels that no pod has",
              wanted: "pods of the stack",
              fix,
            },
          },
        ];
      // A workload of no pods (a retired colour) has none to keep.
      const least = Math.min(...pods.map(({ replicas = 1 }) => Math.max(replicas, 1)));
      const blocks =
        [0, "0", "0%"].some((none) => none === maxUnavailable) ||
        minAvailable === "100%" ||
        (minAvailable !== undefined && !String(minAvailable).endsWith("%") && Number(minAvailable) >= least) ||
        (maxUnavailable === undefined && minAvailable === undefined && least === 1);
      return blocks
        ? [
            {
              subject,
              finding: {
                path: maxUnavailable === undefined ? "spec.minAvailable" : "spec.maxUnavailable",
                found: `${maxUnavailable ?? minAvailable ?? "nothing, which keeps one pod"} for ${least} pods`,
                wanted: "one pod that may go",
                fix,
              },
            },
          ]
        : [];
    });
  },
};
