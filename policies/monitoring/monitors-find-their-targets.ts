import { everywhere } from "../levels.ts";
import { at, labelsOf, nameOf, namespaceOf, textOf, textsOf, treesOf } from "../manifest.ts";
import type { Finding, StackRule, Subject } from "../rule.ts";
import { selects } from "../selector.ts";
import { hasPort, ofKind, ownNamespaces, type Run, runsOf } from "../stack.ts";
import { kindOf } from "../subject.ts";

/** Monitor -> Service or pod -> port. */
export const monitorsFindTheirTargets: StackRule = {
  id: "monitors-find-their-targets",
  summary: "Every monitor selects Services or pods of the stack, and each of its ports is one that some of them have.",
  why: "A monitor that finds nothing raises no error: the alerts that read it stay silent while users suffer.",
  severity: "high",
  sources: ["kube-linter dangling-servicemonitor", "S4-61"],
  levels: everywhere,
  example: {
    bad: "kind: ServiceMonitor\nspec: {selector: {matchLabels: {app: taskflow}}, endpoints: [{port: metrics}]}",
    good: "kind: ServiceMonitor\nspec: {selector: {matchLabels: {app: taskflow}}, endpoints: [{port: http}]}",
  },
  judgeStack(subjects) {
    const runs = runsOf(subjects);
    const own = ownNamespaces(subjects);
    return ofKind(subjects, "ServiceMonitor", "PodMonitor").flatMap((subject) => {
      const listed = textsOf(at(subject.object, "spec", "namespaceSelector", "matchNames"));
      const namespaces = (listed.length === 0 ? [namespaceOf(subject)] : listed).filter((name) => own.has(name));
      // All its targets are somebody else's: the Gateway's.
      if (namespaces.length === 0) return [];
      return problemsOf(subject, namespaces, { subjects, runs }).map((finding) => ({ subject, finding }));
    });
  },
};

interface Stack {
  readonly subjects: readonly Subject[];
  readonly runs: readonly Run[];
}

function problemsOf(monitor: Subject, namespaces: readonly string[], stack: Stack): readonly Finding[] {
  const selector = at(monitor.object, "spec", "selector");
  const byPod = kindOf(monitor) === "PodMonitor";
  const field = byPod ? "podMetricsEndpoints" : "endpoints";
  const ports: readonly ((port: string) => boolean)[] = byPod
    ? stack.runs
        .filter(({ namespace, labels }) => namespaces.includes(namespace) && selects(selector, labels))
        .map((run) => (port) => hasPort(run, port))
    : ofKind(stack.subjects, "Service")
        .filter((service) => namespaces.includes(namespaceOf(service)) && selects(selector, labelsOf(service)))
        .map((service) => (port) => treesOf(at(service.object, "spec", "ports")).some(({ name }) => name === port));
  if (ports.length === 0)
    return [
      {
        path: "spec.selector",
        found: `labels that no ${byPod ? "pod" : "Service"} of ${namespaces.join(", ")} has`,
        wanted: "labels of the stack",
        fix: `write the labels of what ${nameOf(monitor)} is to watch`,
      },
    ];
  return treesOf(at(monitor.object, "spec", field)).flatMap(({ port }, index) => {
    const name = textOf(port) ?? "";
    return ports.some((has) => has(name))
      ? []
      : [
          {
            path: `spec.${field}[${index}].port`,
            found: name === "" ? "none" : name,
            wanted: "a port name of its targets",
            fix: "name the port as its targets do",
          },
        ];
  });
}
