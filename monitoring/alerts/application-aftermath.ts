import { minutes } from "../clock.ts";
import { ruleSeries } from "../metrics/targets.ts";
import { above, countBy, of } from "../promql/expression.ts";
import { objectives } from "../rules/windows.ts";
import type { MonitoredStack } from "../stack.ts";
import type { Alert } from "./alert.ts";
import { burn } from "./budget.ts";
import { runbook } from "./runbook.ts";
import { gauge, series } from "./stories/timeline.ts";

/** Each wakes somebody for a fault that spends a budget while it lasts. */
export const outages = [
  "PublicHostDown",
  "ServiceDown",
  "DatabaseDown",
  "CacheDown",
  "CandidateDown",
  "HighErrorRate",
  "RollbackImmediate",
  "CanaryErrors",
  "CanarySlow",
] as const;

/**
 * The budget's alert looks back longer than the alert on the fault lasts: without a mute that lasts as long, whoever has just
 * repaired it would be woken once more for the same minutes. A fault that begins meanwhile still has its own alert.
 */
export function outageAftermath(stack: MonitoredStack): Alert {
  const name = "OutageAftermath";
  const { namespace } = stack;
  const looksBack = Math.max(
    ...Object.values(objectives(stack)).flatMap((objective) => burn(objective, "fast").tiers.map(({ short }) => short)),
  );
  const firing = (alertname: string, from: string) =>
    series(ruleSeries.alerts.name, { alertname, alertstate: "firing", namespace: from, severity: "critical" });
  const lasted = minutes(10);
  return {
    name,
    severity: "info",
    team: "oncall",
    expr: above(
      countBy(
        ["namespace"],
        of(ruleSeries.alerts, { alertname: { like: outages.join("|") }, alertstate: "firing", namespace }),
      ),
      0,
    ),
    for: 0,
    keepFiringFor: looksBack,
    summary: "A fault that somebody was told of has spent a part of a budget.",
    description: "{{ $value }} alerts on faults fire in {{ $labels.namespace }}, or did so a short while ago.",
    runbook: runbook("application", name),
    source: "issue 5: one fault, one message (S4-72)",
    stories: [
      {
        title: "while a fault is told of, and as long as a budget looks back",
        series: {
          [firing("DatabaseDown", namespace)]: gauge(["gone", lasted], [1, lasted], ["gone", 2 * looksBack]),
        },
        begins: lasted,
        resolved: 2 * lasted + looksBack,
        labels: { namespace },
        description: `1 alerts on faults fire in ${namespace}, or did so a short while ago.`,
      },
      {
        title: "not for a budget itself, nor for a fault of another stack",
        series: {
          [firing("RequestErrorBudgetFast", namespace)]: gauge([1, looksBack]),
          [firing("DatabaseDown", "elsewhere")]: gauge([1, looksBack]),
        },
      },
    ],
  };
}
