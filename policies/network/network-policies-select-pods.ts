import { everywhere } from "../levels.ts";
import { type Tree, treeOf, treesOf } from "../manifest.ts";
import type { Finding, StackRule } from "../rule.ts";
import { selects } from "../selector.ts";
import { ownNamespaces } from "../stack.ts";
import { type DeclaredPod, type DeclaredPolicy, declaredPods, declaredPolicies, nameLabel } from "./pods.ts";

/** A policy for nobody, or a rule for nobody, protects nobody: most of them are a label that was renamed. */
export const networkPoliciesSelectPods: StackRule = {
  id: "network-policies-select-pods",
  summary:
    "Every NetworkPolicy in a namespace of the stack selects pods of the stack, and so does each of its peers within these namespaces.",
  why: "A policy whose labels nobody has looks like protection and is none.",
  severity: "medium",
  sources: [
    "kube-score networkpolicy-targets-pod",
    "kube-linter dangling-networkpolicy",
    "kube-linter dangling-networkpolicypeer-podselector",
  ],
  levels: everywhere,
  example: {
    bad: "spec: {podSelector: {matchLabels: {app: taskflow, component: backed}}}",
    good: "spec: {podSelector: {matchLabels: {app: taskflow, component: backend}}}",
  },
  judgeStack(subjects) {
    const own = ownNamespaces(subjects);
    const pods = declaredPods(subjects);
    return declaredPolicies(subjects)
      .filter(({ namespace }) => own.has(namespace))
      .flatMap((policy) =>
        [...targets(policy, pods), ...peers(policy, pods, own)].map((finding) => ({
          subject: policy.subject,
          finding,
        })),
      );
  },
};

function targets({ namespace, spec }: DeclaredPolicy, pods: readonly DeclaredPod[]): readonly Finding[] {
  const selector = treeOf(spec.podSelector);
  const everybody = Object.keys(selector).length === 0;
  if (everybody || pods.some((pod) => pod.namespace === namespace && selects(selector, pod.labels))) return [];
  return [nobody("spec.podSelector", selector, namespace)];
}

function peers(
  { namespace, spec }: DeclaredPolicy,
  pods: readonly DeclaredPod[],
  own: ReadonlySet<string>,
): readonly Finding[] {
  const sides = [
    ...treesOf(spec.ingress).map(({ from }, index) => ({ path: `spec.ingress[${index}].from`, listed: treesOf(from) })),
    ...treesOf(spec.egress).map(({ to }, index) => ({ path: `spec.egress[${index}].to`, listed: treesOf(to) })),
  ];
  return sides.flatMap(({ path, listed }) =>
    listed.flatMap((peer, index) => {
      const where = within(peer, namespace, own);
      if (where === undefined || peer.podSelector === undefined) return [];
      const found = pods.some((pod) => pod.namespace === where && selects(peer.podSelector, pod.labels));
      return found ? [] : [nobody(`${path}[${index}].podSelector`, treeOf(peer.podSelector), where)];
    }),
  );
}

/** The namespace of the stack that a peer means; undefined when it may be another's. */
function within({ ipBlock, namespaceSelector }: Tree, namespace: string, own: ReadonlySet<string>): string | undefined {
  if (ipBlock !== undefined) return undefined;
  if (namespaceSelector === undefined) return namespace;
  const named = treeOf(treeOf(namespaceSelector).matchLabels)[nameLabel];
  return typeof named === "string" && own.has(named) ? named : undefined;
}

const nobody = (path: string, selector: Tree, namespace: string): Finding => ({
  path,
  found: `${JSON.stringify(selector)}, which no pod of ${namespace} has`,
  wanted: "labels of pods that the stack declares",
  fix: "write the labels of its pods, or remove it",
});
