import { noticeableSeconds, settling, timesStable } from "../../rollout/gate/thresholds.ts";
import { hours, minutes } from "../clock.ts";
import {
  above,
  and,
  atLeast,
  exceeds,
  fallsBelow,
  increase,
  plus,
  rate,
  sumBy,
  times,
  unless,
  type Vector,
} from "../promql/expression.ts";
import { baseline, byColour, byService, candidate, now, own, stable } from "../rules/records.ts";
import { httpServices, requests } from "../rules/requests.ts";
import type { MonitoredStack } from "../stack.ts";
import type { Alert, Story } from "./alert.ts";
import { ofEveryService, pods, serving, subject } from "./application-requests.ts";
import { causes } from "./causes.ts";
import { runbook } from "./runbook.ts";
import { weights } from "./stories/rollout.ts";
import { answering, crossing, type Traffic, traffic } from "./stories/traffic.ts";

/**
 * The triggers that undo a release. Each looks at the candidate's requests alone, and holds back while the stable colour is
 * about as bad: then the release is not to blame, and going back would help nobody (a shared database that is down).
 */
export const candidateAlerts = (stack: MonitoredStack): readonly Alert[] => [
  rollbackImmediate(stack),
  rollbackPlanned(stack),
  rollbackSlow(stack),
  canaryErrors(stack),
  canarySlow(stack),
  candidateDown(stack),
];

type OfCandidate = Vector<(typeof byColour)[number]>;

/** The candidate's requests of so long are its sample. */
const sampleWindow = hours(1);

/** The candidate where it fails more than this share, and much more than the stable colour. */
function failing(stack: MonitoredStack, percent: number): OfCandidate {
  const mine = own(stack);
  const errors = mine(candidate.errorRatio);
  const shared = fallsBelow(errors, times(mine(stable.errorRatio), timesStable), byService);
  return unless(above(errors, percent / 100), shared, byColour);
}

/** The candidate among those that are slow, where it is much slower than the stable colour is now. */
function slowerThanStable(stack: MonitoredStack, slow: OfCandidate): OfCandidate {
  const mine = own(stack);
  const { timesBaseline } = stack.application.triggers.planned;
  return unless(slow, fallsBelow(mine(candidate.p95), times(mine(stable.p95), timesBaseline), byService), byColour);
}

/** Where enough requests of the release that runs now were counted: those of the one before it are in the window too. */
function sampled(stack: MonitoredStack): Vector<(typeof byColour)[number] | "version"> {
  const release = [...byColour, "version"] as const;
  const counted = atLeast(
    sumBy(release, increase(requests(stack), sampleWindow)),
    stack.application.triggers.canary.requests,
  );
  return and(counted, above(sumBy(release, rate(requests(stack), now)), 0), release);
}

/** Real seconds of a story on the stable colour alone, and then with a tenth on the candidate. */
interface Times {
  readonly before: number;
  readonly lasting: number;
}

const short = minutes(10);
/** So long that there is a baseline. */
const usual = minutes(65);

/** Requests a second of a candidate that has a tenth of the traffic, and of the stable colour beside it. */
const share = { candidate: 5, stable: 45 } as const;

/** Some time on blue alone, then a tenth on green while both are as told. */
const story = (
  stack: MonitoredStack,
  { before, lasting }: Times,
  told: Pick<Story, "title" | "begins" | "resolved" | "description">,
  colours: { readonly green?: Partial<Traffic>; readonly blue?: Partial<Traffic> },
): Story => {
  const service = subject(stack);
  return {
    ...told,
    ...(told.begins === undefined ? {} : { labels: { namespace: stack.namespace, service, colour: "green" } }),
    series: {
      ...weights(stack, "green", [0, before], [10, lasting], [0, minutes(10)]),
      ...traffic(
        stack,
        service,
        "blue",
        { seconds: before, rate: 50 },
        { seconds: lasting, rate: share.stable, ...colours.blue },
        { seconds: minutes(10), rate: 50 },
      ),
      ...traffic(
        stack,
        service,
        "green",
        { seconds: before, rate: 0 },
        { seconds: lasting, rate: share.candidate, ...colours.green },
        { seconds: minutes(10), rate: 0 },
      ),
    },
  };
};

