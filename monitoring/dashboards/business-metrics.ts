import { postgresOperations } from "../metrics/postgres-operations.ts";
import { maxBy, of } from "../promql/expression.ts";
import type { MonitoredStack } from "../stack.ts";
import type { Board, Panel } from "./panel.ts";

/** S1-63. `database`: the PostgreSQL database that knows. */
export function businessMetrics({ namespace }: MonitoredStack, database: string): Board {
  const panel = (
    title: string,
    metric: typeof postgresOperations.activeUsers,
    { unit, what, normal }: { readonly unit: Panel["unit"]; readonly what: string; readonly normal: string },
  ): Panel => ({
    title,
    description: `${what} in the 24 hours before each point, read from the database by SQL. Normal: ${normal}. No objective: it says whether people get done what they came for.`,
    unit,
    kind: "lines",
    queries: [{ expr: maxBy(["database"], of(metric, { namespace, database })), legend: "{{database}}" }],
  });
  return {
    name: "business-metrics",
    title: "Business Metrics",
    description:
      "What users do with the application. Counted in the database, so that a restart of a pod loses nothing.",
    from: "now-30d",
    panels: [
      panel("Active users", postgresOperations.activeUsers, {
        unit: "short",
        what: "Users who did something",
        normal: "the same from week to week; a fall right after a step is a failure that no status shows",
      }),
      panel("Tasks created/day", postgresOperations.tasksCreated, {
        unit: "short",
        what: "Tasks created",
        normal: "follows the active users",
      }),
      panel("Comments/day", postgresOperations.comments, {
        unit: "short",
        what: "Comments written",
        normal: "follows the active users",
      }),
      panel("Time tracked/day", postgresOperations.timeTracked, {
        unit: "s",
        what: "Time that users tracked on tasks",
        normal: "follows the active users, less at weekends",
      }),
    ],
  };
}
