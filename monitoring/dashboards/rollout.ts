import { candidateAlerts } from "../alerts/rollout-candidate.ts";
import { rollout as route } from "../metrics/rollout.ts";
import { ruleSeries } from "../metrics/targets.ts";
import {
  above,
  add,
  and,
  countBy,
  divide,
  equal,
  maxBy,
  minus,
  of,
  or,
  plus,
  sumBy,
  times,
  unless,
  type Vector,
} from "../promql/expression.ts";
import { renamed } from "../promql/panel-window.ts";
import { candidate } from "../rules/records.ts";
import type { MonitoredStack } from "../stack.ts";
import { type Board, type Query, ratioOf } from "./panel.ts";
import { errorRatio, latency, requestRate } from "./requests.ts";

const verdicts = {
  0: { text: "no rollout", colour: "text" },
  1: { text: "hold", colour: "yellow" },
  2: { text: "pass", colour: "green" },
  3: { text: "rollback", colour: "red" },
  4: { text: "tripped", colour: "red" },
} as const;

/** How the candidate does, and whether the next rung may be taken. */
export function rollout(stack: MonitoredStack): Board {
  const { name } = stack.application;
  const { canary, immediate } = stack.application.triggers;
  const ladder = stack.ladder.map(({ percent, soakMinutes }) => `${percent} % for ${soakMinutes} min`).join(", ");
  const mine = own(stack);
  const left = soakLeft(stack);
  const undoing = candidateAlerts(stack).map((alert) => alert.name);
  const each = ["service", "colour"] as const;
  return {
    name: "rollout",
    title: "Rollout",
    description: `Candidate against stable, and how far the traffic has moved. The ladder: ${ladder}.`,
    from: "now-3h",
    panels: [
      {
        title: "Gate verdict",
        description: `What the alerts and the exporter alone can tell of the next step: tripped, when the guard or a person took the candidate off; rollback, while one of ${undoing.join(", ")} fires; hold, until the soak is over and while nothing is measured of the candidate; else pass. Normal: hold, then pass. The gate itself also counts the requests and asks the pods, so a step may still be refused.`,
        unit: "none",
        kind: "stat",
        width: 8,
        queries: [{ expr: verdict(stack, left, undoing), legend: "verdict" }],
        words: verdicts,
        runbook: "rollout#rollbackimmediate",
      },
      {
        title: "Rung",
        description: `Which rung of the ladder the traffic is on, 0 at 0 %, and how many there are: ${ladder}. Normal: goes up by one at a time.`,
        unit: "none",
        kind: "stat",
        width: 8,
        queries: [
          { expr: maxBy([], of(route.rung, mine)), legend: "rung" },
          { expr: maxBy([], of(route.rungs, mine)), legend: "rungs in all" },
        ],
        runbook: "rollout#rolloutstuck",
      },
      {
        title: "Soak left",
        description:
          "Time until this rung has been held for as long as its soak asks; 0 when it is over, and at 0 %. Normal: falls to 0 once after each step.",
        unit: "s",
        kind: "stat",
        width: 8,
        queries: [{ expr: left, legend: "soak left" }],
        runbook: "rollout#rolloutstuck",
      },
      {
        title: "Candidate traffic: asked and measured",
        description:
          "Percent of the requests: what the last run asked for the candidate, what the live route gives each colour, and what the pods of each colour counted. Normal: all three agree within a few percent of a scrape or two after a step; a weight apart from what was asked is a hand edit or a trip.",
        unit: "percent",
        kind: "lines",
        width: 24,
        queries: [
          { expr: maxBy(["candidate"], of(route.candidateTraffic, mine)), legend: "asked for {{candidate}}" },
          { expr: maxBy(["colour"], of(route.weight, mine)), legend: "weight of {{colour}}" },
          { expr: measuredShare(stack), legend: "measured of {{colour}}" },
        ],
        runbook: "rollout#rollouttripped",
        covers: [{ kind: "HTTPRoute", name }],
      },
      {
        title: "Error ratio of candidate and stable",
        description: `Share of the requests that were answered with a status 5xx; 0 without requests. Normal: both alike and near 0. On its way up a candidate above ${canary.errorPercent} % is undone (the line); above ${immediate.errorPercent} % at any traffic.`,
        unit: "percentunit",
        kind: "lines",
        queries: byRole(stack, errorRatio(stack, each)),
        limit: { atMost: ratioOf(canary.errorPercent) },
        runbook: "rollout#canaryerrors",
      },
      {
        title: "Response time (p95) of candidate and stable",
        description: `Seconds within which 95 of 100 requests are answered; 0 without requests. Normal: both alike. On its way up a candidate above ${canary.latencySeconds} s is undone (the line).`,
        unit: "s",
        kind: "lines",
        queries: byRole(stack, latency(stack, each, 0.95)),
        limit: { atMost: canary.latencySeconds },
        runbook: "rollout#canaryslow",
      },
      {
        title: "Requests per colour",
        description: `Requests a second that each colour answers. Normal: a step moves them from one colour to the other and their sum stays. The gate asks for ${canary.requests} of the candidate on every rung.`,
        unit: "reqps",
        kind: "lines",
        width: 24,
        queries: [{ expr: requestRate(stack, ["colour"]), legend: "{{colour}}" }],
        runbook: "rollout#candidatedown",
      },
    ],
    marks: [
      {
        name: "Ledger",
        at: maxBy(["number", "kind", "candidate", "percent"], of(route.recordedAt, mine)),
        title: "{{kind}}: {{candidate}} at {{percent}} %",
        text: "Record {{number}} of the ledger says who, why, and what was measured (golive rollout record).",
      },
    ],
  };
}

