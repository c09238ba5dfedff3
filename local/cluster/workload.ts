/** A Kubernetes object, as far as the throw-away cluster's own manifests care. */
export type Manifest = Readonly<Record<string, unknown>> & { readonly kind: string };

export const restricted = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
} as const;

export interface Workload {
  readonly name: string;
  readonly namespace: string;
  /** Of its pods, beside `app`. Default: none. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly pod: Readonly<Record<string, unknown>>;
}

export function deployment({ name, namespace, labels = {}, pod }: Workload): Manifest {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace, labels: { app: name } },
    spec: {
      replicas: 1,
      // Ports on the node and a directory of it: two at a time would be in each other's way.
      strategy: { type: "Recreate" },
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name, ...labels } },
        spec: { serviceAccountName: name, terminationGracePeriodSeconds: 5, ...pod },
      },
    },
  };
}

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

export function account(name: string, namespace: string, rules: readonly Rule[]): Manifest[] {
  const apiGroup = "rbac.authorization.k8s.io";
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace } },
    { apiVersion: `${apiGroup}/v1`, kind: "ClusterRole", metadata: { name: `golive:${name}` }, rules },
    {
      apiVersion: `${apiGroup}/v1`,
      kind: "ClusterRoleBinding",
      metadata: { name: `golive:${name}` },
      roleRef: { apiGroup, kind: "ClusterRole", name: `golive:${name}` },
      subjects: [{ kind: "ServiceAccount", name, namespace }],
    },
  ];
}
