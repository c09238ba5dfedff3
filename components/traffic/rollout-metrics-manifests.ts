import type { types } from "@pulumi/kubernetes";
import { mirrored } from "../../settings/images.ts";
import type { Settings } from "../../settings.ts";
import { digestOf } from "../database/migration-job.ts";
import { labelsOf } from "../pod/labels.ts";
import { restrictedContainer, restrictedPod } from "../pod/security.ts";

/** Deployment, ServiceAccount, Role, and the label `component` of its pod. */
export const rolloutMetricsName = "rollout-metrics";

/** Port of /metrics and /health, by this name in the pod: what a PodMonitor scrapes. */
export const rolloutMetricsPort = { name: "metrics", port: 9189 } as const;

const programFile = "rollout.mjs";
const programs = "/programs";
/** `node` in the official image. */
const uid = 1000;

const metadataOf = (settings: Settings, name: string = rolloutMetricsName) => ({
  name,
  namespace: settings.namespace,
  labels: labelsOf(settings, rolloutMetricsName),
});

/** The program, under a name that changes with it: a pod runs exactly the text that it was made for. */
export function bundleConfigMap(settings: Settings, bundle: string) {
  const data = { [programFile]: bundle };
  return { metadata: metadataOf(settings, `${rolloutMetricsName}-${digestOf(data)}`), data, immutable: true };
}

/** Who the pod is to the API server. */
export function routeReaderAccount(settings: Settings): types.input.core.v1.ServiceAccount {
  // Only the pod that asks for a token gets one.
  return { metadata: metadataOf(settings), automountServiceAccountToken: false };
}

/** May read one object: the application's public route. */
export function routeReaderRole(settings: Settings): types.input.rbac.v1.Role {
  return {
    metadata: metadataOf(settings),
    rules: [
      {
        apiGroups: ["gateway.networking.k8s.io"],
        resources: ["httproutes"],
        resourceNames: [settings.application.name],
        verbs: ["get"],
      },
    ],
  };
}

export function routeReaderBinding(settings: Settings): types.input.rbac.v1.RoleBinding {
  return {
    metadata: metadataOf(settings),
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: rolloutMetricsName },
    subjects: [{ kind: "ServiceAccount", name: rolloutMetricsName, namespace: settings.namespace }],
  };
}

/** The pod that reads the route; `program` is the name of the ConfigMap with the bundle. */
export function rolloutMetricsDeployment(settings: Settings, program: string): types.input.apps.v1.Deployment {
  const labels = labelsOf(settings, rolloutMetricsName);
  return {
    // No run waits for what only watches it.
    metadata: { ...metadataOf(settings), annotations: { "pulumi.com/skipAwait": "true" } },
    spec: {
      replicas: 1,
      revisionHistoryLimit: 3,
      selector: { matchLabels: labels },
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: {
        metadata: { labels },
        spec: {
          ...restrictedPod(uid),
          serviceAccountName: rolloutMetricsName,
          automountServiceAccountToken: true,
          containers: [container(settings)],
          volumes: [{ name: "programs", configMap: { name: program } }],
          terminationGracePeriodSeconds: 10,
        },
      },
    },
  };
}

function container({
  application,
  namespace,
  programs: images,
  imageMirrors,
}: Settings): types.input.core.v1.Container {
  const healthy = { httpGet: { path: "/health", port: rolloutMetricsPort.name }, timeoutSeconds: 5 };
  return {
    name: rolloutMetricsName,
    image: mirrored(images.image, imageMirrors),
    ...restrictedContainer(),
    command: ["node", `${programs}/${programFile}`],
    env: [
      { name: "APPLICATION", value: application.name },
      { name: "NAMESPACE", value: namespace },
      { name: "PORT", value: String(rolloutMetricsPort.port) },
    ],
    ports: [{ name: rolloutMetricsPort.name, containerPort: rolloutMetricsPort.port }],
    startupProbe: { ...healthy, periodSeconds: 2, failureThreshold: 60 },
    readinessProbe: { ...healthy, periodSeconds: 10, failureThreshold: 3 },
    // Healthy without a route, too: that there is none is what it has to tell.
    livenessProbe: { ...healthy, periodSeconds: 20, failureThreshold: 3 },
    terminationMessagePolicy: "FallbackToLogsOnError",
    resources: { requests: { cpu: "10m", memory: "64Mi" }, limits: { memory: "128Mi" } },
    volumeMounts: [{ name: "programs", mountPath: programs, readOnly: true }],
  };
}