/** What holds back, for any trigger on errors: the same failures on both, and failures of the stable colour alone. */
const errorSilences = (stack: MonitoredStack, times: Times): readonly Story[] => [
  story(
    stack,
    times,
    { title: "not while the stable colour fails as much" },
    { green: { failed: 0.5 }, blue: { failed: 0.5 } },
  ),
  story(stack, times, { title: "not while only the stable colour fails" }, { blue: { failed: 0.5 } }),
];

const slowSilences = (stack: MonitoredStack, times: Times): readonly Story[] => [
  story(
    stack,
    times,
    { title: "not while the stable colour is as slow" },
    { green: { slow: 0.5 }, blue: { slow: 0.5 } },
  ),
  story(stack, times, { title: "not while only the stable colour is slow" }, { blue: { slow: 0.5 } }),
];

const who = "{{ $labels.service }} {{ $labels.colour }} in {{ $labels.namespace }}";

/** S3-70, S4-80: at once, at any traffic. */
function rollbackImmediate(stack: MonitoredStack): Alert {
  const name = "RollbackImmediate";
  const { errorPercent, minutes: lasting } = stack.application.triggers.immediate;
  const held = { before: short, lasting: minutes(lasting + 5) };
  const service = subject(stack);
  return {
    name,
    severity: "critical",
    team: "oncall",
    labels: { cause: causes.errors },
    expr: failing(stack, errorPercent),
    for: minutes(lasting),
    summary: "The candidate fails: take it back now.",
    description: `{{ $value | humanizePercentage }} of the requests to the candidate ${who} fail, for ${lasting} minutes; more than ${errorPercent} % takes it back to 0.`,
    runbook: runbook("rollout", name),
    source: "S3-70, S4-80, S3-14",
    covers: serving(stack),
    stories: [
      story(
        stack,
        held,
        {
          title: "when every fifth request to the candidate fails",
          begins: short + 15,
          resolved: short + held.lasting,
          description: `20% of the requests to the candidate ${service} green in ${stack.namespace} fail, for ${lasting} minutes; more than ${errorPercent} % takes it back to 0.`,
        },
        { green: { failed: 0.2 } },
      ),
      story(
        stack,
        held,
        { title: "when a candidate that almost nobody uses fails", begins: short + 15, resolved: short + held.lasting },
        { green: { rate: 1 / 15, failed: 1 } },
      ),
      ...errorSilences(stack, held),
    ],
  };
}

/** S3-71: less, for longer. */
function rollbackPlanned(stack: MonitoredStack): Alert {
  const name = "RollbackPlanned";
  const { errorPercent, minutes: lasting } = stack.application.triggers.planned;
  const held = { before: short, lasting: minutes(lasting + 5) };
  return {
    name,
    severity: "warning",
    team: "devops",
    labels: { cause: causes.errors },
    expr: failing(stack, errorPercent),
    for: minutes(lasting),
    summary: "The candidate fails too often: plan to take it back.",
    description: `{{ $value | humanizePercentage }} of the requests to the candidate ${who} fail, for ${lasting} minutes; more than ${errorPercent} % is no release to keep.`,
    runbook: runbook("rollout", name),
    source: "S3-71, S3-14",
    stories: [
      story(
        stack,
        held,
        {
          title: "when the candidate fails a little for half an hour",
          begins: short + 15,
          resolved: short + held.lasting,
        },
        { green: { rate: 20, failed: (errorPercent / 100) * 1.5 } },
      ),
      ...errorSilences(stack, held),
    ],
  };
}

