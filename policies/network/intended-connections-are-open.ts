import type { Flow, Party } from "../../applications/flow.ts";
import { always } from "../levels.ts";
import { treeOf } from "../manifest.ts";
import type { Finding, StackRule, Subject } from "../rule.ts";
import {
  connectionsWorthAsking,
  endOf,
  isIntended,
  isParty,
  type Matrix,
  matrixOf,
  portsOf,
  type Somebody,
} from "./matrix.ts";
import { sends } from "./reachability.ts";

/** Every pair inside of the intended matrix is open: what an application needs is not closed with the rest. */
export const intendedConnectionsAreOpen: StackRule = {
  id: "intended-connections-are-open",
  summary:
    "NetworkPolicies leave every connection open that the application's flows name (applications/): DNS by UDP and TCP and Prometheus' scrapes, too.",
  why: "A default deny that forgets one of them takes the application down, or blinds whoever watches it.",
  severity: "high",
  sources: ["S4-28", "kubernetes/website#38267"],
  levels: always,
  example: {
    bad: "spec:\n  egress:\n    - to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}}]\n      ports: [{port: 53, protocol: UDP}]",
    good: "spec:\n  egress:\n    - to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}}]\n      ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]",
  },
  judgeStack(subjects) {
    const matrix = matrixOf(subjects);
    const said = matrix.flows.flatMap((flow) => closed(matrix, flow));
    // Both colours of a service say the same.
    return [...new Map(said.map((each) => [`${each.subject.urn} ${each.finding.found}`, each])).values()];
  },
};

interface Said {
  readonly subject: Subject;
  readonly finding: Finding;
}

/** Pods of the stack must all have the connection; of strangers, one whom the policies mean is enough. */
function closed(matrix: Matrix, flow: Flow): readonly Said[] {
  const ours = (party: Party) => matrix.pods.map((pod) => ({ pod })).filter((each) => isParty(each, party));
  const theirs = (party: Party) =>
    matrix.strangers.filter((each) => isParty(each, party) && (isDns(party) || !each.may.has("dns")));
  // Whether a host of the configuration is there at all, only the configuration knows.
  if ("outsider" in flow.to && flow.to.outsider === "outside") return [];
  if ("outsider" in flow.to) return ours(flow.from).flatMap((from) => missing(matrix, flow, [from], theirs(flow.to)));
  if ("outsider" in flow.from) return ours(flow.to).flatMap((to) => missing(matrix, flow, theirs(flow.from), [to]));
  return ours(flow.from).flatMap((from) => ours(flow.to).flatMap((to) => missing(matrix, flow, [from], [to])));
}

const isDns = (party: Party) => "outsider" in party && party.outsider === "dns";

/** Nothing when one of the senders may open the flow to one of the receivers. */
function missing(
  matrix: Matrix,
  flow: Flow,
  senders: readonly Somebody[],
  receivers: readonly Somebody[],
): readonly Said[] {
  const pairs = senders.flatMap((from) => receivers.map((to) => [from, to] as const));
  if (pairs.some(([from, to]) => isOpen(matrix, flow, from, to))) return [];
  const own = [...senders, ...receivers].find((each) => "pod" in each);
  if (own === undefined) return [];
  const ports = portsOf(flow).map(({ port, protocol }) => `${port}/${protocol}`);
  return [
    {
      subject: closing(matrix, flow, own, pairs[0]),
      finding: {
        path: "spec",
        found: `${nameOfParty(flow.from)} -> ${nameOfParty(flow.to)} is closed`,
        wanted: `open on ${ports.length === 0 ? "its port" : ports.join(", ")}: ${flow.why}`,
        fix: "allow it in the policies of both ends",
      },
    },
  ];
}

/** Of a flow whose port only the configuration knows, some connection that no other flow explains. */
function isOpen(matrix: Matrix, flow: Flow, from: Somebody, to: Somebody): boolean {
  const passage = matrix.passage(from, to);
  if (flow.ports !== "configured") return portsOf(flow).every((connection) => passage(connection) === "open");
  const explicit = matrix.flows.filter(({ ports }) => ports !== "configured");
  return connectionsWorthAsking([...matrix.policiesOf(from), ...matrix.policiesOf(to)], endOf(to)).some(
    (connection) => passage(connection) === "open" && !isIntended(explicit, from, to, connection),
  );
}

/** The policy that closes a flow: the sender's, unless that lets it out. */
function closing(
  matrix: Matrix,
  flow: Flow,
  own: Extract<Somebody, { pod: unknown }>,
  pair: readonly [Somebody, Somebody] | undefined,
): Subject {
  const [connection] = portsOf(flow);
  const [from, to] = pair ?? [own, own];
  const isOut =
    connection !== undefined && sends(matrix.policiesOf(from), endOf(from), endOf(to))(connection) === "open";
  const end = isOut || !("pod" in from) ? to : from;
  const policies = matrix.policiesOf("pod" in end ? end : own);
  const specific = policies.find(({ spec }) => Object.keys(treeOf(spec.podSelector)).length > 0);
  return (specific ?? policies[0])?.subject ?? own.pod.subject;
}

const nameOfParty = (party: Party) => ("pods" in party ? party.pods : party.outsider);
