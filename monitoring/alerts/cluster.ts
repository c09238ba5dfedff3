import type { MonitoredStack } from "../stack.ts";
import type { Alert } from "./alert.ts";
import { containerMemoryHigh, podCrashLooping } from "./cluster-containers.ts";
import { jobAlerts } from "./cluster-jobs.ts";
import { workloadAlerts } from "./cluster-workloads.ts";
import { tellsOfObjects } from "./failed-jobs.ts";

/** Whether the cluster runs what the stack asks for. Most of it only kube-state-metrics tells. */
export const clusterAlerts = (stack: MonitoredStack): readonly Alert[] => [
  ...(tellsOfObjects(stack) ? [...workloadAlerts(stack), podCrashLooping(stack), ...jobAlerts(stack)] : []),
  containerMemoryHigh(stack),
];
