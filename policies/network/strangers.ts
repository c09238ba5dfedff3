import type { Outsider } from "../../applications/flow.ts";
import { at, namespaceOf, type Tree, textOf, textsOf, treeOf, treesOf } from "../manifest.ts";
import type { Subject } from "../rule.ts";
import { selects, takesAll } from "../selector.ts";
import { ofKind, ownNamespaces } from "../stack.ts";
import { addressIn, isInBlock, samples, samples6 } from "./addresses.ts";
import { type DeclaredPod, type DeclaredPolicy, labelsOfNamespace, nameLabel } from "./pods.ts";
import { type End, isPod, type Pod } from "./reachability.ts";

/** Somebody who is none of the pods that the stack declares, and who it may be. */
export interface Stranger {
  readonly end: End;
  /** In words, for a finding. */
  readonly name: string;
  readonly may: ReadonlySet<Outsider | "prometheus">;
}

/** Where a machine answers for names itself, with NodeLocal DNSCache. */
const nodeLocalDns = "169.254.20.10";

/** Namespaces that every cluster has, and where no operator is. */
const notOperators = ["default", "kube-public", "kube-node-lease"];

/** A namespace that no policy of anybody names. */
const elsewhere = "elsewhere";

/**
 * Everybody whom a policy could have meant: pods and addresses made of the selectors and ranges of all policies, so that each
 * opening is tried by somebody whom it takes; and those whom none should take: a pod that nobody foresaw, in a namespace of the stack,
 * too, the stack's own labels in another namespace, an address of the world and one of the inside.
 */
export function strangersOf(
  subjects: readonly Subject[],
  pods: readonly DeclaredPod[],
  policies: readonly DeclaredPolicy[],
): readonly Stranger[] {
  const own = new Map([...ownNamespaces(subjects)].map((name) => [name, labelsOfNamespace(subjects, name)]));
  const who = identify(subjects, pods);
  const peers = policies.flatMap(({ spec, namespace }) =>
    [
      ...treesOf(spec.ingress).flatMap(({ from }) => treesOf(from)),
      ...treesOf(spec.egress).flatMap(({ to }) => treesOf(to)),
    ].map((peer) => ({ peer, home: namespace })),
  );
  const ports = portsNamed(policies);
  const meant = peers.flatMap(({ peer, home }): readonly End[] =>
    peer.ipBlock === undefined
      ? [...podsMeant(peer, own), ...undeclaredMeant(peer, { home, own, pods })].map((pod) => ({ ...pod, ports }))
      : addressesMeant(treeOf(peer.ipBlock)),
  );
  const impostors = pods.map(({ labels }) => podIn(elsewhere, labels));
  const unforeseen = [...own.keys(), elsewhere].map((namespace) => podIn(namespace, {}, own.get(namespace)));
  const addresses = [...samples, ...samples6].map((address) => ({ address }));
  return distinct([...unforeseen, ...addresses, ...impostors, ...meant]).map((end) => ({
    end,
    name: isPod(end) ? `a pod ${JSON.stringify(end.labels)} in ${end.namespace}` : end.address,
    may: who(end),
  }));
}

/** Who somebody may be, by namespace or address. Who runs DNS, the gateway or an operator is judged by its namespace: pods there are not ours. */
function identify(subjects: readonly Subject[], pods: readonly DeclaredPod[]) {
  const own = ownNamespaces(subjects);
  const gateways = new Set(
    ofKind(subjects, "HTTPRoute").flatMap((route) =>
      treesOf(at(route.object, "spec", "parentRefs")).map(({ namespace }) => textOf(namespace) ?? namespaceOf(route)),
    ),
  );
  const watched = pods.some(({ component }) => component === "prometheus");
  return (end: End): ReadonlySet<Outsider | "prometheus"> => {
    if (!isPod(end)) return new Set(addressRoles(end.address));
    if (end.namespace === elsewhere || own.has(end.namespace)) return new Set();
    // The agents through which an API server reaches pods stand beside DNS.
    if (end.namespace === "kube-system") return new Set(["dns", "api-server"] as const);
    if (gateways.has(end.namespace)) return new Set(["gateway"] as const);
    if (notOperators.includes(end.namespace)) return new Set();
    return new Set(watched ? (["operator"] as const) : (["operator", "prometheus"] as const));
  };
}

