import { always } from "../levels.ts";
import type { ResourceRule } from "../rule.ts";
import { kindOf } from "../subject.ts";

/** Types of @pulumi/kubernetes whose objects reach no policy, or reach it without their fields. */
const hidden = [
  /^kubernetes:helm\.sh\//,
  /^kubernetes:yaml(\/v\d+)?:/,
  /^kubernetes:kustomize(\/v\d+)?:/,
  /^kubernetes:.*List$/,
];

/**
 * The kinds that the rules read, by API group. Any other may run pods (k3s makes a chart of a HelmChart, an operator a connection pool),
 * let the world in (Ingress), lead a Service elsewhere (EndpointSlice) or open what a NetworkPolicy closes, and no rule would say so.
 */
const known: Readonly<Record<string, readonly string[]>> = {
  core: [
    ...["ConfigMap", "LimitRange", "Namespace", "PersistentVolumeClaim", "Pod", "PodTemplate", "ReplicationController"],
    ...["ResourceQuota", "Secret", "Service", "ServiceAccount"],
  ],
  apps: ["DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"],
  autoscaling: ["HorizontalPodAutoscaler"],
  batch: ["CronJob", "Job"],
  policy: ["PodDisruptionBudget"],
  "networking.k8s.io": ["NetworkPolicy"],
  "scheduling.k8s.io": ["PriorityClass"],
  "rbac.authorization.k8s.io": ["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"],
  "gateway.networking.k8s.io": ["HTTPRoute"],
  "monitoring.coreos.com": [
    ...["Alertmanager", "AlertmanagerConfig", "PodMonitor", "Probe", "Prometheus", "PrometheusRule", "ScrapeConfig"],
    ...["ServiceMonitor"],
  ],
  "postgresql.cnpg.io": ["Backup", "Cluster", "ScheduledBackup"],
  "barmancloud.cnpg.io": ["ObjectStore"],
  "elasticsearch.k8s.elastic.co": ["Elasticsearch"],
  "kibana.k8s.elastic.co": ["Kibana"],
  "logstash.k8s.elastic.co": ["Logstash"],
  "beat.k8s.elastic.co": ["Beat"],
};

/**
 * What the program has beside Kubernetes' objects. Any other may run what it is told (a command, a dynamic provider) or bring objects of
 * its own: Helm and kubectl come through many providers.
 */
const others: readonly RegExp[] = [
  // A component has nothing of its own: each of its children is judged by itself.
  /^golive:/,
  /^pulumi:pulumi:Stack$/,
  /^pulumi:providers:(kubernetes|postgresql|random)$/,
  /^random:index\/randomPassword:RandomPassword$/,
  /^postgresql:index\/\w+:(Database|DefaultPrivileges|Grant|GrantRole|Role|Schema)$/,
];

/** A rule can judge only what it sees. */
export const noHiddenWorkloads: ResourceRule = {
  id: "no-hidden-workloads",
  summary:
    "Nothing comes through Helm releases or charts, YAML files or groups, Kustomize, lists, commands, other providers or kinds that no rule reads: each object is declared by itself.",
  why: "A policy pack does not see what is inside: every other rule here passes over it in silence.",
  severity: "critical",
  sources: ["pulumi#10055", "pulumi-policy#298", "pulumi-kubernetes#2144"],
  levels: always,
  example: {
    bad: 'new k8s.helm.v3.Release("redis", {chart: "redis"})',
    good: 'new k8s.apps.v1.StatefulSet("redis", redisStatefulSet(server))',
  },
  judge: ({ type }) => {
    if (hidden.some((pattern) => pattern.test(type)))
      return [{ path: "type", found: type, wanted: "typed resources", fix: "declare each object by its own class" }];
    const kind = kindOf({ type });
    const isRead =
      kind === undefined ? others.some((pattern) => pattern.test(type)) : known[groupOf(type)]?.includes(kind);
    if (isRead) return [];
    return [
      {
        path: "type",
        found: `${type}, a kind that no rule reads`,
        wanted:
          kind === undefined
            ? "an object of Kubernetes, or what golive takes of random and postgresql"
            : "a kind whose pods, addresses and rights the rules know",
        fix: "declare what it makes by its own class, or teach policies/ the kind and name it in no-hidden-workloads.ts",
      },
    ];
  },
};

/** `kubernetes:apps/v1:Deployment` is of group `apps`, `kubernetes:v1:Pod` and `kubernetes:core/v1:Pod` of `core`. */
function groupOf(type: string): string {
  const [, version = ""] = type.split(":");
  return version.includes("/") ? version.slice(0, version.lastIndexOf("/")) : "core";
}
