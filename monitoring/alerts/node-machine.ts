import { minutes } from "../clock.ts";
import { node } from "../metrics/node.ts";
import { above, avgBy, below, divide, equal, from, maxBy, minBy, of, rate, unless } from "../promql/expression.ts";
import type { Alert } from "./alert.ts";
import { causes } from "./causes.ts";
import { runbook } from "./runbook.ts";
import { nodeOf, stretch, stretches } from "./stories/stretches.ts";
import { counter, series } from "./stories/timeline.ts";

/** What the machines lack. */
export const machineAlerts = (): readonly Alert[] => [
  disk({
    name: "DiskSpaceLow",
    severity: "warning",
    team: "devops",
    least: 10,
    for: minutes(5),
    summary: "Disk space below 10%.",
    source: "S1-58, V14",
  }),
  disk({
    name: "DiskSpaceCritical",
    severity: "critical",
    team: "oncall",
    least: 3,
    for: minutes(1),
    summary: "Disk space below 3%.",
    source: "S1-58, issue 5",
  }),
  memoryLow(),
  cpuHigh(),
];

const byNode = ["instance", "node"] as const;
const here = { instance: "node-1", node: "node-1" };

/** Filesystems that can fill up for good: memory and images cannot, and a pod's volume has an alert of its own. */
const disks = {
  fstype: { unlike: "tmpfs|ramfs|overlay|squashfs|iso9660" },
  mountpoint: { unlike: ".*/kubelet/pods/.*" },
} as const;

type Disk = Pick<Alert, "name" | "severity" | "team" | "for" | "summary" | "source"> & {
  /** Percent that must be left. */
  readonly least: number;
};

/** By device: a disk that is mounted in two places is one disk. */
function disk({ least, ...alert }: Disk): Alert {
  const free = divide(of(node.filesystemAvailable, disks), above(of(node.filesystemSize, disks), 0));
  const writable = unless(free, equal(of(node.filesystemReadOnly, disks), 1));
  const story = (labels: Readonly<Record<string, string>>, readOnly: 0 | 1, ...percent: readonly number[]) => {
    const all = { ...nodeOf("node"), device: "/dev/sda1", fstype: "ext4", mountpoint: "/", ...labels };
    return {
      ...stretches(node.filesystemAvailable, all, ...percent),
      ...stretches(node.filesystemSize, all, ...percent.map(() => 100)),
      ...stretches(node.filesystemReadOnly, all, ...percent.map(() => readOnly)),
    };
  };
  const full = least - 0.5;
  return {
    ...alert,
    labels: { cause: causes.disk },
    expr: below(minBy([...byNode, "device"], writable), least / 100),
    description: "{{ $value | humanizePercentage }} of {{ $labels.device }} on node {{ $labels.node }} is left.",
    runbook: runbook("node", alert.name),
    stories: [
      {
        title: "until there is room again",
        series: { ...story({}, 0, 50, full, 50), ...story({ mountpoint: "/var/lib/containerd" }, 0, 50, full, 50) },
        begins: stretch,
        resolved: 2 * stretch,
        labels: { ...here, device: "/dev/sda1" },
        description: `${full}% of /dev/sda1 on node node-1 is left.`,
      },
      { title: "not at the bound", series: story({}, 0, least, least) },
      { title: "not for a disk that nobody can fill", series: story({}, 1, 0, 0) },
      {
        title: "not for memory and pods' volumes",
        series: {
          ...story({ device: "tmpfs", fstype: "tmpfs", mountpoint: "/tmp" }, 0, 0, 0),
          ...story({ device: "/dev/sdb", mountpoint: "/var/lib/kubelet/pods/5c/volumes/data/mount" }, 0, 0, 0),
        },
      },
    ],
  };
}

function memoryLow(): Alert {
  const name = "NodeMemoryLow";
  const free = divide(maxBy(byNode, of(node.memoryAvailable)), above(maxBy(byNode, of(node.memoryTotal)), 0));
  const story = (...percent: readonly number[]) => ({
    ...stretches(node.memoryAvailable, nodeOf("node"), ...percent),
    ...stretches(node.memoryTotal, nodeOf("node"), ...percent.map(() => 100)),
  });
  return {
    name,
    severity: "warning",
    team: "devops",
    expr: below(free, 0.1),
    for: minutes(10),
    summary: "A node has little memory left.",
    description:
      "{{ $value | humanizePercentage }} of the memory of node {{ $labels.node }} is left: the kernel ends processes when there is none.",
    runbook: runbook("node", name),
    source: "S4-79 (memory)",
    stories: [
      {
        title: "until there is room again",
        series: story(50, 9, 50),
        begins: stretch,
        resolved: 2 * stretch,
        labels: here,
        description: "9% of the memory of node node-1 is left: the kernel ends processes when there is none.",
      },
      { title: "not at the bound", series: story(10, 10) },
    ],
  };
}

/** Explains slow answers; by itself a busy machine is a machine that earns its money. */
function cpuHigh(): Alert {
  const name = "NodeCpuHigh";
  const window = minutes(5);
  const idle = avgBy(byNode, rate(of(node.cpu, { mode: "idle" }), window));
  const core = (cpu: string, mode: string) => ({ ...nodeOf("node"), cpu, mode });
  const story = (first: number, second: number) => ({
    [series(node.cpu.name, core("0", "idle"))]: counter([0.5, stretch], [first, stretch], [0.5, stretch]),
    [series(node.cpu.name, core("1", "idle"))]: counter([0.5, stretch], [second, stretch], [0.5, stretch]),
    [series(node.cpu.name, core("0", "user"))]: counter([0.5, stretch], [1 - first, stretch], [0.5, stretch]),
    [series(node.cpu.name, core("1", "user"))]: counter([0.5, stretch], [1 - second, stretch], [0.5, stretch]),
  });
  return {
    name,
    severity: "info",
    team: "devops",
    expr: above(from(1, idle), 0.9),
    for: minutes(15),
    summary: "A node's processors are busy.",
    description: "{{ $value | humanizePercentage }} of the processor time of node {{ $labels.node }} is used.",
    runbook: runbook("node", name),
    source: "S4-79 (CPU stable)",
    stories: [
      {
        title: "when all cores together are",
        series: story(0, 0.16),
        begins: stretch + window,
        resolved: 2 * stretch + 60,
        labels: here,
        description: "92% of the processor time of node node-1 is used.",
      },
      { title: "not when one of two is", series: story(0, 0.5) },
    ],
  };
}
