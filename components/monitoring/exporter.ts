import type { types } from "@pulumi/kubernetes";
import { mirrored } from "../../settings/images.ts";
import type { Settings } from "../../settings.ts";
import { labelsOf } from "../pod/labels.ts";
import { restrictedContainer, restrictedPod } from "../pod/security.ts";
import { nobody } from "./names.ts";

type Container = types.input.core.v1.Container;
type PodSpec = types.input.core.v1.PodSpec;

/** A program that turns what something says of itself into metrics, in one pod. */
export interface Exporter {
  readonly name: string;
  readonly namespace: string;
  readonly image: string;
  readonly port: { readonly name: string; readonly port: number };
  /** Answers 200 as long as the program itself works, whatever it watches. */
  readonly healthPath: string;
  /** Limit of its memory; it asks for a quarter of it, in MiB. */
  readonly memoryMiB: number;
  readonly args?: readonly string[];
  readonly env?: Container["env"];
  readonly volumeMounts?: types.input.core.v1.VolumeMount[];
  readonly volumes?: types.input.core.v1.Volume[];
  /** What it reads only when it starts: another value starts it anew. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Default: none, and no token. */
  readonly serviceAccountName?: string;
}

/** Nothing of a run waits for it: what watches a stack must not hold it up. */
export function exporterDeployment(settings: Settings, exporter: Exporter): types.input.apps.v1.Deployment {
  const { name, namespace, annotations = {} } = exporter;
  const labels = labelsOf(settings, name);
  return {
    metadata: { name, namespace, labels, annotations: { "pulumi.com/skipAwait": "true" } },
    spec: {
      replicas: 1,
      revisionHistoryLimit: 3,
      selector: { matchLabels: labels },
      // Two at a time would be two targets that say the same, and one more login than its role may have.
      strategy: { type: "Recreate" },
      template: { metadata: { labels, annotations }, spec: exporterPod(settings, exporter) },
    },
  };
}

export function exporterPod({ imageMirrors }: Settings, exporter: Exporter): PodSpec {
  const { name, port, args, env, memoryMiB, serviceAccountName } = exporter;
  const healthy = { httpGet: { path: exporter.healthPath, port: port.name }, timeoutSeconds: 5 };
  return {
    ...restrictedPod(nobody),
    ...(serviceAccountName === undefined ? {} : { serviceAccountName, automountServiceAccountToken: true }),
    terminationGracePeriodSeconds: 10,
    containers: [
      {
        name,
        image: mirrored(exporter.image, imageMirrors),
        ...restrictedContainer(),
        ...(args === undefined ? {} : { args: [...args] }),
        ...(env === undefined ? {} : { env }),
        ports: [{ name: port.name, containerPort: port.port }],
        startupProbe: { ...healthy, periodSeconds: 2, failureThreshold: 60 },
        readinessProbe: { ...healthy, periodSeconds: 10, failureThreshold: 3 },
        livenessProbe: { ...healthy, periodSeconds: 20, failureThreshold: 3 },
        resources: {
          requests: { cpu: "10m", memory: `${Math.ceil(memoryMiB / 4)}Mi` },
          limits: { memory: `${memoryMiB}Mi` },
        },
        ...(exporter.volumeMounts === undefined ? {} : { volumeMounts: exporter.volumeMounts }),
      },
    ],
    ...(exporter.volumes === undefined ? {} : { volumes: exporter.volumes }),
  };
}
