import type { Declaration, Declared } from "./harness.ts";

/**
 * What Prometheus would read of a declared stack: which pods its monitors select, by which port, and with which labels. It
 * stands in for the operator (which monitors the Prometheus selects) and for Prometheus' own relabelling.
 */

export type Labels = Readonly<Record<string, string>>;

/** A pod that some object of the stack makes. */
export interface Pod {
  /** `Deployment taskflow-backend-blue`. */
  readonly of: string;
  readonly namespace: string;
  readonly labels: Labels;
  /** Ports of its containers by name. */
  readonly ports: Readonly<Record<string, number>>;
}

export interface Target {
  readonly pod: Pod;
  readonly monitor: string;
  readonly port: string;
  readonly path: string;
  /** Labels of its series beside `instance` and `pod`, which are the pod's own. */
  readonly labels: Labels;
}

type Tree = { readonly [key: string]: unknown };

const tree = (value: unknown): Tree =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? Object.fromEntries(Object.entries(value)) : {};
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const at = (value: unknown, ...path: readonly string[]): unknown =>
  path.reduce<unknown>((inner, key) => tree(inner)[key], value);
const text = (value: unknown): string => (typeof value === "string" ? value : "");
const labelsAt = (value: unknown): Labels =>
  Object.fromEntries(Object.entries(tree(value)).map(([name, each]) => [name, text(each)]));

const kindOf = ({ type }: Declared) => type.split(":").at(-1) ?? "";
const ofKind = (stack: Declaration, ...kinds: readonly string[]) =>
  stack.all.filter((each) => each.type.startsWith("kubernetes:") && kinds.includes(kindOf(each)));
const namespaceOf = ({ inputs }: Declared) => text(at(inputs, "metadata", "namespace"));

/** Every pod of a stack, and those that an operator makes of its objects. */
export function podsOf(stack: Declaration): readonly Pod[] {
  const workloads = ofKind(stack, "Deployment", "StatefulSet", "DaemonSet").map((each) => {
    const template = at(each.inputs, "spec", "template");
    const ports = list(at(template, "spec", "containers")).flatMap((container) => list(tree(container).ports));
    return pod(each, labelsAt(at(template, "metadata", "labels")), ports);
  });
  const operated = ofKind(stack, "Prometheus", "Alertmanager").map((each) =>
    pod(each, labelsAt(at(each.inputs, "spec", "podMetadata", "labels")), [{ name: "web", containerPort: 0 }]),
  );
  const clusters = ofKind(stack, "Cluster").map((each) =>
    pod(each, { "cnpg.io/cluster": each.name }, [{ name: "metrics", containerPort: 9187 }]),
  );
  return [...workloads, ...operated, ...clusters];
}

const pod = (of: Declared, labels: Labels, ports: readonly unknown[]): Pod => ({
  of: `${kindOf(of)} ${of.name}`,
  namespace: namespaceOf(of),
  labels,
  ports: Object.fromEntries(ports.map((port) => [text(tree(port).name), Number(tree(port).containerPort)])),
});

/** Everything that the Prometheus of a stack may select, by `Kind name`. */
export const selectable = (stack: Declaration): readonly Declared[] =>
  ofKind(stack, "ServiceMonitor", "PodMonitor", "Probe", "PrometheusRule", "ScrapeConfig");

/** Whether a Prometheus takes an object: by the selector of its kind, from every namespace. */
export function takes(prometheus: Declared, object: Declared): boolean {
  const kind = kindOf(object).replace(/^Prometheus/, "");
  const field = kind.charAt(0).toLowerCase() + kind.slice(1);
  const spec = tree(prometheus.inputs.spec);
  const namespaces = spec[`${field}NamespaceSelector`];
  const anywhere = namespaces !== undefined && Object.keys(tree(namespaces)).length === 0;
  return anywhere && selects(spec[`${field}Selector`], labelsAt(at(object.inputs, "metadata", "labels")));
}

/** A Kubernetes label selector; without any condition it selects everything, absent it selects nothing. */
function selects(selector: unknown, labels: Labels): boolean {
  if (selector === undefined) return false;
  const exact = Object.entries(labelsAt(at(selector, "matchLabels")));
  const expressions = list(at(selector, "matchExpressions")).map(tree);
  return (
    exact.every(([name, value]) => labels[name] === value) &&
    expressions.every(({ key, operator, values }) => {
      if (operator !== "In") throw new Error(`this stand-in knows no operator ${String(operator)}`);
      return list(values).includes(labels[text(key)]);
    })
  );
}

