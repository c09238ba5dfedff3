import { everywhere } from "../levels.ts";
import type { StackRule, Subject } from "../rule.ts";
import {
  connectionsWorthAsking,
  endOf,
  isIntended,
  type Matrix,
  matrixOf,
  nameOfSomebody,
  type Somebody,
  unheardOf,
} from "./matrix.ts";
import type { DeclaredPolicy } from "./pods.ts";
import { type Connection, isPod, policiesOf, type Reach, receives, sends, shut } from "./reachability.ts";

/** Every pair outside of the intended matrix is closed, for strangers whom a policy takes by mistake, too. */
export const onlyIntendedConnections: StackRule = {
  id: "only-intended-connections",
  summary:
    "NetworkPolicies open no connection but those that the application's flows name (applications/), for nobody else and on no other port.",
  why: "Whoever takes over one pod reaches from there whatever is open: the database, another pod's metrics, the world.",
  severity: "high",
  sources: ["S4-28", "S1-36", "CIS 5.3.2"],
  levels: everywhere,
  example: {
    bad: "spec:\n  podSelector: {matchLabels: {app: taskflow, component: redis}}\n  ingress:\n    - from: [{podSelector: {}}]",
    good: "spec:\n  podSelector: {matchLabels: {app: taskflow, component: redis}}\n  ingress:\n    - from: [{podSelector: {matchLabels: {app: taskflow, component: backend}}}]\n      ports: [{port: 6379, protocol: TCP}]",
  },
  judgeStack(subjects) {
    const matrix = matrixOf(subjects);
    const opened = new Map<Subject, string[]>();
    for (const [from, to] of pairsOf(matrix))
      for (const [subject, connections] of unintended(matrix, from, to))
        opened.set(subject, [...(opened.get(subject) ?? []), described(from, to, connections)]);
    return [...opened].map(([subject, texts]) => ({
      subject,
      finding: {
        path: "spec",
        found: `open: ${listed([...new Set(texts)])}`,
        wanted: "only what the application's flows name",
        fix: "narrow the peers and ports of the rule, or name the flow in applications/",
      },
    }));
  },
};

/** Strangers first: they are worth more in a message that does not list all. Who is not isolated at all, another rule names once. */
function pairsOf(matrix: Matrix): readonly (readonly [Somebody, Somebody])[] {
  const own = matrix.pods.map((pod): Somebody => ({ pod }));
  const isIsolated = (direction: "Ingress" | "Egress", somebody: Somebody) =>
    !("pod" in somebody) || policiesOf(matrix.policies, direction, somebody.pod).length > 0;
  const senders = own.filter((each) => isIsolated("Egress", each));
  const receivers = own.filter((each) => isIsolated("Ingress", each));
  return [
    ...matrix.strangers.flatMap((from) => receivers.map((to) => [from, to] as const)),
    ...senders.flatMap((from) => matrix.strangers.map((to) => [from, to] as const)),
    ...senders.flatMap((from) => receivers.map((to) => [from, to] as const)),
  ];
}

/** The open connections of a pair that nobody intends, by the policy that is to blame. */
function unintended(matrix: Matrix, from: Somebody, to: Somebody): ReadonlyMap<Subject, readonly Connection[]> {
  const found = new Map<Subject, Connection[]>();
  const passage = matrix.passage(from, to);
  if (passage === shut) return found;
  const policies = [...matrix.policiesOf(from), ...matrix.policiesOf(to)];
  for (const connection of connectionsWorthAsking(policies, endOf(to))) {
    const answer = passage(connection);
    // A stranger's address is tried by itself.
    const open = answer === "open" || (answer === "maybe" && "pod" in from && "pod" in to);
    if (!open || isIntended(matrix.flows, from, to, connection)) continue;
    const subject = culprit(matrix, from, to, connection);
    found.set(subject, [...(found.get(subject) ?? []), connection]);
  }
  return found;
}

/**
 * The policy that opens a connection: the receiver's, unless a range that it means for others takes the sender by chance. Then it is
 * the sender's.
 */
function culprit(matrix: Matrix, from: Somebody, to: Somebody, connection: Connection): Subject {
  const ends = [endOf(from), endOf(to)] as const;
  const byChance = matrix.strangers.some((each) => !isPod(each.end) && isIntended(matrix.flows, each, to, connection));
  const receiving =
    "pod" in to
      ? opening(policiesOf(matrix.policies, "Ingress", to.pod), (each) => receives([each], ...ends)(connection))
      : undefined;
  const sending =
    "pod" in from
      ? opening(policiesOf(matrix.policies, "Egress", from.pod), (each) => sends([each], ...ends)(connection))
      : undefined;
  const policy = byChance ? (sending ?? receiving) : (receiving ?? sending);
  if (policy === undefined) throw new Error("no policy of the stack opens this connection");
  return policy.subject;
}

/** The policy that names the other end, before one whose range may take its address. */
const opening = (policies: readonly DeclaredPolicy[], reach: (policy: DeclaredPolicy) => Reach) =>
  policies.find((each) => reach(each) === "open") ?? policies.find((each) => reach(each) === "maybe");

const most = 3;
const listed = (texts: readonly string[]) =>
  [...texts.slice(0, most), ...(texts.length > most ? [`${texts.length - most} more`] : [])].join("; ");

function described(from: Somebody, to: Somebody, connections: readonly Connection[]): string {
  const any = connections.some(({ port }) => port === unheardOf);
  const ports = any ? "any port" : connections.map(({ port, protocol }) => `${port}/${protocol}`).join(", ");
  return `${nameOfSomebody(from)} -> ${nameOfSomebody(to)}: ${ports}`;
}
