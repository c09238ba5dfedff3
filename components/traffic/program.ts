import type { types } from "@pulumi/kubernetes";
import { mirrored } from "../../settings/images.ts";
import type { Settings } from "../../settings.ts";
import { digestOf } from "../database/migration-job.ts";
import { labelsOf } from "../pod/labels.ts";
import { restrictedContainer, restrictedPod } from "../pod/security.ts";

/** A program of golive's that runs beside an application and asks the API server. */
export interface Program {
  /** Of its Deployment, ServiceAccount, Role and container, and the label `component` of its pods. */
  readonly name: string;
  /** Of the bundle in the pod. */
  readonly file: string;
  readonly replicas: number;
  /** Beside APPLICATION, NAMESPACE and PORT. Default: none. */
  readonly env?: types.input.core.v1.EnvVar[];
  readonly cpu: string;
}

/** Port of /metrics and /health of every such program, by this name in the pod: what a PodMonitor scrapes. */
export const programPort = { name: "metrics", port: 9189 } as const;

const programs = "/programs";
/** Nobody's, neither in an image nor, usually, on a node: what Node runs needs no name and owns no file. */
const uid = 10_001;

export const programMetadata = (settings: Settings, { name }: Pick<Program, "name">) => ({
  name,
  namespace: settings.namespace,
  labels: labelsOf(settings, name),
});

/** The bundle, under a name that changes with it: a pod runs exactly the text that it was made for. */
export function programConfigMap(settings: Settings, { name, file }: Pick<Program, "name" | "file">, bundle: string) {
  const data = { [file]: bundle };
  const metadata = { ...programMetadata(settings, { name }), name: `${name}-${digestOf(data)}` };
  return { metadata, data, immutable: true };
}

/** Who the pod is to the API server. */
export function programAccount(settings: Settings, program: Pick<Program, "name">): types.input.core.v1.ServiceAccount {
  // Only the pod that asks for a token gets one.
  return { metadata: programMetadata(settings, program), automountServiceAccountToken: false };
}

export function programRole(
  settings: Settings,
  program: Pick<Program, "name">,
  rules: types.input.rbac.v1.PolicyRule[],
): types.input.rbac.v1.Role {
  return { metadata: programMetadata(settings, program), rules };
}

export function programBinding(settings: Settings, { name }: Pick<Program, "name">): types.input.rbac.v1.RoleBinding {
  return {
    metadata: programMetadata(settings, { name }),
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name },
    subjects: [{ kind: "ServiceAccount", name, namespace: settings.namespace }],
  };
}

/** Its pods; `configMap` is the name of the one with the bundle. */
export function programDeployment(
  settings: Settings,
  program: Program,
  configMap: string,
): types.input.apps.v1.Deployment {
  const { name, replicas } = program;
  const labels = labelsOf(settings, name);
  return {
    // No run waits for what only watches it.
    metadata: { ...programMetadata(settings, program), annotations: { "pulumi.com/skipAwait": "true" } },
    spec: {
      replicas,
      revisionHistoryLimit: 3,
      selector: { matchLabels: labels },
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: {
        metadata: { labels },
        spec: {
          ...restrictedPod(uid),
          serviceAccountName: name,
          automountServiceAccountToken: true,
          ...(replicas > 1 ? { topologySpreadConstraints: [apart(labels)] } : {}),
          containers: [container(settings, program)],
          volumes: [{ name: "programs", configMap: { name: configMap } }],
          terminationGracePeriodSeconds: 10,
        },
      },
    },
  };
}

/** On one node they would go together. */
const apart = (matchLabels: Readonly<Record<string, string>>) => ({
  maxSkew: 1,
  topologyKey: "kubernetes.io/hostname",
  whenUnsatisfiable: "ScheduleAnyway",
  labelSelector: { matchLabels },
});

function container(
  { application, namespace, programs: images, imageMirrors }: Settings,
  { name, file, env = [], cpu }: Program,
): types.input.core.v1.Container {
  const healthy = { httpGet: { path: "/health", port: programPort.name }, timeoutSeconds: 5 };
  return {
    name,
    image: mirrored(images.image, imageMirrors),
    ...restrictedContainer(),
    command: ["node", `${programs}/${file}`],
    env: [
      { name: "APPLICATION", value: application.name },
      { name: "NAMESPACE", value: namespace },
      { name: "PORT", value: String(programPort.port) },
      ...env,
    ],
    ports: [{ name: programPort.name, containerPort: programPort.port }],
    startupProbe: { ...healthy, periodSeconds: 2, failureThreshold: 60 },
    readinessProbe: { ...healthy, periodSeconds: 10, failureThreshold: 3 },
    // Healthy without a route, too: that there is none is what it has to tell.
    livenessProbe: { ...healthy, periodSeconds: 20, failureThreshold: 3 },
    terminationMessagePolicy: "FallbackToLogsOnError",
    resources: { requests: { cpu, memory: "64Mi" }, limits: { memory: "128Mi" } },
    volumeMounts: [{ name: "programs", mountPath: programs, readOnly: true }],
  };
}
