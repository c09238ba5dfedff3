import type { MonitoredStack } from "../stack.ts";
import type { Alert } from "./alert.ts";
import { applicationAlerts } from "./application.ts";
import { cacheAlerts } from "./cache.ts";
import { clusterAlerts } from "./cluster.ts";
import { databaseAlerts } from "./database.ts";
import { monitoringAlerts } from "./monitoring.ts";
import { nodeAlerts } from "./node.ts";
import { rolloutAlerts } from "./rollout.ts";

/** One file of rules, one page of runbooks: alerts that a person would look for together. */
export interface Concern {
  readonly name: string;
  readonly alerts: (stack: MonitoredStack) => readonly Alert[];
}

export const concerns: readonly Concern[] = [
  { name: "application", alerts: applicationAlerts },
  { name: "rollout", alerts: rolloutAlerts },
  { name: "database", alerts: databaseAlerts },
  { name: "cache", alerts: cacheAlerts },
  { name: "node", alerts: nodeAlerts },
  { name: "cluster", alerts: clusterAlerts },
  { name: "monitoring", alerts: monitoringAlerts },
];

/** Every alert of a stack. */
export const alertsOf = (stack: MonitoredStack): readonly Alert[] => concerns.flatMap(({ alerts }) => alerts(stack));
