import type { types } from "@pulumi/kubernetes";
import type { Settings } from "../../settings.ts";
import { labelsOf } from "../pod/labels.ts";
import { clusterWideName } from "./names.ts";

type PolicyRule = types.input.rbac.v1.PolicyRule;

/** Who a pod of the monitoring is to the API server, and what it may read there; none may write. */
export interface Reader {
  readonly name: string;
  readonly rules: readonly PolicyRule[];
}

const find = ["list", "watch"];

/** Finds targets in all namespaces, and reads the metrics of kubelets; it sees no Secret and no ConfigMap. */
export const prometheusRules: readonly PolicyRule[] = [
  { apiGroups: [""], resources: ["services", "pods", "nodes"], verbs: find },
  { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: find },
  { apiGroups: [""], resources: ["nodes/metrics"], verbs: ["get"] },
];

export function readerAccount(settings: Settings, name: string): types.input.core.v1.ServiceAccount {
  return {
    metadata: { name, namespace: settings.monitoring.namespace, labels: labelsOf(settings, name) },
    // Only the pod that asks for a token gets one.
    automountServiceAccountToken: false,
  };
}

export function readerRole(settings: Settings, { name, rules }: Reader): types.input.rbac.v1.ClusterRole {
  return { metadata: { name: clusterWideName(settings, name), labels: labelsOf(settings, name) }, rules: [...rules] };
}

export function readerBinding(settings: Settings, { name }: Reader): types.input.rbac.v1.ClusterRoleBinding {
  const role = clusterWideName(settings, name);
  return {
    metadata: { name: role, labels: labelsOf(settings, name) },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role },
    subjects: [{ kind: "ServiceAccount", name, namespace: settings.monitoring.namespace }],
  };
}
