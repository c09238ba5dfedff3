import type { MonitoredStack } from "../stack.ts";
import type { Alert } from "./alert.ts";
import { machineAlerts } from "./node-machine.ts";
import { volumeAlerts } from "./node-volumes.ts";

/** What pods stand on: the machines and the volumes. */
export const nodeAlerts = (stack: MonitoredStack): readonly Alert[] => [...machineAlerts(), ...volumeAlerts(stack)];
