import { at, listOf, type Tree, textOf, textsOf, treeOf } from "../../policies/manifest.ts";
import type { Subject } from "../../policies/rule.ts";
import { kindOf } from "../../policies/subject.ts";

/** One field of a rendered resource, removed or weakened. */
export interface Mutation {
  readonly subject: Subject;
  /** Dotted, with indices: `spec.template.spec.containers.0.image`. */
  readonly field: string;
  /** `removed`, or what stands there now. */
  readonly how: string;
  /** Undefined: the resource is gone. */
  readonly mutant: Subject | undefined;
}

type Path = readonly string[];
/** A change at a path: a new value, or `gone`. */
type Change = readonly [path: Path, value: unknown];
const gone = Symbol("removed");

/** Everything that matters to security in a resource, each weakened once by itself. */
export function mutationsOf(subject: Subject): readonly Mutation[] {
  const changes: readonly Change[] = [...nodesOf(subject.object).flatMap(changesAt), ...changesOfKind(subject)];
  const mutations: readonly Mutation[] = changes
    .filter(([path, value]) => valueAt(subject.object, path) !== (value === gone ? undefined : value))
    .map(([path, value]) => ({
      subject,
      field: path.join("."),
      how: value === gone ? "removed" : JSON.stringify(value),
      mutant: { ...subject, object: treeOf(changed(subject.object, path, value)) },
    }));
  const without = { subject, field: "", how: "not declared", mutant: undefined };
  const needed = ["PodDisruptionBudget", "NetworkPolicy", "ServiceAccount"].includes(kindOf(subject) ?? "");
  const all = needed ? [...mutations, without] : mutations;
  return subject.protect
    ? [...all, { subject, field: "protect", how: "removed", mutant: { ...subject, protect: false } }]
    : all;
}

interface Node {
  readonly path: Path;
  readonly key: string;
  readonly tree: Tree;
}

/** Every object of a tree, with its path; the key is the field that holds it or its list. */
function nodesOf(value: unknown, path: Path = [], key = ""): readonly Node[] {
  if (Array.isArray(value)) return value.flatMap((each, index) => nodesOf(each, [...path, `${index}`], key));
  if (typeof value !== "object" || value === null) return [];
  const tree = treeOf(value);
  return [{ path, key, tree }, ...Object.keys(tree).flatMap((field) => nodesOf(tree[field], [...path, field], field))];
}

function changesAt({ path, key, tree }: Node): readonly Change[] {
  if (key === "securityContext") return securityChanges(path, tree);
  if ((key === "containers" || key === "initContainers") && tree.name !== undefined)
    return containerChanges(path, tree);
  if (Array.isArray(tree.containers)) return podChanges(path, tree);
  return [];
}

function securityChanges(path: Path, tree: Tree): readonly Change[] {
  const whole: readonly Change[] = [[path, gone]];
  const fields = Object.keys(tree).flatMap((field): readonly Change[] => {
    const value = tree[field];
    const removed: Change = [[...path, field], gone];
    if (typeof value === "boolean") return [removed, [[...path, field], !value]];
    if (typeof value === "number") return [removed, [[...path, field], 0]];
    if (field === "seccompProfile") return [removed, [[...path, field, "type"], "Unconfined"]];
    if (field === "capabilities")
      return [removed, [[...path, field, "drop"], []], [[...path, field, "add"], ["SYS_ADMIN"]]];
    return [removed];
  });
  // The pod's context has other fields than a container's.
  return tree.capabilities === undefined
    ? [...whole, ...fields]
    : [...whole, ...fields, [[...path, "privileged"], true], [[...path, "procMount"], "Unmasked"]];
}

const leaked = { name: "DB_PASSWORD", value: "correct-horse" };

function containerChanges(path: Path, tree: Tree): readonly Change[] {
  const image = textOf(tree.image);
  const ports = listOf(tree.ports).map((_, index): Change => [[...path, "ports", `${index}`, "hostPort"], 80]);
  return [
    ...(image === undefined
      ? []
      : ([
          [[...path, "image"], `${image.split(/[:@]/)[0]}:latest`],
          [[...path, "image"], image.split("@")[0]],
        ] as const)),
    ...["requests.cpu", "requests.memory", "limits.memory"].map(
      (field): Change => [[...path, "resources", ...field.split(".")], gone],
    ),
    ...["startupProbe", "readinessProbe", "livenessProbe"].map((probe): Change => [[...path, probe], gone]),
    ...["readinessProbe", "livenessProbe"].flatMap((probe): readonly Change[] =>
      at(tree, probe, "httpGet") === undefined ? [] : [[[...path, probe, "httpGet", "port"], "nowhere"]],
    ),
    [
      [...path, "env"],
      [...listOf(tree.env), leaked],
    ],
    ...listOf(tree.env).flatMap((variable, index): readonly Change[] =>
      at(variable, "valueFrom", "secretKeyRef") === undefined
        ? []
        : [[[...path, "env", `${index}`], { name: at(variable, "name"), value: leaked.value }]],
    ),
    [
      [...path, "args"],
      [...textsOf(tree.args), `--password=${leaked.value}`],
    ],
    ...ports,
    ...listOf(tree.volumeMounts).flatMap((mount, index): readonly Change[] =>
      at(mount, "readOnly") === true ? [[[...path, "volumeMounts", `${index}`, "readOnly"], gone]] : [],
    ),
  ];
}

