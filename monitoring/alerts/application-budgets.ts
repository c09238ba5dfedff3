import { days, hours, minutes } from "../clock.ts";
import { probe } from "../metrics/probe.ts";
import {
  above,
  and,
  atLeast,
  countOverTime,
  maxBy,
  of,
  or,
  subtract,
  sumOverTime,
  times,
  type Vector,
} from "../promql/expression.ts";
import type { Recorded } from "../rules/recording.ts";
import { badRatio, evaluation, now, own, service } from "../rules/records.ts";
import { objectives } from "../rules/windows.ts";
import type { MonitoredStack } from "../stack.ts";
import type { Alert, Cover, Story } from "./alert.ts";
import { serving, subject } from "./application-requests.ts";
import { type Burn, burn, leastBadEvents, type Objective, type Pace } from "./budget.ts";
import { causes } from "./causes.ts";
import { runbook } from "./runbook.ts";
import { type Burning, burnt, type Known } from "./stories/burning.ts";
import { gauge, type Phase, sampled, series } from "./stories/timeline.ts";
import { traffic } from "./stories/traffic.ts";

/** So many probes of a long window must have failed: with 99.99 % a single lost packet would be a third of what may go in a month. */
const leastFailedProbes = 3;

/** One budget for each promise: an alert on their mixture would not say which one is broken. */
export const budgetAlerts = (stack: MonitoredStack): readonly Alert[] => [
  ...both(stack, "AvailabilityBudget", availability(stack)),
  ...both(stack, "RequestErrorBudget", errors(stack)),
  ...both(stack, "LatencyBudget", latency(stack)),
];

/** What is promised, how its bad events are measured, and how a story makes them. */
interface Promised {
  readonly objective: Objective;
  readonly cause: string;
  /** Reads on from a percentage: `of the requests to … fail`. */
  readonly what: string;
  readonly source: string;
  readonly ratio: (seconds: number) => Vector<string>;
  /** Where enough bad events were seen for it to matter, in a long window. */
  readonly enough: (seconds: number) => Vector<string>;
  readonly leastBad: number;
  readonly known: Known;
  readonly labels: Readonly<Record<string, string>>;
  readonly told: (phases: readonly Burning[]) => Story["series"];
}

function requestPromise(
  stack: MonitoredStack,
  bad: Recorded<"namespace" | "service">,
  ratio: (seconds: number) => Recorded<"namespace" | "service">,
) {
  const mine = own(stack);
  return {
    ratio: (seconds: number) => mine(ratio(seconds)),
    enough: (seconds: number) =>
      atLeast(times(sumOverTime(mine(bad), seconds), { seconds: evaluation }), leastBadEvents),
    leastBad: leastBadEvents,
    known: { ratesOver: now },
    labels: { namespace: stack.namespace, service: subject(stack) },
  };
}

const errors = (stack: MonitoredStack): Promised => ({
  ...requestPromise(stack, service.errorsRate, badRatio.errors),
  objective: objectives(stack).errors,
  cause: causes.errors,
  what: "of the requests to {{ $labels.service }} in {{ $labels.namespace }} fail",
  source: "S1-75, C10",
  told: (phases) =>
    traffic(stack, subject(stack), "blue", ...phases.map(({ seconds, rate, bad }) => ({ seconds, rate, failed: bad }))),
});

const latency = (stack: MonitoredStack): Promised => ({
  ...requestPromise(stack, service.slowRate, badRatio.latency),
  objective: objectives(stack).latency,
  cause: causes.latency,
  what:
    `of the requests to {{ $labels.service }} in {{ $labels.namespace }} take longer ` +
    `than ${stack.application.objectives.latencySeconds} s`,
  source: "S1-76, C06",
  told: (phases) =>
    traffic(stack, subject(stack), "blue", ...phases.map(({ seconds, rate, bad }) => ({ seconds, rate, slow: bad }))),
});

/** Probes of the public host are no requests: nobody's browser retries them, and they come at night too (C14). */
function availability(stack: MonitoredStack): Promised {
  const instance = `https://${stack.hostname}/`;
  const failed = (seconds: number) =>
    maxBy(["instance"], subtract(countOverTime(of(probe.success), seconds), sumOverTime(of(probe.success), seconds)));
  return {
    objective: objectives(stack).availability,
    cause: causes.availability,
    what: "of the probes of {{ $labels.instance }} fail",
    source: "S1-74, C14",
    ratio: (seconds) => of(badRatio.availability(seconds)),
    enough: (seconds) => atLeast(failed(seconds), leastFailedProbes),
    leastBad: leastFailedProbes,
    known: "samples",
    labels: { instance },
    // A probe is there or not: a share of bad ones is every so many of them.
    told: (phases) => ({
      [series(probe.success.name, { job: "probe", instance })]: gauge(
        ...phases.map(({ seconds, bad }): Phase => [bad > 0 ? 0 : 1, seconds]),
      ),
    }),
  };
}

