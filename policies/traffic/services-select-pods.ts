import { everywhere } from "../levels.ts";
import { labelsOf, namespaceOf, textOf, treeOf, treesOf } from "../manifest.ts";
import type { Finding, StackRule, Subject } from "../rule.ts";
import { takesAll } from "../selector.ts";
import { hasPort, ofKind, ownNamespaces, publicWeight, type Run, runsOf } from "../stack.ts";

/** Service -> pod -> container port, in the namespaces of the stack. */
export const servicesSelectPods: StackRule = {
  id: "services-select-pods",
  summary:
    "Every Service in a namespace of the stack selects pods of the stack, and each of its ports is one that they have.",
  why: "A Service without pods or with a wrong port answers 503 to everybody who is sent to it.",
  severity: "high",
  sources: ["kube-score service-targets-pod", "kube-linter dangling-service", "kube-linter invalid-target-ports"],
  levels: everywhere,
  example: {
    bad: "spec:\n  selector: {app: taskflow, component: backed}\n  ports: [{port: 80, targetPort: htpp}]",
    good: "spec:\n  selector: {app: taskflow, component: backend}\n  ports: [{port: 80, targetPort: http}]",
  },
  judgeStack(subjects) {
    const own = ownNamespaces(subjects);
    const runs = runsOf(subjects);
    return ofKind(subjects, "Service")
      .filter((service) => own.has(namespaceOf(service)))
      .flatMap((subject) => problemsOf(subject, subjects, runs).map((finding) => ({ subject, finding })));
  },
};

function problemsOf(service: Subject, subjects: readonly Subject[], runs: readonly Run[]): readonly Finding[] {
  const { selector, ports } = treeOf(service.object.spec);
  if (Object.keys(treeOf(selector)).length === 0)
    return [{ path: "spec.selector", found: "none", wanted: "labels of pods", fix: "write the labels of its pods" }];
  const taken = runs.filter((run) => run.namespace === namespaceOf(service) && takesAll(selector, run.labels));
  if (taken.length === 0)
    // A colour's Service stands before its first release: the route needs it, and nobody is sent there.
    return publicWeight(subjects, service) === 0 && !runs.some((run) => takesAll(labelsOf(service), run.labels))
      ? []
      : [
          {
            path: "spec.selector",
            found: `${JSON.stringify(selector)}, which no pod of ${namespaceOf(service)} has`,
            wanted: "the labels of pods that the stack declares",
            fix: "write the labels of its pods",
          },
        ];
  return treesOf(ports).flatMap((port, index) => {
    const target = port.targetPort ?? port.port;
    const lacking = taken.filter((run) => !hasPort(run, target));
    return lacking.map(({ subject, portNames }) => ({
      path: `spec.ports[${index}].targetPort`,
      found: `${textOf(target) ?? String(target)}, which ${subject.name} does not have`,
      wanted: `one of its ports: ${[...portNames].join(", ")}`,
      fix: "name a port of the container",
    }));
  });
}