function addressRoles(address: string): readonly Outsider[] {
  const inside = [
    "10.0.0.0/8",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "fc00::/7",
    "fe80::/10",
  ];
  const known: readonly Outsider[] = [
    "api-server",
    "nodes",
    "outside",
    ...(address === nodeLocalDns ? (["dns"] as const) : []),
  ];
  return inside.some((cidr) => isInBlock({ cidr }, address)) ? known : [...known, "internet"];
}

/** Pods outside of the stack that both selectors take. */
function podsMeant({ namespaceSelector, podSelector }: Tree, own: ReadonlyMap<string, Tree>): readonly Pod[] {
  if (namespaceSelector === undefined) return [];
  return labelsTaken(treeOf(namespaceSelector)).flatMap((namespaceLabels) => {
    const namespace = textOf(namespaceLabels[nameLabel]) ?? elsewhere;
    if (own.has(namespace)) return [];
    const everywhere = { namespace, namespaceLabels: { [nameLabel]: namespace, ...namespaceLabels } };
    return labelsTaken(treeOf(podSelector)).map((labels) => ({ ...everywhere, labels }));
  });
}

interface Stack {
  /** Namespace of the policy. */
  readonly home: string;
  /** The stack's namespaces with their labels. */
  readonly own: ReadonlyMap<string, Tree>;
  readonly pods: readonly DeclaredPod[];
}

/** Pods in the stack's namespaces that both selectors take, and that nobody declared: of the others, those declared are tried. */
function undeclaredMeant({ namespaceSelector, podSelector }: Tree, { home, own, pods }: Stack): readonly Pod[] {
  return [...own]
    .filter(([name, labels]) => (namespaceSelector === undefined ? name === home : selects(namespaceSelector, labels)))
    .flatMap(([name, namespaceLabels]) => {
      const declared = pods.filter(({ namespace }) => namespace === name);
      return labelsTaken(treeOf(podSelector))
        .filter((labels) => !declared.some((pod) => takesAll(labels, pod.labels)))
        .map((labels) => podIn(name, labels, namespaceLabels));
    });
}

/** Ports of somebody else's pods are known by name only: each gets a number of its own. */
function portsNamed(policies: readonly DeclaredPolicy[]): NonNullable<Pod["ports"]> {
  const names = policies
    .flatMap(({ spec }) => [...treesOf(spec.ingress), ...treesOf(spec.egress)])
    .flatMap(({ ports }) => treesOf(ports))
    .flatMap(({ port }) => textOf(port) ?? []);
  return [...new Set(names)].map((name, index) => ({ name, port: 50_000 + index }));
}

/** The least labels that a selector takes: a set for each value of a list, since somebody may have any of them. */
function labelsTaken({ matchLabels, matchExpressions }: Tree): readonly Tree[] {
  return treesOf(matchExpressions).reduce<readonly Tree[]>(
    (sets, { key, operator, values }) => {
      if (operator !== "In" && operator !== "Exists") return sets;
      const taken = operator === "In" ? textsOf(values) : ["any"];
      return sets.flatMap((set) => taken.map((value) => ({ ...set, [String(key)]: value })));
    },
    [treeOf(matchLabels)],
  );
}

function addressesMeant(block: Tree): readonly End[] {
  const address = addressIn(block);
  return address === undefined ? [] : [{ address }];
}

const podIn = (namespace: string, labels: Tree, namespaceLabels: Tree = { [nameLabel]: namespace }): Pod => ({
  namespace,
  namespaceLabels,
  labels,
});

const distinct = (ends: readonly End[]): readonly End[] => [
  ...new Map(ends.map((end) => [JSON.stringify(end), end])).values(),
];
