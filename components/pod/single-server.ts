import type { types } from "@pulumi/kubernetes";

/** A server of which one runs, with a volume of its own. */
export interface SingleServer {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Size of the volume, a Kubernetes quantity; the cluster's default class when `storageClass` is undefined. */
  readonly storage: string;
  readonly storageClass: string | undefined;
  /** The volume goes with the StatefulSet; only where nothing of value is kept. */
  readonly disposable: boolean;
}

/** A StatefulSet of one pod with the volume `data`; its pod is `<name>-0`. `annotations`: of the pod. */
export function singleStatefulSet(
  name: string,
  { namespace, labels, ...server }: SingleServer,
  pod: types.input.core.v1.PodSpec,
  annotations?: Readonly<Record<string, string>>,
): types.input.apps.v1.StatefulSet {
  return {
    metadata: { name, namespace, labels },
    spec: {
      serviceName: name,
      replicas: 1,
      selector: { matchLabels: labels },
      persistentVolumeClaimRetentionPolicy: {
        whenDeleted: server.disposable ? "Delete" : "Retain",
        whenScaled: "Retain",
      },
      template: { metadata: { labels, ...(annotations === undefined ? {} : { annotations }) }, spec: pod },
      volumeClaimTemplates: [
        {
          metadata: { name: "data", labels },
          spec: {
            accessModes: ["ReadWriteOnce"],
            ...(server.storageClass === undefined ? {} : { storageClassName: server.storageClass }),
            resources: { requests: { storage: server.storage } },
          },
        },
      ],
    },
  };
}

/** Its Service, headless: clients reach the one pod directly. */
export function headlessService(
  name: string,
  { namespace, labels }: SingleServer,
  port: { readonly name: string; readonly port: number },
): types.input.core.v1.Service {
  return {
    metadata: { name, namespace, labels },
    spec: { clusterIP: "None", selector: labels, ports: [{ ...port, targetPort: port.name }] },
  };
}