/** What the exporter says of this stack's route. */
const own = ({ application, namespace }: MonitoredStack) => ({ application: application.name, namespace });

/** Seconds until the soak of the present rung is over, never below 0. */
function soakLeft(stack: MonitoredStack): Vector<never> {
  const steppedAt = maxBy([], of(route.steppedAt, own(stack)));
  const left = minus(add(steppedAt, maxBy([], of(route.soak, own(stack)))), "time()");
  return or(above(left, 0), times(steppedAt, 0));
}

/** The first that holds decides. */
function verdict(stack: MonitoredStack, left: Vector<never>, undoing: readonly string[]): Vector<never> {
  const traffic = maxBy([], of(route.candidateTraffic, own(stack)));
  const alerts = of(ruleSeries.alerts, {
    alertname: { like: undoing.join("|") },
    alertstate: "firing",
    namespace: stack.namespace,
  });
  const tripped = and(of(route.tripped, own(stack)), candidateColour(stack), ["colour"]);
  const measured = countBy([], of(candidate.errorRatio, { namespace: stack.namespace }));
  const cases: readonly (readonly [Vector<never>, keyof typeof verdicts])[] = [
    [above(maxBy([], tripped), 0), 4],
    [above(countBy([], alerts), 0), 3],
    [equal(traffic, 0), 0],
    [above(left, 0), 1],
    [and(traffic, measured, []), 2],
    [traffic, 1],
  ];
  return cases.map(([when, value]) => plus(times(when, 0), value)).reduce((first, next) => or(first, next));
}

/** Percent of the requests that each colour's pods counted; 0 without requests. */
function measuredShare(stack: MonitoredStack): Vector<"colour"> {
  const each = requestRate(stack, ["colour"]);
  return or(times(divide(each, above(sumBy([], each), 0)), 100), times(each, 0));
}

const candidateColour = (stack: MonitoredStack): Vector<"colour"> =>
  renamed("candidate", "colour", of(route.candidateTraffic, own(stack)));

/** The candidate's series and the other colour's, told apart at each moment: the roles switch in the midst of a panel. */
function byRole(stack: MonitoredStack, vector: Vector<"service" | "colour">): [Query, Query] {
  const onTrial = candidateColour(stack);
  return [
    { expr: and(vector, onTrial, ["colour"]), legend: "candidate: {{service}} {{colour}}" },
    { expr: unless(vector, onTrial, ["colour"]), legend: "stable: {{service}} {{colour}}" },
  ];
}
