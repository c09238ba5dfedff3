import type { MonitoredStack } from "../stack.ts";
import type { Alert } from "./alert.ts";
import { outageAftermath } from "./application-aftermath.ts";
import { budgetAlerts } from "./application-budgets.ts";
import { publicHostAlerts } from "./application-host.ts";
import { requestAlerts } from "./application-requests.ts";

/** What users of the application notice, whichever release answers them. */
export const applicationAlerts = (stack: MonitoredStack): readonly Alert[] => [
  ...requestAlerts(stack),
  ...budgetAlerts(stack),
  outageAftermath(stack),
  ...publicHostAlerts(stack),
];
