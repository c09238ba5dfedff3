import { metricsOf } from "./metric.ts";

const { counter, gauge } = metricsOf({
  exporter: "cAdvisor of kubelet 1.36",
  job: "cadvisor",
  targetLabels: ["job", "instance", "node"],
});

const container = ["namespace", "pod", "container", "image", "name", "id"] as const;
const network = ["namespace", "pod", "image", "name", "id", "interface"] as const;
const machine = ["boot_id", "machine_id", "system_uuid"] as const;

/**
 * What the kubelet measures of containers. A pod has a series for itself and one for its sandbox, both with an empty
 * `container`, and one for each container: ask for `container: { not: "" }`, or everything counts twice. The network is the
 * sandbox's: its series have no `container`.
 */
export const cadvisor = {
  cpu: counter("container_cpu_usage_seconds_total", {
    unit: "seconds",
    help: "CPU time used.",
    labels: [...container, "cpu"],
  }),
  memory: gauge("container_memory_working_set_bytes", {
    unit: "bytes",
    help: "Memory that cannot be taken back, which is what the limit is held against.",
    labels: container,
  }),
  memoryLimit: gauge("container_spec_memory_limit_bytes", {
    unit: "bytes",
    help: "Memory limit, 0 without one.",
    labels: container,
  }),
  outOfMemory: counter("container_oom_events_total", {
    unit: "1",
    help: "Times that a process was killed because memory was full.",
    labels: container,
  }),
  startedAt: gauge("container_start_time_seconds", {
    unit: "timestamp",
    help: "When it was started.",
    labels: container,
  }),
  networkReceived: counter("container_network_receive_bytes_total", {
    unit: "bytes",
    help: "Bytes received.",
    labels: network,
  }),
  networkSent: counter("container_network_transmit_bytes_total", {
    unit: "bytes",
    help: "Bytes sent.",
    labels: network,
  }),
  machineMemory: gauge("machine_memory_bytes", { unit: "bytes", help: "Memory of the node.", labels: machine }),
  machineCores: gauge("machine_cpu_cores", { unit: "1", help: "CPU cores of the node.", labels: machine }),
};
