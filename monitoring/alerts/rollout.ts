import type { MonitoredStack } from "../stack.ts";
import type { Alert } from "./alert.ts";
import { candidateAlerts } from "./rollout-candidate.ts";
import { guardAlerts } from "./rollout-guard.ts";
import { routeAlerts } from "./rollout-route.ts";

/** What undoes a release, and what is wrong with the rollout itself (S3-14). */
export const rolloutAlerts = (stack: MonitoredStack): readonly Alert[] => [
  ...candidateAlerts(stack),
  ...routeAlerts(stack),
  ...guardAlerts(stack),
];
