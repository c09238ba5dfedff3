import { colours, isHttp } from "../../applications/application.ts";
import { minutes } from "../clock.ts";
import { applicationTargets } from "../metrics/targets.ts";
import {
  above,
  and,
  atLeast,
  divide,
  exceeds,
  of,
  or,
  sumBy,
  times,
  unless,
  type Vector,
} from "../promql/expression.ts";
import { labelled } from "../promql/labelled.ts";
import { baseline, byColour, type byRole, now, own, service, stable } from "../rules/records.ts";
import { httpServices, jobOf } from "../rules/requests.ts";
import type { MonitoredStack } from "../stack.ts";
import type { Alert, Cover } from "./alert.ts";
import { leastBadEvents } from "./budget.ts";
import { causes } from "./causes.ts";
import { runbook } from "./runbook.ts";
import { weights } from "./stories/rollout.ts";
import { answering, crossing, fastP95, traffic } from "./stories/traffic.ts";

/** Of fewer requests the 95th percentile is the slowest one, which says nothing of the others. */
const leastRequests = 20;

export const requestAlerts = (stack: MonitoredStack): readonly Alert[] => [
  highErrorRate(stack),
  highLatency(stack),
  performanceRegression(stack),
  serviceDown(stack),
];

/** The service and colour that stories tell of. */
export function subject({ application }: MonitoredStack) {
  const [first] = httpServices(application);
  if (first === undefined) throw new RangeError(`application ${application.name} has no HTTP service to watch`);
  return first.name;
}

/** S1-55 as a share: 0.05 errors a second says nothing without the requests beside it (V12). */
function highErrorRate(stack: MonitoredStack): Alert {
  const name = "HighErrorRate";
  const threshold = stack.application.triggers.immediate.errorPercent / 100;
  const mine = own(stack);
  const errors = mine(service.errorsRate);
  const ratio = divide(errors, above(mine(service.requestsRate), 0));
  const failing = subject(stack);
  const bad = 0.5;
  const from = minutes(10);
  return {
    name,
    severity: "critical",
    team: "oncall",
    labels: { cause: causes.errors },
    expr: and(above(ratio, threshold), atLeast(times(errors, { seconds: now }), leastBadEvents)),
    for: minutes(5),
    summary: "High error rate detected.",
    description:
      "{{ $value | humanizePercentage }} of the requests to {{ $labels.service }} in {{ $labels.namespace }} fail; " +
      `more than ${threshold * 100} % is an incident.`,
    runbook: runbook("application", name),
    source: "S1-55, V12",
    covers: serving(stack),
    stories: [
      {
        title: "when every second request fails",
        series: traffic(
          stack,
          failing,
          "blue",
          { seconds: from, rate: 20 },
          { seconds: minutes(15), rate: 20, failed: bad },
          { seconds: minutes(15), rate: 20 },
        ),
        begins: from + crossing(bad, threshold, now),
        resolved: from + minutes(15) + now,
        labels: { namespace: stack.namespace, service: failing },
        description: `50% of the requests to ${failing} in ${stack.namespace} fail; more than ${threshold * 100} % is an incident.`,
      },
      {
        title: "when nothing but failures is left",
        series: traffic(stack, failing, "blue", { seconds: minutes(20), rate: 20, failed: 1 }),
        begins: 15,
        labels: { namespace: stack.namespace, service: failing },
      },
      {
        title: "not for the one failure of a quiet night",
        series: traffic(
          stack,
          failing,
          "blue",
          { seconds: from, rate: 0 },
          { seconds: 15, rate: 1 / 15, failed: 1 },
          { seconds: minutes(20), rate: 0 },
        ),
      },
      {
        title: "not for the few failures of a quiet night, although nothing else is asked",
        series: traffic(stack, failing, "blue", { seconds: minutes(40), rate: 1 / 60, failed: 1 }),
      },
      {
        title: "not for as many failures as were allowed before somebody looks",
        series: traffic(
          stack,
          failing,
          "blue",
          { seconds: from, rate: 20 },
          { seconds: minutes(30), rate: 20, failed: threshold },
        ),
      },
    ],
  };
}

/** S1-56 over the buckets: of the bare name there are no series, and it never fired (V11). */
function highLatency(stack: MonitoredStack): Alert {
  const name = "HighLatency";
  const { latencySeconds } = stack.application.objectives;
  const mine = own(stack);
  const slow = subject(stack);
  const share = 0.5;
  const from = minutes(10);
  const enough = atLeast(times(mine(service.requestsRate), { seconds: now }), leastRequests);
  const story = (rate: number) =>
    traffic(
      stack,
      slow,
      "blue",
      { seconds: from, rate },
      { seconds: minutes(15), rate, slow: share },
      { seconds: minutes(15), rate },
    );
  return {
    name,
    severity: "warning",
    team: "devops",
    labels: { cause: causes.latency },
    expr: and(above(mine(service.p95), latencySeconds), enough),
    for: minutes(5),
    summary: "High API latency detected.",
    description:
      "5 of 100 requests to {{ $labels.service }} in {{ $labels.namespace }} take longer than {{ $value | humanizeDuration }}; " +
      `the objective is ${latencySeconds} s.`,
    runbook: runbook("application", name),
    source: "S1-56, S1-76, V11",
    covers: serving(stack),
    stories: [
      {
        title: "when every second request is slow",
        series: story(20),
        begins: from + crossing(share, 0.05, now),
        resolved: from + minutes(15) + now,
        labels: { namespace: stack.namespace, service: slow },
      },
      { title: "not for a dozen requests", series: story(1 / 30) },
    ],
  };
}

