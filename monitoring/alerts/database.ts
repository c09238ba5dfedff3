import type { MonitoredStack } from "../stack.ts";
import type { Alert } from "./alert.ts";
import { backupAlerts } from "./database-backups.ts";
import { replicationAlerts } from "./database-replication.ts";
import { serverAlerts } from "./database-server.ts";

/** What happens to the data: the server, its standbys where it has any, and its backups. */
export const databaseAlerts = (stack: MonitoredStack): readonly Alert[] =>
  stack.database === undefined
    ? []
    : [
        ...serverAlerts(stack, stack.database),
        ...(stack.databaseKind === "cloudnative-pg" ? replicationAlerts(stack) : []),
        ...backupAlerts(stack, stack.database),
      ];
