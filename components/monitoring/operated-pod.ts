import type { Settings } from "../../settings.ts";
import { labelsOf } from "../pod/labels.ts";
import { restrictedPod } from "../pod/security.ts";
import { nobody } from "./names.ts";

/** What the operator is told of the pods of Prometheus and of Alertmanager alike. */
export function operatedPod(settings: Settings, component: string) {
  const labels = labelsOf(settings, component);
  const { replicas } = settings.monitoring;
  return {
    replicas,
    podMetadata: { labels },
    // The containers' half of Pod Security `restricted` the operator writes itself.
    securityContext: restrictedPod(nobody).securityContext,
    // One machine that ends must not take both.
    topologySpreadConstraints: ["kubernetes.io/hostname", "topology.kubernetes.io/zone"].map((topologyKey) => ({
      maxSkew: 1,
      topologyKey,
      whenUnsatisfiable: "ScheduleAnyway",
      labelSelector: { matchLabels: labels },
    })),
  };
}

/** The volume of each pod. */
export function volumeOf({ monitoring, environment }: Settings, storage: string) {
  return {
    storage: {
      volumeClaimTemplate: {
        spec: {
          accessModes: ["ReadWriteOnce"],
          ...(monitoring.storageClass === undefined ? {} : { storageClassName: monitoring.storageClass }),
          resources: { requests: { storage } },
        },
      },
    },
    persistentVolumeClaimRetentionPolicy: {
      whenDeleted: environment === "local" ? "Delete" : "Retain",
      whenScaled: "Retain",
    },
  };
}
