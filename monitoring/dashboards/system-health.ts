import { days } from "../clock.ts";
import { cadvisor } from "../metrics/cadvisor.ts";
import { node } from "../metrics/node.ts";
import { probe } from "../metrics/probe.ts";
import { avgBy, avgOverTime, divide, from, maxBy, minBy, of, or, sumBy, times } from "../promql/expression.ts";
import { meanOfShown, panelRate } from "../promql/panel-window.ts";
import type { MonitoredStack } from "../stack.ts";
import { httpWorkloads } from "./covers.ts";
import { type Board, ratioOf } from "./panel.ts";

/** What is below a device of its own counts twice, and loops and RAM disks are no disks. */
const disks = { device: { unlike: "dm-.*|loop.*|md.*|ram.*" } } as const;
/** The same for the networks inside of the node. */
const wires = { device: { unlike: "lo|veth.*|cni.*|flannel.*|cali.*|vxlan.*|br-.*|docker.*" } } as const;

/** S1-60, S1-74. */
export function systemHealth(stack: MonitoredStack): Board {
  const { availabilityPercent } = stack.application.objectives;
  const pods = { namespace: stack.namespace, container: { not: "" } } as const;
  const cores = sumBy([], of(cadvisor.machineCores));
  const memory = sumBy([], of(cadvisor.machineMemory));
  // 0 for every node: a machine without such a device has no series of it.
  const none = times(maxBy(["node"], of(node.memoryTotal)), 0);
  return {
    name: "system-health",
    title: "System Health",
    description: "The machines and what runs on them: is anything short, and was the public address answered?",
    from: "now-6h",
    panels: [
      {
        title: "CPU usage",
        description:
          "Share of each node's CPU time that is not idle, and each pod's share of all nodes' CPUs. Normal: nodes below 80 %; above it for long, responses get slower before anything fails.",
        unit: "percentunit",
        kind: "lines",
        queries: [
          { expr: from(1, avgBy(["node"], panelRate(of(node.cpu, { mode: "idle" })))), legend: "node {{node}}" },
          { expr: divide(sumBy(["pod"], panelRate(of(cadvisor.cpu, pods))), cores), legend: "{{pod}}" },
        ],
        runbook: "node#nodecpuhigh",
        covers: httpWorkloads(stack),
      },
      {
        title: "Memory usage",
        description:
          "Share of each node's memory that no new process could have, and each pod's share of all nodes' memory (working set, which its limit is held against). Normal: nodes below 80 %; near 100 % the kernel ends processes.",
        unit: "percentunit",
        kind: "lines",
        queries: [
          {
            expr: from(1, divide(maxBy(["node"], of(node.memoryAvailable)), maxBy(["node"], of(node.memoryTotal)))),
            legend: "node {{node}}",
          },
          { expr: divide(sumBy(["pod"], of(cadvisor.memory, pods)), memory), legend: "{{pod}}" },
        ],
        runbook: "node#nodememorylow",
        covers: httpWorkloads(stack),
      },
      {
        title: "Disk I/O",
        description:
          "Bytes a second that each node's disks read and write. Normal: writes follow the traffic, reads are few while PostgreSQL's data fits into memory; a plateau is a disk at its limit.",
        unit: "Bps",
        kind: "lines",
        queries: [
          { expr: or(sumBy(["node"], panelRate(of(node.diskRead, disks))), none), legend: "{{node}} read" },
          { expr: or(sumBy(["node"], panelRate(of(node.diskWritten, disks))), none), legend: "{{node}} written" },
        ],
        runbook: "node#diskspacelow",
      },
      {
        title: "Network I/O",
        description:
          "Bytes a second that each node receives and sends on its own interfaces; traffic between its pods is not counted. Normal: follows the request rate.",
        unit: "Bps",
        kind: "lines",
        queries: [
          { expr: or(sumBy(["node"], panelRate(of(node.networkReceived, wires))), none), legend: "{{node}} received" },
          { expr: or(sumBy(["node"], panelRate(of(node.networkSent, wires))), none), legend: "{{node}} sent" },
        ],
      },
      {
        title: "Uptime",
        description: `Share of the probes of the public address that were answered, over the last 30 days (or as long as Prometheus keeps them) and over the time that is shown. Objective: ${availabilityPercent} % over 30 days.`,
        unit: "percentunit",
        kind: "stat",
        decimals: 3,
        width: 24,
        queries: [
          { expr: minBy(["instance"], avgOverTime(of(probe.success), days(30))), legend: "{{instance}}, 30 days" },
          { expr: minBy(["instance"], meanOfShown(of(probe.success))), legend: "{{instance}}, time shown" },
        ],
        limit: { atLeast: ratioOf(availabilityPercent) },
        runbook: "application#publichostdown",
        covers: [{ kind: "HTTPRoute", name: stack.application.name }, { kind: "Gateway" }],
      },
    ],
  };
}
