/** A Kubernetes resource type, and where its objects stand in the API. */
export interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
  /** The type's name in request paths; undefined for a custom resource, of which only the API server knows it. */
  readonly plural: string | undefined;
  readonly namespaced: boolean | undefined;
}

const namespaced = [
  ["v1", "ConfigMap", "configmaps"],
  ["v1", "Secret", "secrets"],
  ["v1", "Service", "services"],
  ["v1", "ServiceAccount", "serviceaccounts"],
  ["v1", "ResourceQuota", "resourcequotas"],
  ["v1", "LimitRange", "limitranges"],
  ["v1", "PersistentVolumeClaim", "persistentvolumeclaims"],
  ["apps/v1", "Deployment", "deployments"],
  ["apps/v1", "StatefulSet", "statefulsets"],
  ["apps/v1", "DaemonSet", "daemonsets"],
  ["batch/v1", "Job", "jobs"],
  ["batch/v1", "CronJob", "cronjobs"],
  ["policy/v1", "PodDisruptionBudget", "poddisruptionbudgets"],
  ["autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"],
  ["networking.k8s.io/v1", "NetworkPolicy", "networkpolicies"],
  ["rbac.authorization.k8s.io/v1", "Role", "roles"],
  ["rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings"],
] as const;

const clusterWide = [
  ["v1", "Namespace", "namespaces"],
  ["storage.k8s.io/v1", "StorageClass", "storageclasses"],
  ["rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles"],
  ["rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "clusterrolebindings"],
] as const;

const builtIn: ReadonlyMap<string, Kind> = new Map(
  [...namespaced.map((row) => [...row, true] as const), ...clusterWide.map((row) => [...row, false] as const)].map(
    ([apiVersion, kind, plural, isNamespaced]) => [
      typeToken(apiVersion, kind),
      { apiVersion, kind, plural, namespaced: isNamespaced },
    ],
  ),
);

/** Groups with a dot that Kubernetes itself serves: a type of theirs is no custom resource. */
const builtInGroups = new Set([
  "admissionregistration.k8s.io",
  "apiextensions.k8s.io",
  "apiregistration.k8s.io",
  "auditregistration.k8s.io",
  "authentication.k8s.io",
  "authorization.k8s.io",
  "certificates.k8s.io",
  "coordination.k8s.io",
  "discovery.k8s.io",
  "events.k8s.io",
  "flowcontrol.apiserver.k8s.io",
  "helm.sh",
  "internal.apiserver.k8s.io",
  "networking.k8s.io",
  "node.k8s.io",
  "rbac.authorization.k8s.io",
  "resource.k8s.io",
  "scheduling.k8s.io",
  "settings.k8s.io",
  "storage.k8s.io",
  "storagemigration.k8s.io",
]);

function typeToken(apiVersion: string, kind: string): string {
  return `kubernetes:${apiVersion.includes("/") ? apiVersion : `core/${apiVersion}`}:${kind}`;
}

/**
 * The kind that a Pulumi type stands for: a built-in one, or a custom resource.
 * Fails for every other type, by name: what this stand-in cannot do it must not pretend.
 */
export function kindOfType(type: string): Kind {
  const known = builtIn.get(type);
  if (known !== undefined) return known;
  const [, group, version, kind] = /^kubernetes:([^:/]+)\/([^:/]+):([^:/]+)$/.exec(type) ?? [];
  const custom = group?.includes(".") === true && !builtInGroups.has(group) && !/(List|Patch)$/.test(kind ?? "");
  if (!custom || kind === undefined) {
    const supported = [...builtIn.values()].map((it) => it.kind).join(", ");
    throw new Error(
      `the stand-in for the kubernetes plugin has no type ${type}; it has ${supported}, and custom resources of any group. ` +
        "The real plugin has it: set GOLIVE_PLUGINS to a directory that holds it",
    );
  }
  return { apiVersion: `${group}/${version}`, kind, plural: undefined, namespaced: undefined };
}