/** What the pod and service monitors of a stack read. */
export function targetsOf(stack: Declaration): readonly Target[] {
  const pods = podsOf(stack);
  return [
    ...ofKind(stack, "PodMonitor").flatMap((monitor) => podTargets(monitor, pods)),
    ...ofKind(stack, "ServiceMonitor").flatMap((monitor) => serviceTargets(monitor, stack, pods)),
  ];
}

function podTargets(monitor: Declared, pods: readonly Pod[]): readonly Target[] {
  const named = list(at(monitor.inputs, "spec", "namespaceSelector", "matchNames")).map(text);
  const namespaces = named.length > 0 ? named : [namespaceOf(monitor)];
  const selected = pods.filter(
    ({ namespace, labels }) =>
      namespaces.includes(namespace) && selects(at(monitor.inputs, "spec", "selector"), labels),
  );
  return list(at(monitor.inputs, "spec", "podMetricsEndpoints")).flatMap((endpoint) =>
    selected.flatMap((each) => target(monitor, tree(endpoint), each, text(tree(endpoint).port))),
  );
}

function serviceTargets(monitor: Declared, stack: Declaration, pods: readonly Pod[]): readonly Target[] {
  const services = ofKind(stack, "Service").filter(
    (each) =>
      namespaceOf(each) === namespaceOf(monitor) &&
      selects(at(monitor.inputs, "spec", "selector"), labelsAt(at(each.inputs, "metadata", "labels"))),
  );
  return list(at(monitor.inputs, "spec", "endpoints")).flatMap((endpoint) =>
    services.flatMap((service) => {
      const ports = list(at(service.inputs, "spec", "ports")).map(tree);
      const port = ports.find(({ name }) => name === tree(endpoint).port);
      const behind = pods.filter(
        ({ namespace, labels }) =>
          namespace === namespaceOf(service) &&
          selects({ matchLabels: at(service.inputs, "spec", "selector") }, labels),
      );
      return behind.flatMap((each) => target(monitor, tree(endpoint), each, text(port?.targetPort)));
    }),
  );
}

/** None when the pod has no port of that name: Prometheus drops it, and nobody hears of it. */
function target(monitor: Declared, endpoint: Tree, each: Pod, port: string): readonly Target[] {
  if (!(port in each.ports)) return [];
  const found: Record<string, string> = {
    // As the operator's own relabelling sets them first.
    job: `${namespaceOf(monitor)}/${monitor.name}`,
    namespace: each.namespace,
    pod: each.of,
    container: "container",
    endpoint: port,
    __meta_kubernetes_pod_node_name: "node-1",
  };
  for (const [name, value] of Object.entries(each.labels))
    found[`__meta_kubernetes_pod_label_${name.replace(/[^a-zA-Z0-9_]/g, "_")}`] = value;
  const labels = relabelled(found, list(endpoint.relabelings).map(tree));
  const { pod: _pod, instance: _instance, ...own } = labels;
  return [{ pod: each, monitor: monitor.name, port, path: text(endpoint.path) || "/metrics", labels: own }];
}

/** Prometheus' relabelling, of which golive uses two actions. */
function relabelled(found: Labels, rules: readonly Tree[]): Labels {
  let labels: Record<string, string> = { ...found };
  for (const rule of rules) {
    const regex = new RegExp(`^(?:${text(rule.regex) || "(.*)"})$`, "s");
    const action = text(rule.action) || "replace";
    if (action === "labeldrop") {
      labels = Object.fromEntries(Object.entries(labels).filter(([name]) => !regex.test(name)));
      continue;
    }
    if (action !== "replace") throw new Error(`this stand-in knows no action ${action}`);
    const sources = list(rule.sourceLabels).map((name) => labels[text(name)] ?? "");
    const joined = sources.join(rule.separator === undefined ? ";" : text(rule.separator));
    const matched = regex.exec(joined);
    if (!matched) continue;
    const value = (rule.replacement === undefined ? "$1" : text(rule.replacement)).replaceAll("$1", matched[1] ?? "");
    if (value === "") delete labels[text(rule.targetLabel)];
    else labels[text(rule.targetLabel)] = value;
  }
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !name.startsWith("__")));
}
