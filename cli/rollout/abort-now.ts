import { type Colour, otherColour } from "../../applications/application.ts";
import { reasonOf } from "../../programs/reason.ts";
import type { KubeApi } from "../../rollout/kube/api.ts";
import { fetchPublicRoute, type RoutePlace } from "../../rollout/kube/public-route.ts";
import { readyPods } from "../../rollout/kube/ready-pods.ts";
import { tripRecordOf } from "../../rollout/ledger/drafts.ts";
import { appendRecord } from "../../rollout/ledger/store.ts";
import { type RouteObject, readRoute } from "../../rollout/observed.ts";
import { tripSentence, type Weights } from "../../rollout/told.ts";
import { type TripResult, tripRoute } from "../../rollout/trip.ts";
import { Failure } from "../failure.ts";

/** Who takes a colour's traffic away by hand, and why. */
export interface AbortOrder {
  /** Undefined: the candidate. */
  readonly colour: Colour | undefined;
  readonly reason: string;
  readonly by: string;
  /** Undefined: nobody knows which it is. */
  readonly stack: string | undefined;
}

/** What became of the traffic: a value, so that a script need not read prose. */
export interface Aborted {
  readonly outcome: "aborted" | "idle";
  readonly colour: Colour;
  /** The release that has a tombstone now; undefined: none was known. */
  readonly release: string | undefined;
  /** Live percent of each colour, before and after. */
  readonly from: Weights;
  readonly to: Weights;
  /** A trip that nobody acknowledged yet, in words. */
  readonly trip: string | undefined;
  /** Number of the record in the ledger; undefined: none was written. */
  readonly record: number | undefined;
  /** What could not be checked or written. */
  readonly notes: readonly string[];
  readonly next: string;
}

/**
 * Takes all traffic off a colour with nothing but an API server. What else there is to do (its pods looked at, the ledger
 * written) is done as far as it goes, and never keeps the traffic.
 * @throws Failure that says why the traffic stays where it is.
 */
export async function abortNow(api: KubeApi, where: RoutePlace, order: AbortOrder): Promise<Aborted> {
  const { object } = await fetchPublicRoute(api, where).catch(asFailure);
  const { told, exposure } = readRoute(object);
  const colour = order.colour ?? told?.candidate;
  if (colour === undefined)
    throw new Failure("golive rollout abort: golive did not make this route; nothing was touched");
  const taker = otherColour(colour);
  const moves = exposure[colour] > 0;
  const unready = moves ? await unreadyPods(api, where, { object, taker }) : { missing: [], notes: [] };
  if (unready.missing.length > 0)
    throw new Failure(
      `golive rollout abort: all traffic would go to ${taker}, which has no ready pod of ${unready.missing.join(", ")}; ` +
        `nothing was touched. Next: bring ${taker} up, or give the route its weights by hand`,
    );
  const done = await tripRoute(api, where, { ...order, colour, manager: "golive-abort" }).catch(asFailure);
  if (done.outcome === "refused")
    throw new Failure(`golive rollout abort: ${colour} keeps its traffic: ${done.reason}; nothing was touched`);
  const recorded = await recordAbort(api, where, order, done);
  return {
    outcome: done.outcome === "tripped" ? "aborted" : "idle",
    colour,
    release: done.outcome === "tripped" ? told?.releases[colour] : undefined,
    from: done.outcome === "tripped" ? done.before.exposure : done.route.exposure,
    to: done.route.exposure,
    trip: done.trip && tripSentence(done.trip),
    record: recorded.number,
    notes: [...unready.notes, ...recorded.notes],
    next: nextOf(colour, order, done),
  };
}

/** The Deployments that would get traffic and have no ready pod. A Deployment is named as the Service in the route. */
async function unreadyPods(
  api: KubeApi,
  { namespace }: RoutePlace,
  { object, taker }: { readonly object: RouteObject; readonly taker: Colour },
): Promise<{ readonly missing: readonly string[]; readonly notes: readonly string[] }> {
  const refs = (object.spec?.rules ?? []).flatMap(({ backendRefs = [] }) => backendRefs.map(({ name }) => name));
  const names = [...new Set(refs.filter((ref) => ref.endsWith(`-${taker}`)))];
  try {
    const ready = await Promise.all(names.map((name) => readyPods(api, namespace, name)));
    return { missing: names.filter((_, index) => ready[index] === 0), notes: [] };
  } catch (error) {
    return { missing: [], notes: [`the pods of ${taker} were not looked at: ${reasonOf(error)}`] };
  }
}

/** The traffic is safe already: a ledger that cannot be written is told, and the next writer finds what it misses. */
async function recordAbort(api: KubeApi, where: RoutePlace, { stack }: AbortOrder, done: Done) {
  if (done.outcome !== "tripped") return { number: undefined, notes: [] };
  const { trip, before, route } = done;
  try {
    const draft = tripRecordOf({ kind: "abort", application: where.application, stack, trip, before, route });
    const { number } = await appendRecord(api, where, draft);
    return { number, notes: [] };
  } catch (error) {
    return { number: undefined, notes: [`not in the ledger yet: ${reasonOf(error)}`] };
  }
}

type Done = Exclude<TripResult, { readonly outcome: "refused" }>;

function nextOf(colour: Colour, { stack = "STACK", colour: named }: AbortOrder, { trip, route }: Done): string {
  const { candidate } = route.told ?? {};
  const other = otherColour(colour);
  if (trip === undefined)
    return named === undefined
      ? `to take it off ${other}: golive rollout abort --now --stack ${stack} --colour ${other}`
      : "";
  return trip.colour === candidate
    ? `golive rollout abort --stack ${stack}, which writes candidateTraffic 0 and acknowledges this (a driver at work does so by itself)`
    : `golive pulumi config set --stack ${stack} golive:candidateTraffic 100, then golive pulumi up --stack ${stack}: that acknowledges it`;
}

/** The result for people. */
export function abortText({ outcome, colour, release, from, to, trip, record, notes, next }: Aborted): string {
  const show = (weights: Weights) => `blue ${round(weights.blue)}, green ${round(weights.green)}`;
  const lines =
    outcome === "idle"
      ? [`${colour} has no traffic: nothing was written${trip === undefined ? "" : `. ${trip}`}`]
      : [
          `${colour} gets no traffic any more: ${show(from)} -> ${show(to)}`,
          ...(release === undefined
            ? []
            : [
                `${release} has a tombstone: it climbs again after golive rollout clear ${release} --name WHO --reason WHY`,
              ]),
          ...(record === undefined ? [] : [`record ${record} of the ledger`]),
        ];
  return [...lines, ...notes, ...(next === "" ? [] : [`Next: ${next}`])].join("\n");
}

const round = (percent: number) => Math.round(percent * 10) / 10;

function asFailure(error: unknown): never {
  throw new Failure(`golive rollout abort: ${reasonOf(error)}`, 1, { cause: error });
}
