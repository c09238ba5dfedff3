import { minutes } from "../clock.ts";
import { guard } from "../metrics/guard.ts";
import { equal, maxBy, of, or } from "../promql/expression.ts";
import type { MonitoredStack } from "../stack.ts";
import type { Alert } from "./alert.ts";
import { causes } from "./causes.ts";
import { runbook } from "./runbook.ts";
import { gauge, series } from "./stories/timeline.ts";

/** What only the guard knows, and whether it sees anything; none where no guard watches. */
export const guardAlerts = (stack: MonitoredStack): readonly Alert[] =>
  stack.guarded === true ? [guardWithheld(stack), guardBlind(stack)] : [];

const deployment = { kind: "Deployment", name: "guard" } as const;

const podsOf = ({ application: { name: application }, namespace }: MonitoredStack) =>
  ["10.0.0.10:9189", "10.0.0.11:9189"].map((instance, index) => ({
    ...{ job: "guard", instance, namespace, pod: `guard-5c4b-${index}`, application },
  }));

/** A candidate that is bad, and nowhere to send its users: no program can help, a person may. */
function guardWithheld(stack: MonitoredStack): Alert {
  const name = "GuardWithheld";
  const { namespace, application } = stack;
  const [one = {}, two = {}] = podsOf(stack);
  const quarter = minutes(15);
  return {
    name,
    severity: "critical",
    team: "oncall",
    labels: { cause: causes.rollout },
    expr: equal(
      maxBy(["namespace", "application"], of(guard.withheld, { namespace, application: application.name })),
      1,
    ),
    for: 0,
    summary: "A bad release keeps its traffic.",
    description:
      "The candidate of {{ $labels.application }} in {{ $labels.namespace }} fails, and the guard leaves it its traffic (state {{ $value }}): the stable colour cannot take it.",
    runbook: runbook("rollout", name),
    source: "issue 6, the guard",
    covers: [deployment],
    stories: [
      {
        title: "as long as one of its pods says so",
        series: {
          [series(guard.withheld.name, one)]: gauge([0, quarter * 3]),
          [series(guard.withheld.name, two)]: gauge([0, quarter], [1, quarter], [0, quarter]),
        },
        begins: quarter,
        resolved: 2 * quarter,
        labels: { namespace, application: application.name },
      },
    ],
  };
}

/** No pod of it sees the gateway, or none sees the route: a bad release would stay until a person looks. */
function guardBlind(stack: MonitoredStack): Alert {
  const name = "GuardBlind";
  const { namespace, application } = stack;
  const where = { namespace, application: application.name };
  const labels = ["namespace", "application"] as const;
  const [one = {}, two = {}] = podsOf(stack);
  const quarter = minutes(15);
  const sees = (metric: typeof guard.gatewayUp) => equal(maxBy(labels, of(metric, where)), 0);
  return {
    name,
    severity: "warning",
    team: "devops",
    expr: or(sees(guard.gatewayUp), sees(guard.routeUp)),
    for: minutes(2),
    summary: "The guard sees nothing.",
    description:
      "No pod of the guard of {{ $labels.application }} in {{ $labels.namespace }} sees the gateway's counters and the route (state {{ $value }}): it would not take a bad release back.",
    runbook: runbook("rollout", name),
    source: "issue 6, the guard",
    covers: [deployment],
    stories: [
      {
        title: "when no pod reaches the gateway",
        series: {
          [series(guard.gatewayUp.name, one)]: gauge([1, quarter], [0, quarter], [1, quarter]),
          [series(guard.gatewayUp.name, two)]: gauge([1, quarter], [0, quarter], [1, quarter]),
        },
        begins: quarter,
        resolved: 2 * quarter,
        labels: { namespace, application: application.name },
      },
      {
        title: "when no pod may read the route",
        series: {
          [series(guard.routeUp.name, one)]: gauge([1, quarter], [0, quarter], [1, quarter]),
          [series(guard.routeUp.name, two)]: gauge([1, quarter], [0, quarter], [1, quarter]),
        },
        begins: quarter,
        resolved: 2 * quarter,
        labels: { namespace, application: application.name },
      },
      {
        title: "not while one of two sees it",
        series: {
          [series(guard.gatewayUp.name, one)]: gauge([0, quarter * 3]),
          [series(guard.gatewayUp.name, two)]: gauge([1, quarter * 3]),
        },
      },
    ],
  };
}
