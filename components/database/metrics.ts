import type { types } from "@pulumi/kubernetes";
import { rotationAnnotation } from "../../rollout/rotation.ts";
import { type BackupJobArgs, backupLabels } from "./backup-jobs.ts";
import { digestOf } from "./migration-job.ts";
import { metricsName } from "./names.ts";
import { programPod } from "./program-pod.ts";
import type { ProgramSettingsArgs } from "./program-settings.ts";
import { programSettings } from "./program-settings.ts";

const port = 9188;

/** The pod that tells Prometheus about the database, its backups and its drills; it sees no row of the application. */
export function metricsDeployment(args: BackupJobArgs & ProgramSettingsArgs): types.input.apps.v1.Deployment {
  const { settings, names, mounted } = args;
  const labels = backupLabels(settings, metricsName);
  const healthy = { httpGet: { path: "/health", port: "metrics" }, timeoutSeconds: 5 };
  const program = {
    name: "metrics",
    args: ["metrics"],
    logins: [names.exporter],
    backups: false,
    more: {
      ports: [{ name: "metrics", containerPort: port }],
      startupProbe: { ...healthy, periodSeconds: 2, failureThreshold: 60 },
      readinessProbe: { ...healthy, periodSeconds: 10, failureThreshold: 3 },
      // Healthy without a database, too: that one is down is what it has to tell.
      livenessProbe: { ...healthy, periodSeconds: 20, failureThreshold: 3 },
      resources: { requests: { cpu: "10m", memory: "64Mi" }, limits: { memory: "256Mi" } },
    },
  };
  return {
    metadata: { name: metricsName, namespace: settings.namespace, labels },
    spec: {
      replicas: 1,
      revisionHistoryLimit: 3,
      selector: { matchLabels: labels },
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: {
        metadata: {
          labels,
          // It reads both once, when it starts.
          annotations: {
            [rotationAnnotation]: String(settings.rotation),
            "golive/settings": digestOf(programSettings(args)),
          },
        },
        spec: {
          ...programPod({ settings, ...mounted, restartPolicy: "Always", run: [program] }),
          terminationGracePeriodSeconds: 10,
        },
      },
    },
  };
}

export function metricsService({ settings }: BackupJobArgs): types.input.core.v1.Service {
  const labels = backupLabels(settings, metricsName);
  return {
    metadata: {
      name: metricsName,
      namespace: settings.namespace,
      labels,
      // Nothing of a run needs it: a run does not wait for its pod.
      annotations: { "pulumi.com/skipAwait": "true" },
    },
    spec: { selector: labels, ports: [{ name: "metrics", port, targetPort: "metrics" }] },
  };
}
