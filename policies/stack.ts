import { colours } from "../applications/application.ts";
import { at, labelsOf, nameOf, namespaceOf, type Tree, treeOf, treesOf } from "./manifest.ts";
import { podsOf } from "./pod.ts";
import type { Subject } from "./rule.ts";
import { kindOf } from "./subject.ts";

/** Pods that the stack runs, by itself or through an operator, as a selector sees them. */
export interface Run {
  readonly subject: Subject;
  readonly namespace: string;
  readonly labels: Tree;
  /** Pods at once; undefined when the workload does not say. */
  readonly replicas: number | undefined;
  /** Names of the ports of all its containers. */
  readonly portNames: ReadonlySet<string>;
  readonly portNumbers: ReadonlySet<number>;
}

/** Names of the namespaces that the stack declares: what stands in others belongs to somebody else. */
export const ownNamespaces = (subjects: readonly Subject[]): ReadonlySet<string> =>
  new Set(subjects.filter((subject) => kindOf(subject) === "Namespace").map(nameOf));

export const ofKind = (subjects: readonly Subject[], ...kinds: readonly string[]): readonly Subject[] =>
  subjects.filter((subject) => kinds.includes(kindOf(subject) ?? ""));

/** Ports that operators name on the pods of their custom resources. */
const operated: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  Prometheus: { web: 9090 },
  Alertmanager: { web: 9093 },
  Cluster: { postgresql: 5432, metrics: 9187, status: 8000 },
};
const running = [
  ...["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController"],
  ...Object.keys(operated),
];

/** Everything that runs as long as the stack stands: no Jobs. */
export function runsOf(subjects: readonly Subject[]): readonly Run[] {
  return ofKind(subjects, ...running).map((subject): Run => {
    const pods = podsOf(subject);
    const count = at(subject.object, "spec", "replicas") ?? at(subject.object, "spec", "instances");
    const ports = pods.flatMap(({ containers }) => containers.flatMap(({ object }) => object.ports ?? []));
    const named = operated[kindOf(subject) ?? ""] ?? {};
    return {
      subject,
      namespace: namespaceOf(subject),
      // CloudNativePG has no pod template: its pods carry the Cluster's name.
      labels: pods[0]?.metadata.labels ?? { "cnpg.io/cluster": nameOf(subject) },
      replicas: typeof count === "number" ? count : undefined,
      portNames: new Set([...ports.flatMap(({ name }) => name ?? []), ...Object.keys(named)]),
      portNumbers: new Set([...ports.map(({ containerPort }) => containerPort), ...Object.values(named)]),
    };
  });
}

/** Whether pods have the port that a Service or a monitor asks for, by name or by number. */
export const hasPort = (run: Run, port: unknown): boolean =>
  typeof port === "number" ? run.portNumbers.has(port) : run.portNames.has(String(port));

/** What the public route says of a colour's Service: its share of the traffic, undefined where no public route names it. */
export function publicWeight(subjects: readonly Subject[], service: Subject): number | undefined {
  const weights = ofKind(subjects, "HTTPRoute")
    .filter((route) => isPublicRoute(route) && namespaceOf(route) === namespaceOf(service))
    .flatMap((route) => treesOf(at(route.object, "spec", "rules")))
    .flatMap(({ backendRefs }) => treesOf(backendRefs))
    .filter(({ name }) => name === nameOf(service))
    .map(({ weight }) => (typeof weight === "number" ? weight : 1));
  return weights.length === 0 ? undefined : Math.max(...weights);
}

/** The route that splits the traffic says on itself what it was told; no other does. */
export const isPublicRoute = (route: Subject): boolean =>
  at(route.object, "metadata", "annotations", "golive/candidate-traffic") !== undefined;

/** The pods of a release, of whichever colour: those that a colour's Service may select, whatever makes them. */
export const isRelease = (subject: Subject): boolean => {
  const pods = podsOf(subject);
  return (
    pods.length > 0 && [labelsOf(subject), ...pods.map(({ metadata }) => treeOf(metadata.labels))].some(isOfColour)
  );
};

const isOfColour = ({ version }: Tree): boolean => colours.some((colour) => colour === version);
