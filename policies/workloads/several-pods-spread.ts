import { everywhere } from "../levels.ts";
import { at } from "../manifest.ts";
import { podsOf } from "../pod.ts";
import type { StackRule } from "../rule.ts";
import { selects } from "../selector.ts";
import { runsOf } from "../stack.ts";
import { kindOf } from "../subject.ts";

/** Two pods on one machine are lost together. */
export const severalPodsSpread: StackRule = {
  id: "several-pods-spread",
  summary: "A workload of two pods or more spreads them over machines.",
  why: "With all pods on one machine, one broken machine is an outage, whatever the number of pods says.",
  severity: "medium",
  sources: [
    "kube-score pod-topology-spread-constraints",
    "kube-linter no-anti-affinity",
    "Polaris topologySpreadConstraint",
  ],
  levels: everywhere,
  example: {
    bad: "replicas: 3\ntemplate: {spec: {containers: […]}}",
    good: "replicas: 3\ntemplate:\n  spec:\n    topologySpreadConstraints:\n      - {maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: {app: taskflow}}}",
  },
  judgeStack: (subjects) =>
    runsOf(subjects).flatMap(({ subject, replicas = 1, labels }) => {
      if (kindOf(subject) === "DaemonSet" || replicas < 2) return [];
      const apart =
        kindOf(subject) === "Cluster"
          ? at(subject.object, "spec", "affinity", "enablePodAntiAffinity") === true
          : podsOf(subject).every(({ spec }) =>
              (spec.topologySpreadConstraints ?? []).some(
                ({ topologyKey, labelSelector }) =>
                  topologyKey === "kubernetes.io/hostname" &&
                  labelSelector !== undefined &&
                  selects(labelSelector, labels),
              ),
            );
      return apart
        ? []
        : [
            {
              subject,
              finding: {
                path: kindOf(subject) === "Cluster" ? "spec.affinity" : "spec.template.spec.topologySpreadConstraints",
                found: `${replicas} pods, nothing that keeps them on different machines`,
                wanted: "a constraint on kubernetes.io/hostname that selects them",
                fix: "write topologySpreadConstraints with the pods' own labels",
              },
            },
          ];
    }),
};