/** S3-52: slower than it was, although it may still be fast enough. */
function performanceRegression(stack: MonitoredStack): Alert {
  const name = "PerformanceRegression";
  const { minutes: lasting, timesBaseline } = stack.application.triggers.planned;
  const mine = own(stack);
  const slow = subject(stack);
  const usual = minutes(65);
  return {
    name,
    severity: "warning",
    team: "devops",
    labels: { cause: causes.latency },
    expr: exceeds(mine(service.p95), times(mine(baseline.p95), timesBaseline)),
    for: minutes(lasting),
    summary: "Requests take longer than they used to.",
    description:
      "5 of 100 requests to {{ $labels.service }} in {{ $labels.namespace }} take longer than {{ $value | humanizeDuration }}, " +
      `more than ${timesBaseline} times the median of the last week.`,
    runbook: runbook("application", name),
    source: "S3-52 (T1252)",
    stories: [
      {
        title: "when requests get slow after an hour as usual",
        series: {
          ...weights(stack, "green", [0, minutes(125)]),
          ...traffic(
            stack,
            slow,
            "blue",
            { seconds: usual, rate: 20 },
            { seconds: minutes(45), rate: 20, slow: 0.5 },
            { seconds: minutes(15), rate: 20 },
          ),
        },
        begins: usual + crossing(0.5, 0.05, now),
        resolved: usual + minutes(45) + now,
        labels: { namespace: stack.namespace, service: slow },
      },
      {
        title: `not while it is as it was: 5 of 100 above ${fastP95} s`,
        series: {
          ...weights(stack, "green", [0, minutes(125)]),
          ...traffic(stack, slow, "blue", { seconds: minutes(125), rate: 20 }),
        },
      },
    ],
  };
}

/** Pods of a colour that answer Prometheus, of every HTTP service. */
export const pods = ({ application, namespace }: MonitoredStack): Vector<(typeof byColour)[number]> => {
  const job = httpServices(application).map((each) => jobOf(application, each));
  return above(sumBy(byColour, of(applicationTargets.up, { job: { like: job.join("|") }, namespace })), 0);
};

/** One series for every HTTP service and each of these colours. */
export const ofEveryService = (
  { application }: MonitoredStack,
  role: Vector<(typeof byRole)[number]>,
): Vector<"namespace" | "service" | "colour"> =>
  httpServices(application)
    .map((each): Vector<"namespace" | "service" | "colour"> => labelled(role, "service", each.name))
    .reduce((one, other) => or(one, other));

/** Judged by the traffic a colour should have: a colour at 0 may be without pods. The candidate has an alert of its own. */
function serviceDown(stack: MonitoredStack): Alert {
  const name = "ServiceDown";
  const gone = subject(stack);
  const others = httpServices(stack.application).filter((each) => each.name !== gone);
  const from = minutes(5);
  return {
    name,
    severity: "critical",
    team: "oncall",
    expr: unless(ofEveryService(stack, above(own(stack)(stable.weight), 0)), pods(stack), byColour),
    for: minutes(1),
    keepFiringFor: now,
    summary: "No pod of a service answers.",
    description:
      "{{ $labels.service }} {{ $labels.colour }} in {{ $labels.namespace }} has {{ $value }} % of the public requests and no pod that answers.",
    runbook: runbook("application", name),
    source: "S4-78 (database, error rates), issue 5",
    covers: serving(stack),
    stories: [
      {
        title: "when all pods of the stable colour are gone",
        series: {
          ...weights(stack, "green", [0, minutes(20)]),
          ...answering(stack, gone, "blue", [1, from], ["gone", minutes(5)], [1, minutes(10)]),
          ...Object.assign({}, ...others.map((each) => answering(stack, each.name, "blue", [1, minutes(20)]))),
        },
        begins: from,
        resolved: from + minutes(5),
        labels: { namespace: stack.namespace, service: gone, colour: "blue" },
        description: `${gone} blue in ${stack.namespace} has 100 % of the public requests and no pod that answers.`,
      },
      {
        title: "not for a colour without traffic",
        series: {
          ...weights(stack, "green", [0, minutes(15)]),
          ...Object.assign(
            {},
            ...[gone, ...others.map((each) => each.name)].map((each) =>
              answering(stack, each, "blue", [1, minutes(15)]),
            ),
          ),
        },
      },
    ],
  };
}

/** The Deployments that answer users. */
export const serving = ({ application }: MonitoredStack): readonly Cover[] =>
  application.services
    .filter(isHttp)
    .flatMap(({ name }) =>
      colours.map((colour): Cover => ({ kind: "Deployment", name: `${application.name}-${name}-${colour}` })),
    );