/** S3-71: slower than what the stable colour stored as normal (S3-52). */
function rollbackSlow(stack: MonitoredStack): Alert {
  const name = "RollbackSlow";
  const { minutes: lasting, timesBaseline } = stack.application.triggers.planned;
  const mine = own(stack);
  const held = { before: usual, lasting: minutes(lasting + 5) };
  const slower = exceeds(mine(candidate.p95), times(mine(baseline.p95), timesBaseline), byService);
  // As the gate: half as slow again is nothing where both are quick.
  const noticed = exceeds(
    mine(candidate.p95),
    plus(mine(baseline.p95), noticeableSeconds(stack.application)),
    byService,
  );
  return {
    name,
    severity: "warning",
    team: "devops",
    labels: { cause: causes.latency },
    expr: slowerThanStable(stack, and(slower, noticed, byColour)),
    for: minutes(lasting),
    summary: "The candidate is slower than the release before it.",
    description: `5 of 100 requests to the candidate ${who} take longer than {{ $value | humanizeDuration }}, for ${lasting} minutes; that is more than ${timesBaseline} times the baseline.`,
    runbook: runbook("rollout", name),
    source: "S3-71, S3-52, S3-14",
    stories: [
      story(
        stack,
        held,
        {
          title: "when the candidate is slow for half an hour",
          begins: usual + 15,
          resolved: usual + held.lasting,
        },
        { green: { slow: 0.5 } },
      ),
      atAll(stack, held, 0.5, "when it is slow with all the traffic, and nothing is left to compare it with now"),
      atAll(stack, held, 0, "not when it is as fast with all the traffic"),
      hardlySlower(stack, held),
      ...slowSilences(stack, held),
    ],
  };
}

/** p95 of 24 ms for so long, and then of 45 ms on the candidate: nearly twice as slow, and nobody notices. */
function hardlySlower(stack: MonitoredStack, { before, lasting }: Times): Story {
  const service = subject(stack);
  return {
    title: "not while it is nearly twice as slow, by less than anybody notices",
    series: {
      ...weights(stack, "green", [0, before], [10, lasting]),
      ...traffic(stack, service, "blue", { seconds: before + lasting, rate: share.stable, quick: 1 }),
      ...traffic(
        stack,
        service,
        "green",
        { seconds: before, rate: 0 },
        { seconds: lasting, rate: share.candidate, quick: 0.75 },
      ),
    },
  };
}

/** After so long on blue alone all traffic is on green: what was normal must have been stored. */
function atAll(stack: MonitoredStack, { before, lasting }: Times, slow: number, title: string): Story {
  const service = subject(stack);
  const labels = { namespace: stack.namespace, service, colour: "green" };
  return {
    title,
    ...(slow === 0 ? {} : { begins: before + 15, labels }),
    series: {
      ...weights(stack, "green", [0, before], [100, lasting]),
      ...traffic(stack, service, "blue", { seconds: before, rate: 50 }, { seconds: lasting, rate: 0 }),
      ...traffic(stack, service, "green", { seconds: before, rate: 0 }, { seconds: lasting, rate: 50, slow }),
    },
  };
}

const canary: Times = { before: short, lasting: minutes(20) };
/** Real seconds until the candidate of a story has been asked often enough. */
const counted = ({ application }: MonitoredStack) =>
  crossing(1, (application.triggers.canary.requests - 1) / (share.candidate * sampleWindow), sampleWindow);

/** S0-71, once there is a sample. */
function canaryErrors(stack: MonitoredStack): Alert {
  const name = "CanaryErrors";
  const { errorPercent, requests } = stack.application.triggers.canary;
  return {
    name,
    severity: "critical",
    team: "oncall",
    labels: { cause: causes.errors },
    expr: and(failing(stack, errorPercent), sampled(stack), byColour),
    for: settling,
    summary: "The candidate fails more than a canary may.",
    description: `{{ $value | humanizePercentage }} of the requests to the candidate ${who} fail, of ${requests} or more; more than ${errorPercent} % takes it back to 0.`,
    runbook: runbook("rollout", name),
    source: "S0-71, S3-14",
    stories: [
      story(
        stack,
        canary,
        {
          title: "when a tenth fails, as soon as there are enough requests",
          begins: short + counted(stack),
          resolved: short + canary.lasting,
        },
        { green: { failed: 0.1 } },
      ),
      story(
        stack,
        canary,
        { title: "not before there are enough requests" },
        { green: { rate: (requests - 1) / canary.lasting, failed: 0.5 } },
      ),
      ...errorSilences(stack, canary),
    ],
  };
}

