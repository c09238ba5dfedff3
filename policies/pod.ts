import type { V1Container, V1ObjectMeta, V1PodSpec, V1SecurityContext } from "@kubernetes/client-node";
import { at, listOf, textOf } from "./manifest.ts";
import { EffectiveSecurity } from "./pod-security/effective.ts";
import type { Subject } from "./rule.ts";
import { kindOf } from "./subject.ts";

/** The three lists of containers that a pod may have. */
const containerLists = ["initContainers", "containers", "ephemeralContainers"] as const;
type ContainerList = (typeof containerLists)[number];

/** One container of a pod, whichever list it stands in. */
export interface ContainerView {
  readonly list: ContainerList;
  readonly name: string;
  /** `spec.template.spec.containers[web]` */
  readonly path: string;
  readonly object: V1Container;
  /** The security context that it runs with: the pod's, overlaid by its own. */
  readonly security: EffectiveSecurity;
}

/** The pods that a resource makes: its template, read as a Pod. */
export interface PodView {
  readonly subject: Subject;
  /** Of the template: `spec.template`, and `` for a Pod itself. */
  readonly path: string;
  /** Of the pod's own spec: `spec.template.spec`. */
  readonly specPath: string;
  readonly metadata: V1ObjectMeta;
  readonly spec: V1PodSpec;
  readonly containers: readonly ContainerView[];
  /**
   * Whether an operator completes it: what its containers have beside what stands here (probes, a second container's resources) the
   * operator decides.
   */
  readonly operated: boolean;
}

interface Template {
  readonly metadata?: V1ObjectMeta;
  readonly spec?: V1PodSpec;
}

/**
 * The pods of a resource, of every kind that makes some; empty for all others. Everything is read when it is asked for, so that a value
 * that is not known yet stands in the way of those rules alone that need it.
 */
export function podsOf(subject: Subject): readonly PodView[] {
  const kind = kindOf(subject);
  if (kind === undefined) return [];
  const { [kind]: path } = templatePaths;
  if (path !== undefined) return viewsAt(subject, path);
  const { [kind]: operated } = operatedPods;
  return operated?.(subject) ?? [];
}

/** Where each kind of Kubernetes' own has its pods. */
const templatePaths: Readonly<Record<string, string>> = {
  Pod: "",
  PodTemplate: "template",
  Deployment: "spec.template",
  ReplicaSet: "spec.template",
  ReplicationController: "spec.template",
  StatefulSet: "spec.template",
  DaemonSet: "spec.template",
  Job: "spec.template",
  CronJob: "spec.jobTemplate.spec.template",
};

/** The kinds of the operators that golive uses: what they add is not written down anywhere in a stack. */
const operatedPods: Readonly<Record<string, (subject: Subject) => readonly PodView[]>> = {
  Prometheus: (subject) => [monitoringPod(subject, "prometheus")],
  Alertmanager: (subject) => [monitoringPod(subject, "alertmanager")],
  Kibana: (subject) => [elasticPod(subject, "spec", "kibana", subject.object.spec)],
  Logstash: (subject) => [elasticPod(subject, "spec", "logstash", subject.object.spec)],
  Beat: (subject) =>
    (["daemonSet", "deployment"] as const).flatMap((way) => {
      const made = at(subject.object, "spec", way);
      const name = textOf(at(subject.object, "spec", "type")) ?? "beat";
      return made === undefined ? [] : [elasticPod(subject, `spec.${way}`, name, made)];
    }),
  Elasticsearch: (subject) =>
    listOf(at(subject.object, "spec", "nodeSets")).map((nodeSet, index) =>
      elasticPod(subject, `spec.nodeSets[${index}]`, "elasticsearch", nodeSet),
    ),
};

/** The operator makes the main container whether the template speaks of it or not: left out, it is one of which nothing is said. */
function elasticPod(subject: Subject, path: string, name: string, maker: unknown): PodView {
  const template = (at(maker, "podTemplate") ?? {}) as Template;
  const spec = template.spec ?? { containers: [] };
  const containers = spec.containers ?? [];
  const all = containers.some((each) => each.name === name) ? containers : [{ name }, ...containers];
  return viewOf(
    subject,
    `${path}.podTemplate`,
    {
      get metadata() {
        return template.metadata ?? {};
      },
      // What stands in the spec stays unread until a rule asks for it.
      spec: Object.create(spec, { containers: { value: all, enumerable: true } }) as V1PodSpec,
    },
    true,
  );
}

function viewsAt(subject: Subject, path: string): readonly PodView[] {
  const steps = path === "" ? [] : path.split(".");
  const template = at(subject.object, ...steps);
  return template === undefined || template === null ? [] : [viewOf(subject, path, template as Template, false)];
}

function viewOf(subject: Subject, path: string, template: Template, operated: boolean): PodView {
  const specPath = path === "" ? "spec" : `${path}.spec`;
  return {
    subject,
    path,
    specPath,
    operated,
    get metadata() {
      return template.metadata ?? {};
    },
    get spec() {
      return template.spec ?? { containers: [] };
    },
    get containers() {
      const spec = template.spec ?? { containers: [] };
      return containerLists.flatMap((list) =>
        (spec[list] ?? []).map((object, index) => containerOf(list, object, { spec, specPath, index })),
      );
    },
  };
}

interface Surrounding {
  readonly spec: V1PodSpec;
  readonly specPath: string;
  readonly index: number;
}

function containerOf(list: ContainerList, object: V1Container, { spec, specPath, index }: Surrounding): ContainerView {
  const name = object.name ?? `${index}`;
  const path = `${specPath}.${list}[${name}]`;
  return { list, name, path, object, security: new EffectiveSecurity({ spec, specPath }, { object, path }) };
}

/** What the Prometheus operator writes into each container of its pods, whatever it is told. */
const operatorsSecurity: V1SecurityContext = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ["ALL"] },
};

/**
 * A Prometheus or an Alertmanager: its spec is a pod's spec with other fields between. The first container is the operator's, with the
 * image and the resources that stand beside; `containers` are patches of what the operator makes, and more containers.
 */
function monitoringPod(subject: Subject, name: string): PodView {
  const declared = (subject.object.spec ?? {}) as V1PodSpec & {
    readonly podMetadata?: V1ObjectMeta;
    readonly image?: string;
    readonly resources?: NonNullable<V1Container["resources"]>;
  };
  const main = {
    name,
    get image() {
      return declared.image;
    },
    get resources() {
      return declared.resources;
    },
    securityContext: operatorsSecurity,
  } as V1Container;
  const patches = declared.containers ?? [];
  const containers = [
    patched(main, patches),
    ...patches
      .filter((patch) => patch.name !== name)
      .map((patch) =>
        patch.name === "config-reloader"
          ? patched({ name: patch.name, securityContext: operatorsSecurity }, [patch])
          : patch,
      ),
  ];
  return viewOf(
    subject,
    "",
    {
      get metadata() {
        return declared.podMetadata ?? {};
      },
      // What stands in the spec stays unread until a rule asks for it.
      spec: Object.create(declared, { containers: { value: containers, enumerable: true } }) as V1PodSpec,
    },
    true,
  );
}

function patched(container: V1Container, patches: readonly V1Container[]): V1Container {
  const patch = patches.find(({ name }) => name === container.name);
  if (patch === undefined) return container;
  const securityContext = { ...container.securityContext, ...patch.securityContext };
  return { ...container, ...patch, securityContext };
}
