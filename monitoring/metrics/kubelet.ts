import { metricsOf } from "./metric.ts";

const { gauge } = metricsOf({
  exporter: "kubelet 1.36",
  job: "kubelet",
  targetLabels: ["job", "instance", "node"],
});

const labels = ["namespace", "persistentvolumeclaim"] as const;

/** What the kubelet says of volumes and of itself. It measures volumes about once a minute; hostPath volumes never. */
export const kubelet = {
  volumeAvailable: gauge("kubelet_volume_stats_available_bytes", {
    unit: "bytes",
    help: "Space left on a claim's volume.",
    labels,
  }),
  volumeCapacity: gauge("kubelet_volume_stats_capacity_bytes", {
    unit: "bytes",
    help: "Size of a claim's volume.",
    labels,
  }),
  volumeUsed: gauge("kubelet_volume_stats_used_bytes", {
    unit: "bytes",
    help: "Space used on a claim's volume.",
    labels,
  }),
  volumeInodesFree: gauge("kubelet_volume_stats_inodes_free", {
    unit: "1",
    help: "Inodes left on a claim's volume.",
    labels,
  }),
  volumeInodes: gauge("kubelet_volume_stats_inodes", { unit: "1", help: "Inodes of a claim's volume.", labels }),
  runningPods: gauge("kubelet_running_pods", { unit: "1", help: "Pods that have a sandbox." }),
  runningContainers: gauge("kubelet_running_containers", {
    unit: "1",
    help: "Containers by state.",
    labels: ["container_state"],
  }),
};