/** S0-72, once there is a sample. */
function canarySlow(stack: MonitoredStack): Alert {
  const name = "CanarySlow";
  const { latencySeconds, requests } = stack.application.triggers.canary;
  const slow = above(own(stack)(candidate.p95), latencySeconds);
  return {
    name,
    severity: "critical",
    team: "oncall",
    labels: { cause: causes.latency },
    expr: and(slowerThanStable(stack, slow), sampled(stack), byColour),
    for: settling,
    summary: "The candidate is slower than a canary may be.",
    description: `5 of 100 requests to the candidate ${who} take longer than {{ $value | humanizeDuration }}, of ${requests} or more; longer than ${latencySeconds} s takes it back to 0.`,
    runbook: runbook("rollout", name),
    source: "S0-72, S3-14",
    stories: [
      story(
        stack,
        canary,
        {
          title: "when every second request is slow, as soon as there are enough",
          begins: short + counted(stack),
          resolved: short + canary.lasting,
        },
        { green: { slow: 0.5 } },
      ),
      story(
        stack,
        canary,
        { title: "not before there are enough requests" },
        { green: { rate: (requests - 1) / canary.lasting, slow: 0.5 } },
      ),
      ...slowSilences(stack, canary),
    ],
  };
}

/** A candidate with traffic and without pods answers nobody: no failed request would ever be counted. */
function candidateDown(stack: MonitoredStack): Alert {
  const name = "CandidateDown";
  const gone = subject(stack);
  const services = httpServices(stack.application).map((each) => each.name);
  const on = minutes(15);
  const up = (service: string) => answering(stack, service, "green", [1, minutes(40)]);
  const route = weights(stack, "green", [0, short], [10, on], [0, minutes(15)]);
  const all = (of: readonly string[]) => Object.assign({}, ...of.map(up));
  return {
    name,
    severity: "critical",
    team: "oncall",
    expr: unless(ofEveryService(stack, above(own(stack)(candidate.weight), 0)), pods(stack), byColour),
    for: minutes(1),
    keepFiringFor: now,
    summary: "No pod of the candidate answers.",
    description: `The candidate ${who} has {{ $value }} % of the public requests and no pod that answers.`,
    runbook: runbook("rollout", name),
    source: "S3-70 (complete outage), design section 5",
    covers: serving(stack),
    stories: [
      {
        title: "when its pods are gone while it has traffic",
        series: {
          ...route,
          ...all(services.filter((each) => each !== gone)),
          ...answering(stack, gone, "green", [1, short + minutes(5)], ["gone", minutes(5)], [1, minutes(20)]),
        },
        begins: short + minutes(5),
        resolved: short + minutes(10),
        labels: { namespace: stack.namespace, service: gone, colour: "green" },
        description: `The candidate ${gone} green in ${stack.namespace} has 10 % of the public requests and no pod that answers.`,
      },
      {
        title: "when its pods do not answer",
        series: {
          ...route,
          ...all(services.filter((each) => each !== gone)),
          ...answering(stack, gone, "green", [1, short], [0, on], [1, minutes(15)]),
        },
        begins: short,
        resolved: short + on,
        labels: { namespace: stack.namespace, service: gone, colour: "green" },
      },
      {
        title: "not for a candidate that waits without pods",
        series: weights(stack, "green", [0, minutes(30)]),
      },
    ],
  };
}
