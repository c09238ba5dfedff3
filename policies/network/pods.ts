import { at, labelsOf, nameOf, namespaceOf, type Tree, textOf, treeOf } from "../manifest.ts";
import { podsOf } from "../pod.ts";
import type { Subject } from "../rule.ts";
import { ofKind, ownNamespaces } from "../stack.ts";
import { kindOf } from "../subject.ts";
import type { Pod, Policy } from "./reachability.ts";

/** The label by which the API server itself names each namespace. */
export const nameLabel = "kubernetes.io/metadata.name";

/** Pods that the stack declares, as NetworkPolicies see them. Those in their machine's network are not among them: no policy holds there. */
export interface DeclaredPod extends Pod {
  readonly subject: Subject;
  /** Path of the template in its workload. */
  readonly path: string;
  /** The label `component`: who it is in the application's flows. */
  readonly component: string | undefined;
}

export interface DeclaredPolicy extends Policy {
  readonly subject: Subject;
}

/** Every pod in a namespace of the stack, of Jobs and operators, too. */
export function declaredPods(subjects: readonly Subject[]): readonly DeclaredPod[] {
  const own = ownNamespaces(subjects);
  return subjects.filter((subject) => own.has(namespaceOf(subject))).flatMap((subject) => podsIn(subjects, subject));
}

function podsIn(subjects: readonly Subject[], subject: Subject): readonly DeclaredPod[] {
  const namespace = namespaceOf(subject);
  const shared = { subject, namespace, namespaceLabels: labelsOfNamespace(subjects, namespace) };
  // CloudNativePG has no pod template: its pods carry the Cluster's name.
  if (kindOf(subject) === "Cluster")
    return [
      {
        ...shared,
        path: "spec",
        component: textOf(labelsOf(subject).component),
        labels: { "cnpg.io/cluster": nameOf(subject) },
      },
    ];
  return podsOf(subject)
    .filter(({ spec }) => spec.hostNetwork !== true)
    .map(({ path, metadata, containers }) => ({
      ...shared,
      path,
      component: metadata.labels?.component,
      labels: treeOf(metadata.labels),
      ports: containers
        .flatMap(({ object }) => object.ports ?? [])
        .map(({ name = "", containerPort, protocol = "TCP" }) => ({ name, port: containerPort, protocol })),
    }));
}

/** Labels of a namespace, with that of the API server. */
export function labelsOfNamespace(subjects: readonly Subject[], namespace: string): Tree {
  const declared = ofKind(subjects, "Namespace").find((each) => nameOf(each) === namespace);
  return { ...(declared === undefined ? {} : labelsOf(declared)), [nameLabel]: namespace };
}

export const declaredPolicies = (subjects: readonly Subject[]): readonly DeclaredPolicy[] =>
  ofKind(subjects, "NetworkPolicy").map((subject) => ({
    subject,
    namespace: namespaceOf(subject),
    spec: treeOf(at(subject.object, "spec")),
  }));
