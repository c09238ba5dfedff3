import { type Finding, hold, rollback } from "./finding.ts";
import type { Measured } from "./measured.ts";
import { judgeService } from "./service.ts";
import type { Thresholds } from "./thresholds.ts";
import type { Outcome, Verdict } from "./verdict.ts";

/** What the gate is asked. */
export interface GateAsked {
  /** Undefined: nothing could be measured. */
  readonly measured: Measured | undefined;
  /** Live percent of the candidate, and the rung that is asked for, when one is. */
  readonly from: number;
  readonly to?: number;
  /** Whether each service of the colour has a pod that is ready. */
  readonly ready: {
    readonly candidate: boolean;
    readonly stable: boolean;
    /** Whether a pod of the guard is ready. Default: that is not asked (the guard itself asks). */
    readonly guard?: boolean;
  };
}

/**
 * Whether the next rung may be taken, by what was measured since the last step (S0-71, S0-72, S3-70, S3-71, S4-80). From 0
 * ready pods are asked for, in between the canary's limits and a comparison with stable in the same window, at 100 the
 * objectives and the stored baseline. Only finite numbers pass. A complete outage outranks everything; where stable is as
 * bad, no release is blamed. Pure: preview, hook, driver and guard ask this function.
 */
export function judge(asked: GateAsked, thresholds: Thresholds): Verdict {
  const { measured, from, ready } = asked;
  const unguarded = ready.guard === false ? [noGuard] : [];
  const pods = judgePods(asked);
  if (pods) return verdictOf([...unguarded, unlessStableIsOut(pods, ready)], {});
  if (measured === undefined) return verdictOf([...unguarded, hold("nothing was measured")], {});
  const age = judgeAge(measured, thresholds);
  if (age) return verdictOf([...unguarded, age], ageOf(measured));
  const judged = Object.entries(measured.services).map(([service, counts]) =>
    judgeService({ service, counts, seconds: measured.at - measured.since, atTop: from >= 100 }, thresholds),
  );
  return verdictOf(
    [...unguarded, ...judged.flatMap(({ findings }) => findings.map((finding) => unlessStableIsOut(finding, ready)))],
    Object.assign(ageOf(measured), ...judged.map(({ numbers }) => numbers)),
  );
}

/** More users meet a release only while something is awake that takes it back. */
const noGuard = hold("no pod of the guard is ready: nothing would take this release back by itself");

/** What pods alone decide. */
function judgePods({ from, ready }: GateAsked): Finding | undefined {
  if (from <= 0) {
    if (!ready.candidate) return hold("a service of the candidate has no pod that is ready");
    return { outcome: "pass", reason: "the candidate has ready pods and no traffic yet", waitSeconds: 0 };
  }
  if (ready.candidate) return undefined;
  return rollback(`a service of the candidate has ${from} % of the requests and no pod that is ready`);
}

/** Nothing is taken from the candidate that stable could not serve: then the release is not what is wrong. */
const unlessStableIsOut = (finding: Finding, { stable }: GateAsked["ready"]): Finding =>
  finding.outcome === "rollback" && !stable
    ? hold(`${finding.reason}, but a service of stable has no pod that is ready either: nothing to go back to`)
    : finding;

/** What is too old, or from the future, says nothing of now. */
function judgeAge({ at, since, newest, services }: Measured, { lateSeconds }: Thresholds): Finding | undefined {
  if (Object.keys(services).length === 0)
    return hold("nothing was measured: there is no service that answers requests");
  if (!Number.isFinite(newest)) return hold("nothing was measured: there is no series");
  if (!(Number.isFinite(at) && at > since))
    return hold(`the window is from ${since} to ${at}: it must begin before it ends`);
  const age = at - newest;
  const limit = `allowed: ${shownSeconds(lateSeconds)}`;
  if (age > lateSeconds) return hold(`the newest sample is ${shownSeconds(age)} old; ${limit}`);
  if (-age > lateSeconds)
    return hold(`the newest sample is ${shownSeconds(-age)} ahead of the cluster's clock; ${limit}`);
  return undefined;
}

const shownSeconds = (seconds: number) => `${Math.round(seconds)} s`;

const ageOf = ({ at, since, newest }: Measured) => ({
  "seconds since the step": at - since,
  "age of the newest sample": at - newest,
});

const rank: Readonly<Record<Outcome, number>> = { rollback: 2, hold: 1, pass: 0 };

/** The worst finding speaks; of several that hold, the one that holds longest. */
function verdictOf(findings: readonly Finding[], numbers: Readonly<Record<string, number>>): Verdict {
  const wait = ({ waitSeconds }: Finding) => waitSeconds ?? Number.MAX_VALUE;
  const [worst] = [...findings].sort((a, b) => rank[b.outcome] - rank[a.outcome] || wait(b) - wait(a));
  if (worst === undefined) throw new RangeError("a verdict of no findings");
  const { outcome, reason, waitSeconds } = worst;
  return { outcome, reason, numbers, waitSeconds };
}
