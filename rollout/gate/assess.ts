import { isHttp, otherColour } from "../../applications/application.ts";
import { Clock } from "../../monitoring/clock.ts";
import type { Settings } from "../../settings.ts";
import type { LiveCluster } from "../cluster.ts";
import { readyPods } from "../kube/ready-pods.ts";
import type { LiveColour, LiveRoute, Observed } from "../observed.ts";
import { judge } from "./gate.ts";
import { guardName } from "./guard-name.ts";
import { measure } from "./measure.ts";
import type { Measured, Pair } from "./measured.ts";
import { askPrometheus } from "./prometheus.ts";
import { soakLeft, soakSeconds } from "./soak.ts";
import { type Thresholds, thresholdsOf } from "./thresholds.ts";
import type { Verdict } from "./verdict.ts";

/** What a step up is judged by at one moment of the cluster's clock: for the hook, previews, the driver and `status`. */
export interface Assessment {
  readonly observed: Observed;
  /** Live percent of the candidate, the most that any rule gives it. */
  readonly from: number;
  /** What was measured since the last step; undefined: see `unmeasured`. */
  readonly measured: Measured | undefined;
  /** Why nothing was measured, in one sentence; undefined when something was. */
  readonly unmeasured: string | undefined;
  readonly verdict: Verdict;
  /** Minimum time on the present rung, and what is left of it, in real seconds; both 0 without traffic or with the gate off. */
  readonly soakSeconds: number;
  readonly soakLeftSeconds: number;
  /** Percent of the requests that the candidate should get, and got; NaN: nobody knows. */
  readonly share: { readonly asked: number; readonly measured: number };
  readonly thresholds: Thresholds;
}

/** The parts of a stack's settings that a step is judged by. */
export type Judged = Pick<
  Settings,
  "application" | "namespace" | "candidate" | "candidateTraffic" | "ladder" | "gate" | "monitoring"
>;

/**
 * Judges the candidate of these settings now. A Prometheus that does not answer is no error: then nothing is measured, and the
 * gate says what it makes of that.
 * @throws RunError when the cluster cannot be read.
 */
export async function assess(
  settings: Judged,
  cluster: Pick<LiveCluster, "observe" | "api">,
  { to }: { readonly to?: number } = {},
): Promise<Assessment> {
  const observed = await cluster.observe();
  const { route, at } = observed;
  const { application, candidate, ladder, gate, monitoring } = settings;
  const thresholds = thresholdsOf(application, new Clock(monitoring.speed));
  const from = route?.exposure[candidate] ?? 0;
  const guard =
    gate.mode === "off" || route === undefined || (await readyPods(cluster.api, settings.namespace, guardName)) > 0;
  const taken = route ? await take(settings, cluster, thresholds, route, at) : "there is no route yet";
  const [measured, unmeasured] = typeof taken === "string" ? [undefined, taken] : [taken, undefined];
  const soaking = {
    ladder,
    percent: gate.mode === "off" ? 0 : from,
    steppedAt: route?.changedAt && seconds(route.changedAt),
    at: seconds(at),
    speed: monitoring.speed,
  };
  return {
    observed,
    from,
    measured,
    unmeasured,
    verdict: verdictOf(settings, { observed, from, measured, unmeasured, thresholds, guard, to }),
    soakSeconds: soakSeconds(soaking),
    soakLeftSeconds: soakLeft(soaking),
    share: { asked: route?.told?.candidateTraffic ?? Number.NaN, measured: shareOf(measured) },
    thresholds,
  };
}

/** What was measured, or why nothing was. */
async function take(
  { application, namespace, candidate, gate }: Judged,
  { api }: Pick<LiveCluster, "api">,
  thresholds: Thresholds,
  { changedAt }: LiveRoute,
  at: Date,
): Promise<Measured | string> {
  if (!gate.prometheus) return "no Prometheus is known (golive:gate.prometheus)";
  if (!changedAt) return "the route does not say when it was last written";
  return measure(askPrometheus(api, gate.prometheus), {
    ...{ application, namespace, candidate },
    immediateSeconds: thresholds.immediate.seconds,
    plannedSeconds: thresholds.planned.seconds,
    since: seconds(changedAt),
    at: seconds(at),
  }).catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
}

function verdictOf(
  { application, candidate, gate }: Judged,
  facts: Pick<Assessment, "observed" | "from" | "measured" | "unmeasured" | "thresholds"> & {
    guard: boolean;
    to: number | undefined;
  },
): Verdict {
  const { observed, from, to, measured, unmeasured, thresholds, guard } = facts;
  if (gate.mode === "off")
    return { outcome: "pass", reason: "the gate is off (golive:gate)", numbers: {}, waitSeconds: 0 };
  const services = application.services.filter(isHttp).map(({ name }) => name);
  const ready = (live: LiveColour) => services.every((service) => (live[service]?.ready ?? 0) > 0);
  const verdict = judge(
    {
      measured,
      from,
      ...(to === undefined ? {} : { to }),
      ready: {
        candidate: ready(observed.colours[candidate]),
        stable: ready(observed.colours[otherColour(candidate)]),
        guard,
      },
    },
    thresholds,
  );
  return from > 0 && unmeasured !== undefined ? { ...verdict, reason: `${verdict.reason} (${unmeasured})` } : verdict;
}

/** The candidate's part of all requests since the last step. */
function shareOf(measured: Measured | undefined): number {
  const pairs = Object.values(measured?.services ?? {}).map(({ window }) => window);
  const sum = (of: (pair: Pair) => number) => pairs.reduce((total, pair) => total + of(pair), 0);
  const candidate = sum((pair) => pair.candidate.requests);
  return (100 * candidate) / (candidate + sum((pair) => pair.stable.requests));
}

const seconds = (date: Date) => date.getTime() / 1000;
