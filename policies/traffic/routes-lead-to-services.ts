import { everywhere } from "../levels.ts";
import { at, nameOf, namespaceOf, type Tree, treeOf, treesOf } from "../manifest.ts";
import type { Finding, StackRule, Subject } from "../rule.ts";
import { ofKind } from "../stack.ts";

/** Route -> Service -> port. */
export const routesLeadToServices: StackRule = {
  id: "routes-lead-to-services",
  summary:
    "Every backend of a route is a Service that the stack declares in the route's namespace, at a port that it has.",
  why: "A Gateway answers 500 for a rule whose Service is missing, and one into another namespace leaves what the stack protects.",
  severity: "high",
  sources: ["S1-42", "Polaris httpRouteCrossNamespaceBackendRef", "kube-score ingress-targets-service"],
  levels: everywhere,
  example: {
    bad: "backendRefs:\n  - {name: taskflow-backend-bleu, port: 80, weight: 100}",
    good: "backendRefs:\n  - {name: taskflow-backend-blue, port: 80, weight: 100}",
  },
  judgeStack(subjects) {
    const services = ofKind(subjects, "Service");
    return ofKind(subjects, "HTTPRoute").flatMap((subject) =>
      treesOf(at(subject.object, "spec", "rules")).flatMap((rule, index) =>
        backendsOf(`spec.rules[${index}]`, rule).flatMap(([path, backend]) =>
          problemsOf(path, backend, namespaceOf(subject), services).map((finding) => ({ subject, finding })),
        ),
      ),
    );
  },
};

/** Whom a rule sends requests to, and whom it sends copies of them. */
const backendsOf = (path: string, rule: Tree): readonly (readonly [path: string, backend: Tree])[] => [
  ...mirrorsOf(path, rule),
  ...treesOf(rule.backendRefs).flatMap((backend, index) => [
    [`${path}.backendRefs[${index}]`, backend] as const,
    ...mirrorsOf(`${path}.backendRefs[${index}]`, backend),
  ]),
];

const mirrorsOf = (path: string, { filters }: Tree) =>
  treesOf(filters).flatMap(({ requestMirror }, index) =>
    requestMirror === undefined
      ? []
      : [[`${path}.filters[${index}].requestMirror.backendRef`, treeOf(treeOf(requestMirror).backendRef)] as const],
  );

function problemsOf(path: string, backend: Tree, home: string, services: readonly Subject[]): readonly Finding[] {
  const { name, port, namespace = home, kind = "Service", group = "" } = backend;
  if (kind !== "Service" || group !== "")
    return [{ path: `${path}.kind`, found: `${kind} of ${group}`, wanted: "Service", fix: "name a declared Service" }];
  if (namespace !== home)
    return [{ path: `${path}.namespace`, found: String(namespace), wanted: home, fix: "leave the namespace out" }];
  const service = services.find((each) => nameOf(each) === name && namespaceOf(each) === home);
  const names = services.filter((each) => namespaceOf(each) === home).map(nameOf);
  if (service === undefined)
    return [
      {
        path: `${path}.name`,
        found: String(name),
        wanted: `one of: ${names.join(", ")}`,
        fix: "name a declared Service",
      },
    ];
  const ports = treesOf(at(service.object, "spec", "ports")).map((each) => each.port);
  return ports.includes(port)
    ? []
    : [{ path: `${path}.port`, found: String(port), wanted: ports.join(", "), fix: "name a port of the Service" }];
}
