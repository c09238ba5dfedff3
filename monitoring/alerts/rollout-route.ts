import { hours, minutes } from "../clock.ts";
import { rollout } from "../metrics/rollout.ts";
import { above, and, below, equal, from, maxBy, of, subtract } from "../promql/expression.ts";
import { candidate, own } from "../rules/records.ts";
import type { MonitoredStack } from "../stack.ts";
import type { Alert } from "./alert.ts";
import { causes } from "./causes.ts";
import { runbook } from "./runbook.ts";
import { readerOf, weights } from "./stories/rollout.ts";
import { gauge, series } from "./stories/timeline.ts";

/** What the route itself says: left half way, tripped, or not to be read. */
export const routeAlerts = (stack: MonitoredStack): readonly Alert[] => [
  rolloutStuck(stack),
  rolloutTripped(stack),
  rolloutUnreadable(stack),
];

const route = { kind: "HTTPRoute" } as const;

/** A person may think so long about the next step once the soak is over. */
const patience = hours(1);

function rolloutStuck(stack: MonitoredStack): Alert {
  const name = "RolloutStuck";
  const where = { namespace: stack.namespace, application: stack.application.name };
  const labels = ["namespace", "application"] as const;
  const since = from("time()", maxBy(labels, of(rollout.steppedAt, where)));
  const overdue = subtract(since, maxBy(labels, of(rollout.soak, where)));
  const halfWay = below(own(stack)(candidate.weight), 100);
  const reader = readerOf(stack);
  const soak = minutes(15);
  const stepped = minutes(10);
  const left = patience + soak + minutes(20);
  const quarter = minutes(15);
  const steppedAt = series(rollout.steppedAt.name, reader);
  const soaks = series(rollout.soak.name, reader);
  return {
    name,
    severity: "warning",
    team: "devops",
    labels: { cause: causes.rollout },
    expr: and(above(overdue, { seconds: patience }), halfWay, ["namespace"]),
    for: minutes(1),
    summary: "A rollout was left half way.",
    description:
      "The candidate of {{ $labels.application }} in {{ $labels.namespace }} could go on {{ $value | humanizeDuration }} ago and still has a part of the traffic: step up or go back to 0.",
    runbook: runbook("rollout", name),
    source: "issue 5; S1-46, S0-63",
    covers: [route],
    stories: [
      {
        title: "when nobody takes the next step",
        series: {
          ...weights(stack, "green", [0, stepped], [10, left], [50, minutes(10)]),
          [steppedAt]: gauge([0, stepped], [stepped, left], [stepped + left, minutes(10)]),
          [soaks]: gauge([0, stepped], [soak, left + minutes(10)]),
        },
        begins: stepped + soak + patience + 15,
        resolved: stepped + left,
        labels: { namespace: stack.namespace, application: stack.application.name },
      },
      {
        title: "not at 0 and not at 100",
        series: {
          ...weights(stack, "green", [0, quarter * 5], [100, quarter * 7]),
          [steppedAt]: gauge([0, quarter * 5], [quarter * 5, quarter * 7]),
          [soaks]: gauge([0, quarter * 5], [minutes(30), quarter * 7]),
        },
      },
    ],
  };
}

/** The guard, or a person in a hurry, took a release off the traffic: what it was is not to be tried again as it is. */
function rolloutTripped(stack: MonitoredStack): Alert {
  const name = "RolloutTripped";
  const where = { namespace: stack.namespace, application: stack.application.name };
  const reader = readerOf(stack);
  return {
    name,
    severity: "critical",
    team: "devops",
    labels: { cause: causes.rollout },
    expr: equal(maxBy(["namespace", "application", "colour"], of(rollout.tripped, where)), 1),
    for: 0,
    summary: "A release was taken off the traffic.",
    description:
      "{{ $labels.colour }} of {{ $labels.application }} in {{ $labels.namespace }} was tripped (state {{ $value }}): its traffic is 0 until a run acknowledges it.",
    runbook: runbook("rollout", name),
    source: "design section 5, rule 7",
    covers: [route],
    stories: [
      {
        title: "until a run acknowledges it",
        series: {
          [series(rollout.tripped.name, { ...reader, colour: "green" })]: gauge(
            [0, minutes(5)],
            [1, minutes(5)],
            [0, minutes(5)],
          ),
          [series(rollout.tripped.name, { ...reader, colour: "blue" })]: gauge([0, minutes(15)]),
        },
        begins: minutes(5),
        resolved: minutes(10),
        labels: { namespace: stack.namespace, application: stack.application.name, colour: "green" },
        description: `green of ${stack.application.name} in ${stack.namespace} was tripped (state 1): its traffic is 0 until a run acknowledges it.`,
      },
    ],
  };
}

/** Without the weights no trigger knows which colour is on trial. */
function rolloutUnreadable(stack: MonitoredStack): Alert {
  const name = "RolloutUnreadable";
  const where = { namespace: stack.namespace, application: stack.application.name };
  return {
    name,
    severity: "warning",
    team: "devops",
    expr: equal(maxBy(["namespace", "application"], of(rollout.routeUp, where)), 0),
    for: minutes(5),
    summary: "The public route cannot be read.",
    description:
      "The route of {{ $labels.application }} in {{ $labels.namespace }} cannot be read (state {{ $value }}): no alert knows which colour is the candidate.",
    runbook: runbook("rollout", name),
    source: "issue 5",
    covers: [route],
    stories: [
      {
        title: "when the API does not give it",
        series: {
          [series(rollout.routeUp.name, readerOf(stack))]: gauge([1, minutes(5)], [0, minutes(10)], [1, minutes(5)]),
        },
        begins: minutes(5),
        resolved: minutes(15),
        labels: { namespace: stack.namespace, application: stack.application.name },
      },
    ],
  };
}
