import { type Application, type Colour, otherColour } from "../../applications/application.ts";
import { Clock, hours } from "../../monitoring/clock.ts";
import { gateway } from "../../monitoring/metrics/gateway.ts";
import {
  maxBy,
  minBy,
  of,
  or,
  quantile,
  type Series,
  sumBy,
  times,
  Vector,
} from "../../monitoring/promql/expression.ts";
import { growth } from "../../monitoring/promql/growth.ts";
import { baseline } from "../../monitoring/rules/records.ts";
import {
  everyRequest,
  failedRequests,
  httpServices,
  requestBuckets,
  requests,
} from "../../monitoring/rules/requests.ts";
import type { Asked, Counts, Measured, Pair, ServiceMeasured } from "./measured.ts";

/**
 * One number from Prometheus, at a moment in seconds since 1970; NaN where there is no series.
 * @throws Error that says why there was no answer.
 */
export type AskPrometheus = (promql: string, at: number) => Promise<number>;

/** Whose requests, and over which time. Seconds are real ones. */
export interface MeasureArgs {
  readonly application: Application;
  readonly namespace: string;
  readonly candidate: Colour;
  /** How long the triggers `immediate` and `planned` look back. */
  readonly immediateSeconds: number;
  readonly plannedSeconds: number;
  /** The last step, and now: seconds since 1970 by the cluster's clock. */
  readonly since: number;
  readonly at: number;
}

/** No window is longer: what a rung that was left alone for a week did on Monday is no reason to step on Friday. */
const longest = hours(6);
/** Expressions are in real seconds, whatever the pace of the stack's rules. */
const clock = new Clock();

/** The lengths of the windows in seconds, none from before the last step. */
export function windowsOf({ since, at, immediateSeconds, plannedSeconds }: MeasureArgs) {
  const window = Math.max(1, Math.min(at - since, longest));
  return { window, immediate: Math.min(immediateSeconds, window), planned: Math.min(plannedSeconds, window) };
}

/** Asks Prometheus for all that a step is judged by. @throws Error of the first question without an answer. */
export async function measure(ask: AskPrometheus, args: MeasureArgs): Promise<Measured> {
  const asked = new Map<string, Promise<number>>();
  const number = (vector: Vector<never>): Promise<number> => {
    const promql = vector.promql(clock);
    const known = asked.get(promql) ?? ask(promql, args.at);
    asked.set(promql, known);
    return known;
  };
  const windows = windowsOf(args);
  const stack = { application: args.application, namespace: args.namespace };
  const counts = async (service: string, colour: Colour, seconds: number): Promise<Counts> => {
    const who = { service, colour };
    // A service that was read, and that nobody asked or that never failed, has no such series: that is 0, not unknown.
    const none = times(sumBy([], samples(everyRequest(stack, who), seconds)), 0);
    const all = or(sumBy([], growth(requests(stack, who), seconds)), none);
    const failed = or(sumBy([], growth(failedRequests(stack, who), seconds)), none);
    const bucketed = sumBy(["le"], growth(requestBuckets(stack, who), seconds));
    const sent = (code?: string) => sumBy([], growth(forwarded(args, service, colour, code), seconds));
    const [answered, sentOn, errors, unanswered, p95Seconds] = await Promise.all([
      number(all),
      number(sent()),
      number(failed),
      number(or(sent("5.."), times(sent(), 0))),
      number(quantile(0.95, bucketed)),
    ]);
    return { requests: larger(answered, sentOn), errors: larger(errors, unanswered), p95Seconds };
  };
  const pair = async (service: string, seconds: number): Promise<Pair> => {
    const [candidate, stable] = await Promise.all([
      counts(service, args.candidate, seconds),
      counts(service, otherColour(args.candidate), seconds),
    ]);
    return { candidate, stable };
  };
  const serviceOf = async (service: string): Promise<ServiceMeasured> => {
    const [window, immediate, planned, baselineP95Seconds] = await Promise.all([
      pair(service, windows.window),
      pair(service, windows.immediate),
      pair(service, windows.planned),
      number(maxBy([], of(baseline.p95, { namespace: args.namespace, service }))),
    ]);
    return { window, immediate, planned, baselineP95Seconds };
  };
  const names = httpServices(args.application).map(({ name }) => name);
  const [newest, ...services] = await Promise.all([
    number(minBy([], maxBy(["service", "colour"], readAt(everyRequest(stack))))),
    ...names.map(async (name) => [name, await serviceOf(name)] as const),
  ]);
  return {
    at: args.at,
    since: args.at - windows.window,
    newest,
    services: Object.fromEntries(services),
    queries: await Promise.all(
      [...asked].map(async ([promql, value]): Promise<Asked> => ({ promql, value: await value })),
    ),
  };
}

/**
 * What the gateway sent on to one service of one colour. It has counted what no pod did: a request that met a process which
 * died over it, or no process at all. Another gateway than Traefik has other names; then the pods' own counters stand alone.
 */
const forwarded = ({ application, namespace }: MeasureArgs, service: string, colour: Colour, code?: string) =>
  of(gateway.serviceRequests, {
    service: { like: `${namespace}-${application.name}-${service}-${colour}-.*` },
    ...(code === undefined ? {} : { code: { like: code } }),
  });

/** The larger of two counts of the same thing; one that nobody counted is left out. */
const larger = (a: number, b: number) => (Number.isNaN(b) ? a : Number.isNaN(a) ? b : Math.max(a, b));

/** How often each series was read in a window. */
const samples = <L extends string>(series: Series<"counter", L>, seconds: number): Vector<L> =>
  new Vector(series.labels, series.metrics, (on) => `count_over_time(${series.promql(on)}[${on.duration(seconds)}])`);

/** When the newest sample of each series was taken. */
const readAt = <L extends string>(series: Series<"counter", L>): Vector<L> =>
  new Vector(series.labels, series.metrics, (on) => `timestamp(${series.promql(on)})`);
