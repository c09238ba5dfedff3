import type { Application } from "../../applications/application.ts";
import { applications } from "../../applications/catalogue.ts";
import type { Flow, Party, Trait } from "../../applications/flow.ts";
import { flowsOf } from "../../applications/flows.ts";
import { labelsOf, nameOf, type Tree, textOf, treesOf } from "../manifest.ts";
import type { Subject } from "../rule.ts";
import { ofKind } from "../stack.ts";
import { type DeclaredPod, type DeclaredPolicy, declaredPods, declaredPolicies } from "./pods.ts";
import {
  type Connection,
  type End,
  isPod,
  type Passage,
  type Pod,
  passage,
  policiesOf,
  receives,
  sends,
} from "./reachability.ts";
import { type Stranger, strangersOf } from "./strangers.ts";

/** Somebody in the matrix: pods of the stack, or a stranger. */
export type Somebody = { readonly pod: DeclaredPod } | Stranger;

/** What NetworkPolicies make of a stack, beside what its application intends. */
export interface Matrix {
  readonly pods: readonly DeclaredPod[];
  readonly strangers: readonly Stranger[];
  readonly flows: readonly Flow[];
  readonly policies: readonly DeclaredPolicy[];
  readonly passage: (from: Somebody, to: Somebody) => Passage;
  /** The policies that select somebody in any direction. */
  readonly policiesOf: (somebody: Somebody) => readonly DeclaredPolicy[];
}

const matrices = new WeakMap<readonly Subject[], Matrix>();

/** The matrix of a stack, made once for all rules that read it. */
export function matrixOf(subjects: readonly Subject[]): Matrix {
  const known = matrices.get(subjects);
  if (known) return known;
  const made = matrixMadeOf(subjects);
  matrices.set(subjects, made);
  return made;
}

function matrixMadeOf(subjects: readonly Subject[]): Matrix {
  const pods = declaredPods(subjects);
  const policies = declaredPolicies(subjects);
  const selecting = new Map<End, readonly DeclaredPolicy[]>();
  const selectingPod = (pod: Pod): readonly DeclaredPolicy[] => {
    const known = selecting.get(pod);
    if (known) return known;
    const both = [...policiesOf(policies, "Ingress", pod), ...policiesOf(policies, "Egress", pod)];
    const found = [...new Set(both)];
    selecting.set(pod, found);
    return found;
  };
  const policiesOfEnd = (end: End) => (isPod(end) ? selectingPod(end) : []);
  return {
    pods,
    policies,
    strangers: strangersOf(subjects, pods, policies),
    flows: applicationsOf(subjects).flatMap((application) => flowsOf(application, traitsOf(subjects, application))),
    policiesOf: (somebody) => policiesOfEnd(endOf(somebody)),
    passage(from, to) {
      const ends = [endOf(from), endOf(to)] as const;
      // No policy is asked about a stranger: in a namespace of the stack it has whatever further labels open its own side.
      if (!("pod" in from)) return receives(policiesOfEnd(ends[1]), ...ends);
      if (!("pod" in to)) return sends(policiesOfEnd(ends[0]), ...ends);
      return passage(ends.flatMap(policiesOfEnd), ...ends);
    },
  };
}

export const endOf = (somebody: Somebody): End => ("pod" in somebody ? somebody.pod : somebody.end);

/** Named in findings. */
export const nameOfSomebody = (somebody: Somebody): string =>
  "pod" in somebody ? (somebody.pod.component ?? somebody.pod.subject.name) : somebody.name;

/** Whether somebody may be this party. */
export function isParty(somebody: Somebody, party: Party): boolean {
  if ("pod" in somebody) return "pods" in party && somebody.pod.component === party.pods;
  if ("outsider" in party) return somebody.may.has(party.outsider);
  return party.pods === "prometheus" && somebody.may.has("prometheus");
}

export const portsOf = ({ ports }: Flow): readonly Connection[] =>
  ports === "configured" ? [] : ports.map(({ port, protocol = "TCP" }) => ({ port, protocol }));

/** Whether the application intends this connection. */
export const isIntended = (
  flows: readonly Flow[],
  from: Somebody,
  to: Somebody,
  { port, protocol }: Connection,
): boolean =>
  flows.some(
    (flow) =>
      isParty(from, flow.from) &&
      isParty(to, flow.to) &&
      (flow.ports === "configured"
        ? // One that the configuration names is not all of them; the probe alone follows wherever the Gateway leads.
          port !== unheardOf || ("outsider" in flow.to && flow.to.outsider === "gateway")
        : portsOf(flow).some((own) => own.port === port && own.protocol === protocol)),
  );

/** A port that nobody has: only a rule for all ports opens it. */
export const unheardOf = 1;

/** Connections that these policies speak of, those of the receiver's containers, and one that nobody has. */
export function connectionsWorthAsking(policies: readonly DeclaredPolicy[], to: End): readonly Connection[] {
  const written = policies
    .flatMap(({ spec }) => [...treesOf(spec.ingress), ...treesOf(spec.egress)])
    .flatMap(({ ports }) => treesOf(ports))
    .flatMap(({ port, endPort, protocol }) =>
      // What lies between the ends of a range is open, too.
      [
        port,
        endPort,
        ...(typeof port === "number" && typeof endPort === "number" ? [port + 1, endPort - 1] : []),
      ].flatMap((each) => (typeof each === "number" ? [{ port: each, protocol: textOf(protocol) ?? "TCP" }] : [])),
    );
  const contained = isPod(to) ? (to.ports ?? []).map(({ port, protocol = "TCP" }) => ({ port, protocol })) : [];
  const others = ["TCP", "UDP", "SCTP"].map((protocol) => ({ port: unheardOf, protocol }));
  const all = [...written, ...contained, ...others];
  return [...new Map(all.map((each) => [`${each.port}/${each.protocol}`, each])).values()];
}

/** The applications whose name the stack's namespaces have. */
function applicationsOf(subjects: readonly Subject[]): readonly Application[] {
  const names = new Set(ofKind(subjects, "Namespace").map((each) => textOf(labelsOf(each).app) ?? nameOf(each)));
  return Object.values(applications).filter(({ name }) => names.has(name));
}

/** What stands in the stack, as far as a flow depends on it. */
function traitsOf(subjects: readonly Subject[], application: Application): ReadonlySet<Trait> {
  const isThere = (kind: string, is: (labels: Tree, name: string) => boolean = () => true) =>
    ofKind(subjects, kind).some((each) => is(labelsOf(each), nameOf(each)));
  const cluster = isThere("Cluster");
  const server = isThere("StatefulSet", ({ component }) => component === "postgres");
  const all: Readonly<Record<Trait, boolean>> = {
    "cloudnative-pg": cluster,
    "object-store": isThere("ObjectStore"),
    "external-database": application.stores.postgresql !== undefined && !cluster && !server,
    "public-grafana": isThere("HTTPRoute", (_, name) => name === "grafana"),
  };
  return new Set((Object.keys(all) as Trait[]).filter((each) => all[each]));
}
