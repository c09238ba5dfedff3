import type { types } from "@pulumi/kubernetes";
import type { Settings } from "../../settings.ts";
import type { CustomManifest } from "../cluster/custom-manifest.ts";
import { labelsOf } from "../pod/labels.ts";
import { restrictedContainer } from "../pod/security.ts";
import { elasticImage } from "./images.ts";
import { beatsAddress, collectorsNamespace, filebeatName } from "./names.ts";

/** Where the kubelet keeps logs: links by name of pod and container, and the files that they lead to. */
const directories = { containers: "/var/log/containers", pods: "/var/log/pods" } as const;

/** Lines that belong to the one before: a stack trace is one entry. */
export const continuationPattern = "^[[:space:]]|^Caused by:";

/** Reads on every machine what the pods of the stack's namespace write, and hands it to Logstash (S1-65, S1-66). */
export function filebeatManifest(settings: Settings): CustomManifest {
  return {
    apiVersion: "beat.k8s.elastic.co/v1beta1",
    kind: "Beat",
    metadata: {
      name: filebeatName,
      namespace: collectorsNamespace(settings),
      labels: labelsOf(settings, filebeatName),
    },
    spec: {
      type: "filebeat",
      ...elasticImage(settings, "filebeat"),
      config: filebeatConfig(settings),
      daemonSet: { podTemplate: filebeatPod(settings) },
    },
  };
}

/** filebeat.yml. The input `log` of S1-65 is gone since version 9: `filestream` it is. */
export function filebeatConfig(settings: Settings) {
  return {
    "filebeat.inputs": [
      {
        type: "filestream",
        id: `containers-${settings.namespace}`,
        paths: [`${directories.containers}/*_${settings.namespace}_*.log`],
        // A file is known by its first bytes, so a rotated one is not read again. With the default of 1024 the few lines of a
        // quiet pod would wait until there are more; 64 hold the time of the first line, to the nanosecond.
        "prospector.scanner": { symlinks: true, fingerprint: { enabled: true, length: 64 } },
        parsers: [
          { container: { stream: "all", format: "auto" } },
          // Here, where lines still come in order.
          { multiline: { type: "pattern", pattern: continuationPattern, negate: false, match: "after" } },
          // A JSON line arrives parsed, in a field of its own; any other passes as it is.
          { ndjson: { target: "app", ignore_decoding_error: true } },
        ],
      },
    ],
    "output.logstash": { hosts: [beatsAddress(settings)] },
  };
}

export function filebeatPod(settings: Settings): types.input.core.v1.PodTemplateSpec {
  const mounts = Object.entries(directories).map(([name, path]) => ({ name: `log-${name}`, path }));
  return {
    metadata: { labels: labelsOf(settings, filebeatName) },
    spec: {
      automountServiceAccountToken: false,
      // Logs are root's. What root could do beside reading them is taken away.
      securityContext: { runAsUser: 0, seccompProfile: { type: "RuntimeDefault" } },
      terminationGracePeriodSeconds: 30,
      containers: [
        {
          name: "filebeat",
          ...restrictedContainer(),
          resources: { requests: { cpu: "50m", memory: "128Mi" }, limits: { memory: "256Mi" } },
          volumeMounts: mounts.map(({ name, path }) => ({ name, mountPath: path, readOnly: true })),
        },
      ],
      volumes: mounts.map(({ name, path }) => ({ name, hostPath: { path, type: "Directory" } })),
    },
  };
}
