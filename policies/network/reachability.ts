import { listOf, type Tree, textOf, textsOf, treeOf, treesOf } from "../manifest.ts";
import { selects } from "../selector.ts";
import { isInBlock } from "./addresses.ts";

/**
 * Who may connect to whom under a set of NetworkPolicies, by the rules of Kubernetes (`networking.k8s.io/v1`): policies add up, a
 * pod that none selects in a direction is open in it, and a connection needs both ends. Probes of the kubelet and a pod's
 * connections to itself are not asked here: no policy stops them.
 */

/** A pod as policies see it. */
export interface Pod {
  readonly namespace: string;
  readonly namespaceLabels: Tree;
  readonly labels: Tree;
  /** Its address; undefined where it has none yet: then a range may or may not take it. */
  readonly address?: string;
  /** What policies call its ports. */
  readonly ports?: readonly { readonly name: string; readonly port: number; readonly protocol?: string }[];
}

/** One end of a connection: a pod, or an address that is no pod's. */
export type End = Pod | { readonly address: string };

export interface Connection {
  readonly port: number;
  readonly protocol: string;
}

/** The parts of a NetworkPolicy that count; `object` is the whole of it. */
export interface Policy {
  readonly namespace: string;
  readonly spec: Tree;
}

/** `maybe`: it depends on the address that a pod will get. */
export type Reach = "open" | "maybe" | "closed";

export type Direction = "Ingress" | "Egress";

export const isPod = (end: End): end is Pod => "namespace" in end;

/** What policies let pass from one end to another: asked for one connection after the other. */
export type Passage = (connection: Connection) => Reach;

/** Nothing passes, whatever is asked. */
export const shut: Passage = () => "closed";

/** What `from` may open to `to`. */
export function passage(policies: readonly Policy[], from: End, to: End): Passage {
  const [sending, receiving] = [sends(policies, from, to), receives(policies, from, to)];
  if (sending === shut || receiving === shut) return shut;
  return (connection) => least(sending(connection), receiving(connection));
}

/** What the policies of the one who opens a connection make of it. */
export const sends = (policies: readonly Policy[], from: End, to: End): Passage =>
  isPod(from) ? allowed(policies, "Egress", from, to) : free;

/** What the policies of the other end make of it. */
export const receives = (policies: readonly Policy[], from: End, to: End): Passage =>
  isPod(to) ? allowed(policies, "Ingress", to, from) : free;

/** The policies that select a pod in a direction; with none it is open in it. */
export function policiesOf<P extends Policy>(policies: readonly P[], direction: Direction, pod: Pod): readonly P[] {
  return policies.filter(
    ({ namespace, spec }) =>
      namespace === pod.namespace && directionsOf(spec).has(direction) && selects(spec.podSelector, pod.labels),
  );
}

/** Without `policyTypes`, a policy is about what comes in; about what goes out only if it has rules for that. */
function directionsOf(spec: Tree): ReadonlySet<string> {
  const written = textsOf(spec.policyTypes);
  if (written.length > 0) return new Set(written);
  return new Set(listOf(spec.egress).length > 0 ? ["Ingress", "Egress"] : ["Ingress"]);
}

const free: Passage = () => "open";

function allowed(policies: readonly Policy[], direction: Direction, own: Pod, other: End): Passage {
  const selecting = policiesOf(policies, direction, own);
  if (selecting.length === 0) return free;
  const taking = selecting.flatMap(({ spec, namespace }) =>
    treesOf(direction === "Ingress" ? spec.ingress : spec.egress)
      .map((rule) => ({ rule, reach: takesEnd(direction === "Ingress" ? rule.from : rule.to, other, namespace) }))
      .filter(({ reach }) => reach !== "closed"),
  );
  if (taking.length === 0) return shut;
  const receiver = direction === "Ingress" ? own : other;
  return (connection) =>
    taking
      .filter(({ rule }) => takesPort(rule.ports, connection, receiver))
      .map(({ reach }) => reach)
      .reduce(most, "closed");
}

/** No ports are all ports, of every protocol. */
function takesPort(ports: unknown, connection: Connection, receiver: End): boolean {
  const listed = treesOf(ports);
  return listed.length === 0 || listed.some((port) => isPort(port, connection, receiver));
}

function isPort({ port, endPort, protocol }: Tree, connection: Connection, receiver: End): boolean {
  if ((textOf(protocol) ?? "TCP") !== connection.protocol) return false;
  if (port === undefined) return true;
  if (typeof port === "string")
    return (
      isPod(receiver) &&
      (receiver.ports ?? []).some(
        (named) =>
          named.name === port && named.port === connection.port && (named.protocol ?? "TCP") === connection.protocol,
      )
    );
  const first = Number(port);
  return connection.port >= first && connection.port <= (endPort === undefined ? first : Number(endPort));
}

/** No peers are everybody. */
function takesEnd(peers: unknown, end: End, namespace: string): Reach {
  const listed = treesOf(peers);
  return listed.length === 0 ? "open" : listed.map((peer) => takes(peer, end, namespace)).reduce(most, "closed");
}

/** A peer with both selectors wants both; with one for pods alone it means those of the policy's own namespace. */
function takes({ ipBlock, namespaceSelector, podSelector }: Tree, end: End, namespace: string): Reach {
  if (ipBlock !== undefined) {
    if (end.address === undefined) return "maybe";
    return isInBlock(treeOf(ipBlock), end.address) ? "open" : "closed";
  }
  if (!isPod(end)) return "closed";
  const near =
    namespaceSelector === undefined ? end.namespace === namespace : selects(namespaceSelector, end.namespaceLabels);
  return near && selects(podSelector, end.labels) ? "open" : "closed";
}

const order = ["closed", "maybe", "open"] as const;
const most = (one: Reach, other: Reach): Reach => (order.indexOf(one) > order.indexOf(other) ? one : other);
const least = (one: Reach, other: Reach): Reach => (order.indexOf(one) < order.indexOf(other) ? one : other);