function podChanges(path: Path, tree: Tree): readonly Change[] {
  const volume = { name: "machine", hostPath: { path: "/" } };
  return [
    ...["hostNetwork", "hostPID", "hostIPC"].map((field): Change => [[...path, field], true]),
    [[...path, "automountServiceAccountToken"], gone],
    [[...path, "automountServiceAccountToken"], true],
    [[...path, "serviceAccountName"], gone],
    [[...path, "topologySpreadConstraints"], gone],
    [
      [...path, "volumes"],
      [...listOf(tree.volumes), volume],
    ],
  ];
}

/** What matters in one kind only. */
function changesOfKind({ object, type }: Subject): readonly Change[] {
  const kind = kindOf({ type }) ?? type;
  const spec = (...path: Path): Path => ["spec", ...path];
  const each = (path: Path, change: (path: Path, tree: Tree) => readonly Change[]): readonly Change[] =>
    listOf(valueAt(object, path)).flatMap((entry, index) => change([...path, `${index}`], treeOf(entry)));
  switch (kind) {
    case "HTTPRoute":
      return each(spec("rules"), (rule) =>
        each([...rule, "backendRefs"], (backend, { weight }) => [
          [backend, gone],
          [[...backend, "name"], "elsewhere"],
          [[...backend, "namespace"], "elsewhere"],
          [[...backend, "port"], 9],
          ...(weight === undefined
            ? []
            : ([
                [[...backend, "weight"], gone],
                [[...backend, "weight"], 50.5],
                [[...backend, "weight"], weight === 1 ? 1 : 50],
              ] as const)),
        ]),
      );
    case "Service":
      return [
        [spec("type"), "NodePort"],
        [spec("type"), "LoadBalancer"],
        [spec("externalIPs"), ["203.0.113.9"]],
        [spec("selector"), gone],
        [spec("selector", "component"), "nobody"],
        [["metadata", "annotations", "token"], leaked.value],
        ...each(spec("ports"), (port) => [[[...port, "targetPort"], "nowhere"]]),
      ];
    case "Role":
    case "ClusterRole":
      return each(["rules"], (rule) => [
        [[...rule, "verbs"], ["*"]],
        [[...rule, "resources"], ["*"]],
        [[...rule, "apiGroups"], ["*"]],
        [[...rule, "resources"], ["secrets"]],
        [rule, { apiGroups: ["rbac.authorization.k8s.io"], resources: ["roles"], verbs: ["escalate"] }],
        [[...rule, "resourceNames"], gone],
      ]);
    case "RoleBinding":
    case "ClusterRoleBinding":
      return [
        [["roleRef", "name"], "cluster-admin"],
        ...each(["subjects"], (who) => [[who, { kind: "Group", name: "system:authenticated" }]]),
      ];
    case "ServiceAccount":
      return [
        [["automountServiceAccountToken"], gone],
        [["metadata", "annotations"], { token: leaked.value }],
      ];
    case "Secret":
      return [[["stringData", "key"], "staging-secret-key"]];
    case "Kibana":
    case "Beat":
      return [[spec("config", "output.elasticsearch.password"), leaked.value]];
    case "PodDisruptionBudget":
      return [
        [spec("maxUnavailable"), 0],
        [spec("selector", "matchLabels"), { app: "nobody" }],
      ];
    case "Namespace":
      return ["enforce", "enforce-version"].flatMap((label): readonly Change[] => [
        [["metadata", "labels", `pod-security.kubernetes.io/${label}`], gone],
        ...(label === "enforce"
          ? ([[["metadata", "labels", `pod-security.kubernetes.io/${label}`], "privileged"]] as const)
          : []),
      ]);
    case "ConfigMap":
      return [
        [["data", "DATABASE_URL"], "postgresql://user:pass@staging-db:5432/taskflow_staging"],
        [["data", "settings.yaml"], "host: db\npassword: correct-horse"],
        ...["NODE_ENV", "LOG_LEVEL"].flatMap((name): readonly Change[] =>
          at(object, "data", name) === undefined ? [] : [[["data", name], name === "NODE_ENV" ? gone : "debug"]],
        ),
      ];
    case "Deployment":
    case "StatefulSet":
    case "DaemonSet":
      return [
        [spec("template", "metadata", "annotations"), { token: leaked.value }],
        [["metadata", "namespace"], "default"],
        ...(at(object, "spec", "volumeClaimTemplates") === undefined
          ? []
          : ([[spec("persistentVolumeClaimRetentionPolicy", "whenDeleted"), "Delete"]] as const)),
      ];
    case "Prometheus":
    case "Alertmanager":
      return [
        [spec("image"), "quay.io/prometheus/prometheus:latest"],
        [spec("resources", "limits", "memory"), gone],
        [spec("topologySpreadConstraints"), gone],
        [spec("persistentVolumeClaimRetentionPolicy", "whenDeleted"), "Delete"],
        ...["hostNetwork"].map((field): Change => [spec(field), true]),
        ...(kind === "Prometheus" ? ([[spec("ruleSelector"), { matchLabels: { app: "nobody" } }]] as const) : []),
      ];
    case "ServiceMonitor":
    case "PodMonitor":
      return [
        [spec("selector", "matchLabels"), { app: "nobody" }],
        [["metadata", "labels"], {}],
        ...["endpoints", "podMetricsEndpoints"].flatMap((field) =>
          each(spec(field), (endpoint) => [[[...endpoint, "port"], "nowhere"]]),
        ),
      ];
    case "PrometheusRule":
    case "Probe":
    case "ScrapeConfig":
      return [[["metadata", "labels"], {}]];
    case "NetworkPolicy":
      return networkChanges(object, spec);
    case "Cluster":
      return [
        [spec("imageName"), "ghcr.io/cloudnative-pg/postgresql:latest"],
        [spec("enableSuperuserAccess"), true],
        [spec("enablePDB"), false],
        [spec("affinity", "enablePodAntiAffinity"), false],
        [spec("resources", "limits", "memory"), gone],
        [spec("postgresql", "pg_hba"), gone],
        ...each(spec("postgresql", "pg_hba"), (line) => [[line, "host all all all md5"]]),
        ...each(spec("managed", "roles"), (role, { login }) => [
          [[...role, "superuser"], true],
          [[...role, "createrole"], true],
          ...(login === true
            ? ([
                [[...role, "bypassrls"], true],
                [[...role, "passwordSecret"], gone],
              ] as const)
            : []),
        ]),
      ];
    case "Elasticsearch":
      return [
        [spec("image"), "docker.elastic.co/elasticsearch/elasticsearch:latest"],
        [spec("volumeClaimDeletePolicy"), gone],
        [spec("http"), { service: { spec: { type: "LoadBalancer" } } }],
        [spec("nodeSets", "0", "config", "bind_password"), leaked.value],
      ];
    case "Logstash":
      return [
        [spec("services", "0", "service", "spec", "type"), "NodePort"],
        [spec("pipelines", "0", "config.string"), `output { elasticsearch { password => "${leaked.value}" } }`],
      ];
    case "postgresql:index/grant:Grant":
      return [
        [["privileges"], ["ALL"]],
        [["withGrantOption"], true],
      ];
    default:
      return [];
  }
}

