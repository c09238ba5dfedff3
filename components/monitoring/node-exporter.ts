import type { types } from "@pulumi/kubernetes";
import { mirrored } from "../../settings/images.ts";
import type { Settings } from "../../settings.ts";
import { labelsOf } from "../pod/labels.ts";
import { restrictedContainer, restrictedPod } from "../pod/security.ts";
import { nodeExporterName as name, nobody, nodesNamespace } from "./names.ts";
import { metricsPort } from "./scrape.ts";

const port = 9100;
const host = "/host";

/** Mounts of containers and of pods, which come and go; and what is no disk. */
const noDisks = {
  "mount-points": "^/(dev|proc|run|sys|var/lib/(containerd|containers|docker|kubelet)/.+)($|/)",
  "fs-types":
    "^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|iso9660|mqueue|nsfs|overlay|proc|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|sysfs|tmpfs|tracefs)$",
};

/** One pod on every node, which reads the machine's CPUs, memory, disks and networks, and can change nothing of it. */
export function nodeExporter(settings: Settings): types.input.apps.v1.DaemonSet {
  const labels = labelsOf(settings, name);
  const healthy = { httpGet: { path: "/", port: metricsPort }, timeoutSeconds: 5 };
  return {
    // No run waits for every node of a cluster.
    metadata: {
      name,
      namespace: nodesNamespace(settings),
      labels,
      annotations: { "pulumi.com/skipAwait": "true" },
    },
    spec: {
      revisionHistoryLimit: 3,
      selector: { matchLabels: labels },
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "10%" } },
      template: {
        metadata: { labels },
        spec: {
          ...restrictedPod(nobody),
          // The counters of the machine's own network interfaces are in its network namespace only.
          hostNetwork: true,
          terminationGracePeriodSeconds: 10,
          tolerations: [{ operator: "Exists" }],
          containers: [
            {
              name,
              image: mirrored(settings.monitoring.images.nodeExporter, settings.imageMirrors),
              ...restrictedContainer(),
              args: [
                `--path.rootfs=${host}`,
                `--path.procfs=${host}/proc`,
                `--path.sysfs=${host}/sys`,
                ...Object.entries(noDisks).map(([what, regex]) => `--collector.filesystem.${what}-exclude=${regex}`),
                // The address that Prometheus uses, and no other of the machine.
                `--web.listen-address=$(NODE_ADDRESS):${port}`,
              ],
              env: [{ name: "NODE_ADDRESS", valueFrom: { fieldRef: { fieldPath: "status.hostIP" } } }],
              ports: [{ name: metricsPort, containerPort: port, hostPort: port }],
              startupProbe: { ...healthy, periodSeconds: 2, failureThreshold: 60 },
              readinessProbe: { ...healthy, periodSeconds: 10, failureThreshold: 3 },
              livenessProbe: { ...healthy, periodSeconds: 20, failureThreshold: 3 },
              resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { memory: "128Mi" } },
              volumeMounts: [{ name: "host", mountPath: host, readOnly: true, mountPropagation: "HostToContainer" }],
            },
          ],
          volumes: [{ name: "host", hostPath: { path: "/" } }],
        },
      },
    },
  };
}
