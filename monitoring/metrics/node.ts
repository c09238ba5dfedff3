import { metricsOf } from "./metric.ts";

const { counter, gauge } = metricsOf({
  exporter: "node_exporter 1.5.0",
  job: "node",
  targetLabels: ["job", "instance", "node"],
});

const filesystem = ["device", "fstype", "mountpoint"] as const;

/** What node_exporter reads of the machine. */
export const node = {
  cpu: counter("node_cpu_seconds_total", {
    unit: "seconds",
    help: "Time of each CPU by mode.",
    labels: ["cpu", "mode"],
  }),
  load1: gauge("node_load1", { unit: "1", help: "Processes that run or wait, over one minute." }),
  load5: gauge("node_load5", { unit: "1", help: "Processes that run or wait, over five minutes." }),
  load15: gauge("node_load15", { unit: "1", help: "Processes that run or wait, over fifteen minutes." }),
  memoryTotal: gauge("node_memory_MemTotal_bytes", { unit: "bytes", help: "Memory of the machine." }),
  memoryAvailable: gauge("node_memory_MemAvailable_bytes", {
    unit: "bytes",
    help: "Memory that a new process could have without swapping.",
  }),
  filesystemAvailable: gauge("node_filesystem_avail_bytes", {
    unit: "bytes",
    help: "Space that users other than root may fill.",
    labels: filesystem,
  }),
  filesystemFree: gauge("node_filesystem_free_bytes", {
    unit: "bytes",
    help: "Space that is free, for root too.",
    labels: filesystem,
  }),
  filesystemSize: gauge("node_filesystem_size_bytes", {
    unit: "bytes",
    help: "Size of a filesystem.",
    labels: filesystem,
  }),
  filesystemFilesFree: gauge("node_filesystem_files_free", { unit: "1", help: "Inodes left.", labels: filesystem }),
  filesystemFiles: gauge("node_filesystem_files", { unit: "1", help: "Inodes in all.", labels: filesystem }),
  filesystemReadOnly: gauge("node_filesystem_readonly", {
    unit: "0/1",
    help: "Whether a filesystem is mounted read-only.",
    labels: filesystem,
  }),
  diskRead: counter("node_disk_read_bytes_total", { unit: "bytes", help: "Bytes read.", labels: ["device"] }),
  diskWritten: counter("node_disk_written_bytes_total", { unit: "bytes", help: "Bytes written.", labels: ["device"] }),
  diskReads: counter("node_disk_reads_completed_total", { unit: "1", help: "Reads done.", labels: ["device"] }),
  diskWrites: counter("node_disk_writes_completed_total", { unit: "1", help: "Writes done.", labels: ["device"] }),
  diskBusy: counter("node_disk_io_time_seconds_total", {
    unit: "seconds",
    help: "Time in which a disk had something to do.",
    labels: ["device"],
  }),
  networkReceived: counter("node_network_receive_bytes_total", {
    unit: "bytes",
    help: "Bytes received.",
    labels: ["device"],
  }),
  networkSent: counter("node_network_transmit_bytes_total", {
    unit: "bytes",
    help: "Bytes sent.",
    labels: ["device"],
  }),
  networkReceiveErrors: counter("node_network_receive_errs_total", {
    unit: "1",
    help: "Packets received with errors.",
    labels: ["device"],
  }),
  networkSendErrors: counter("node_network_transmit_errs_total", {
    unit: "1",
    help: "Packets that could not be sent.",
    labels: ["device"],
  }),
  bootedAt: gauge("node_boot_time_seconds", { unit: "timestamp", help: "When the machine was booted." }),
  time: gauge("node_time_seconds", { unit: "timestamp", help: "The machine's clock." }),
};