/** Opened in each direction, or taken off its pods. */
function networkChanges(object: Tree, spec: (...path: Path) => Path): readonly Change[] {
  return [
    ...["ingress", "egress"].map((field): Change => [spec(field), [{}]]),
    ...textsOf(at(object, "spec", "policyTypes")).map(
      (type): Change => [
        spec("policyTypes"),
        textsOf(at(object, "spec", "policyTypes")).filter((other) => other !== type),
      ],
    ),
    [spec("podSelector"), { matchLabels: { app: "nobody" } }],
    ...(
      [
        ["ingress", "from"],
        ["egress", "to"],
      ] as const
    ).flatMap(([field, peers]) =>
      // The first of each direction: the others are made by the same function, and each costs a walk over the whole stack.
      listOf(at(object, "spec", field))
        .slice(0, 1)
        .flatMap((): readonly Change[] => [
          [spec(field, "0", peers), gone],
          [spec(field, "0", "ports"), gone],
        ]),
    ),
  ];
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inner, field) => (Array.isArray(inner) ? inner[Number(field)] : treeOf(inner)[field]),
    value,
  );
}

/** A copy with another value at a path; what lies beside it is shared. */
function changed(value: unknown, [field, ...rest]: Path, to: unknown): unknown {
  if (field === undefined) return to;
  if (Array.isArray(value)) {
    const index = Number(field);
    const inner = changed(value[index], rest, to);
    return inner === gone ? value.toSpliced(index, 1) : value.with(index, inner);
  }
  const { [field]: before, ...others } = treeOf(value);
  const after = changed(before, rest, to);
  return after === gone ? others : { ...others, [field]: after };
}