function both(stack: MonitoredStack, name: string, promised: Promised): readonly Alert[] {
  const covers: readonly Cover[] =
    promised.cause === causes.availability ? [{ kind: "HTTPRoute" }, { kind: "Gateway" }] : serving(stack);
  const alert = (pace: Pace, urgency: Pick<Alert, "name" | "severity" | "team">): Alert => {
    const burning = burn(promised.objective, pace);
    return {
      ...urgency,
      labels: { cause: promised.cause },
      expr: expression(burning, promised),
      for: burning.for,
      summary: summaries[pace],
      description: `{{ $value | humanizePercentage }} ${promised.what}: ${rest(burning, promised.objective)}`,
      runbook: runbook("application", urgency.name),
      source: promised.source,
      covers,
      // Days of samples that only tests read: a run of the program does not work them out.
      get stories() {
        return pace === "fast" ? fastStories(burning, promised) : slowStories(burning, promised);
      },
    };
  };
  return [
    alert("fast", { name: `${name}Fast`, severity: "critical", team: "oncall" }),
    alert("slow", { name: `${name}Slow`, severity: "warning", team: "devops" }),
  ];
}

const summaries: Readonly<Record<Pace, string>> = {
  fast: "An objective will be missed within days.",
  slow: "An objective will be missed if it goes on like this.",
};

/** What the pace means for the whole budget, in words: nobody reads a factor at night. */
function rest({ exhausted }: Burn, { percent, period = days(30) }: Objective): string {
  const inDays = (seconds: number) => `${Number((seconds / days(1)).toFixed(1))} days`;
  const pace =
    exhausted < period
      ? `at this pace what may fail in ${inDays(period)} is used up in ${inDays(exhausted)} or less`
      : `at this pace more fails than may in ${inDays(period)}`;
  return `${pace} (objective ${percent} %).`;
}

const expression = ({ tiers }: Burn, { ratio, enough }: Promised): Vector<string> =>
  tiers
    .map(({ long, short, threshold }) =>
      and(and(above(ratio(long), threshold), above(ratio(short), threshold)), enough(long)),
    )
    .reduce((one, other) => or(one, other));

const good = (seconds: number, rate = 1): Burning => ({ seconds, rate, bad: 0 });
const quiet = (seconds: number): Burning => ({ seconds, rate: 0, bad: 0 });

function fastStories(burning: Burn, promised: Promised): Alert["stories"] {
  const outage = [good(minutes(10)), { seconds: minutes(15), rate: 1, bad: 1 }, good(hours(1), 20)];
  return [
    story("when a quarter of an hour fails", outage, burning, promised),
    tooFew("not for what is too little to call somebody for", minutes(30), promised),
  ];
}

/** A share between the paces: too slow to wake anybody, and fast enough to miss the objective. */
function slowStories(burning: Burn, promised: Promised): Alert["stories"] {
  const share = Math.max(...burning.tiers.map(({ threshold }) => threshold)) * 1.5;
  const drip =
    promised.known === "samples"
      ? [good(minutes(10)), { seconds: minutes(2), rate: 1, bad: 1 }, good(hours(8))]
      : [good(minutes(10), 20), { seconds: minutes(80), rate: 20, bad: share }, good(minutes(30), 400)];
  return [
    story("when a little fails for long", drip, burning, promised),
    tooFew("not for what is too little to look at", minutes(75), promised),
  ];
}

function story(title: string, phases: readonly Burning[], burning: Burn, promised: Promised): Story {
  const { leastBad, known, labels, told } = promised;
  return { title, series: told(phases), ...burnt(burning, phases, leastBad, known), labels };
}

/** All that there is fails, but that is one event less than is worth a call. */
function tooFew(title: string, lasting: number, { known, leastBad, told }: Promised): Story {
  const seconds = known === "samples" ? sampled * (leastBad - 1) : sampled;
  const rate = (leastBad - 1) / seconds;
  const before = known === "samples" ? good(minutes(10)) : quiet(minutes(10));
  const after = known === "samples" ? good(lasting) : quiet(lasting);
  return { title, series: told([before, { seconds, rate, bad: 1 }, after]) };
}
