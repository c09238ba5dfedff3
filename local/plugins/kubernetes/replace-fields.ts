import type { Config } from "./config.ts";
import { apiVersionOf, at, type KubeObject, kindOf } from "./json.ts";

const selector = "spec.selector";

/** Fields that the API server lets nobody change, and those for which the real plugin chooses a replacement. */
const immutable: Readonly<Record<string, readonly string[]>> = {
  "apps/v1 Deployment": [selector],
  "apps/v1 DaemonSet": [selector],
  "apps/v1 StatefulSet": [
    "spec.podManagementPolicy",
    "spec.revisionHistoryLimit",
    selector,
    "spec.serviceName",
    "spec.volumeClaimTemplates",
  ],
  "batch/v1 Job": ["spec.completions", "spec.parallelism", selector, "spec.template"],
  "v1 PersistentVolumeClaim": ["spec.accessModes", selector, "spec.storageClassName", "spec.volumeName"],
  "v1 ResourceQuota": ["spec.scopes"],
  "v1 Secret": ["type"],
  "v1 Service": ["spec.clusterIP"],
  "storage.k8s.io/v1 StorageClass": ["parameters", "provisioner"],
  "rbac.authorization.k8s.io/v1 RoleBinding": ["roleRef"],
  "rbac.authorization.k8s.io/v1 ClusterRoleBinding": ["roleRef"],
};

/** The fields of an object, as paths with dots, whose change replaces it. Its identity is always among them. */
export function replaceFields(
  object: KubeObject,
  config: Pick<Config, "configMapMutable" | "secretMutable">,
): readonly string[] {
  return [
    "metadata.name",
    "metadata.namespace",
    ...(immutable[`${apiVersionOf(object)} ${kindOf(object)}`] ?? []),
    ...contents(object, config),
  ];
}

function contents(object: KubeObject, config: Pick<Config, "configMapMutable" | "secretMutable">): readonly string[] {
  const sealed = at(object, "immutable") === true;
  switch (`${apiVersionOf(object)} ${kindOf(object)}`) {
    case "v1 ConfigMap":
      return sealed || !config.configMapMutable ? ["data", "binaryData"] : [];
    case "v1 Secret":
      return sealed || !config.secretMutable ? ["data", "stringData"] : [];
    default:
      return [];
  }
}

/** Whether a change at a path touches one of the fields: the field itself, what is in it, or the whole that it is in. */
export function touches(path: readonly (string | number)[], value: unknown, fields: readonly string[]): boolean {
  const keys = path.filter((key) => typeof key === "string");
  return fields.some((field) => {
    const parts = field.split(".");
    const shared = Math.min(parts.length, keys.length);
    if (!parts.slice(0, shared).every((part, index) => part === keys[index])) return false;
    if (keys.length >= parts.length) return true;
    // The change is of a whole around the field: it counts when the field is in it.
    let inner = value;
    for (const part of parts.slice(shared)) {
      inner = typeof inner === "object" && inner !== null ? (inner as Record<string, unknown>)[part] : undefined;
    }
    return inner !== undefined;
  });
}
