import type { Colour } from "../../applications/application.ts";
import type { Allowed, Move } from "../decide.ts";
import type { Asked } from "../gate/measured.ts";
import type { Verdict } from "../gate/verdict.ts";
import type { LiveRoute, Observed } from "../observed.ts";
import type { Told, Trip, Weights } from "../told.ts";
import { canonicalJson, type Kind, type LedgerRecord, type RecordDraft, sha256 } from "./record.ts";

/** A run of `pulumi up` as far as its record needs it. */
export interface RecordedRun {
  readonly application: string;
  readonly stack: string;
  /** What was live when it began. */
  readonly observed: Pick<Observed, "route">;
  readonly decision: Pick<Allowed, "move" | "weights" | "told" | "notes">;
  readonly who: string;
  readonly commit: string;
  /** What the gate said and was told; absent where it was not asked (a way down). */
  readonly verdict?: Verdict | undefined;
  readonly queries?: readonly Asked[] | undefined;
  /** Why neither soak nor gate held it, where this run spent an override. */
  readonly override?: string | undefined;
}

/** What a run tells the route, as one hash: the preview that was reviewed and the `up` that ran had the same. */
export function planHash({ move, weights, told }: Pick<Allowed, "move" | "weights" | "told">): string {
  return sha256(canonicalJson({ move, weights, told }));
}

/** The record of a run that has written the route. */
export function recordOf(run: RecordedRun): RecordDraft {
  const { decision, observed, override } = run;
  return {
    ...common(run),
    kind: override === undefined ? decision.move : "override",
    from: observed.route?.exposure,
    to: decision.weights,
    reason: [
      whatMoved(observed.route, decision),
      ...changedReleases(observed.route?.told, decision.told),
      // They say why, where something was overridden or changed in place.
      ...decision.notes,
    ].join("; "),
  };
}

/** The record of a run that was held at the last moment: the route is as it was, `to` is what was asked. */
export function refusedOf(run: RecordedRun, reason: string): RecordDraft {
  const { decision, observed } = run;
  const told = observed.route?.told;
  return {
    ...common(run),
    kind: "refused",
    // What runs, not what was asked for: nothing was changed.
    releases: told?.releases ?? decision.told.releases,
    from: observed.route?.exposure,
    to: decision.weights,
    reason: `${whatMoved(observed.route, decision)}: ${reason}`,
  };
}

/**
 * The record that is missing: the live route is not where the ledger left it, because a run was killed between the route and
 * the ledger, a trip could not write, or somebody edited it. Undefined: nothing is missing.
 */
export function missingOf(
  records: readonly LedgerRecord[],
  route: LiveRoute | undefined,
  finder: Pick<RecordDraft, "application" | "stack" | "who">,
): RecordDraft | undefined {
  if (!route?.told) return undefined;
  const { told, exposure, trip, changedAt } = route;
  const last = records.findLast(({ kind }) => writesRoute(kind));
  if (last && sameWeights(last.to, exposure) && sameReleases(last, told)) return undefined;
  const tripped = trip && exposure[trip.colour] === 0 && last?.to[trip.colour] !== 0 ? trip : undefined;
  const found = { ...finder, candidate: told.candidate, from: last?.to, to: exposure, releases: told.releases };
  // As whoever tripped would have written it: they look for it by its reason.
  if (last && tripped) return { ...found, kind: "trip", who: tripped.by ?? finder.who, reason: tripped.reason };
  const what = last
    ? `the route was written after record ${last.number}, and whoever did could not write it down`
    : "the ledger begins here";
  const when = changedAt === undefined ? "" : ` (the route was last written ${changedAt.toISOString()})`;
  return { ...found, kind: "found", reason: `${what}${when}` };
}

/** The record of a trip that was written: by the guard, or by `golive rollout abort --now`. */
export function tripRecordOf(done: {
  readonly kind: "trip" | "abort";
  readonly application: string;
  readonly stack?: string | undefined;
  readonly trip: Trip;
  /** The route before and after; undefined: another one tripped, and did not live to say what it saw. */
  readonly before: LiveRoute | undefined;
  readonly route: LiveRoute;
  readonly verdict?: Verdict | undefined;
  readonly queries?: readonly Asked[] | undefined;
}): RecordDraft {
  const { kind, application, stack, trip, before, route, verdict, queries } = done;
  return {
    ...{ kind, application, stack, verdict, queries },
    candidate: route.told?.candidate ?? trip.colour,
    from: before?.exposure,
    to: route.exposure,
    releases: route.told?.releases ?? {},
    who: trip.by ?? "unknown",
    reason: trip.reason,
  };
}

/** Records that leave the route as it was. */
const aside = ["refused", "preflight", "start", "finish", "pause", "resume", "clear"] as const;
const writesRoute = (kind: Kind) => !aside.some((each) => each === kind);

/** A record of something that leaves the route as it is: who does it, and why. */
export function asideOf(
  route: LiveRoute,
  said: Pick<RecordDraft, "application" | "stack" | "who" | "commit" | "reason" | "verdict" | "queries"> & {
    readonly kind: Exclude<(typeof aside)[number], "refused">;
  },
): RecordDraft {
  const { told, exposure } = route;
  return {
    ...said,
    candidate: told?.candidate ?? "green",
    from: exposure,
    to: exposure,
    releases: told?.releases ?? {},
  };
}

const common = ({ application, stack, decision, who, commit, verdict, queries }: RecordedRun) => ({
  application,
  stack,
  candidate: decision.told.candidate,
  releases: decision.told.releases,
  who,
  commit,
  plan: planHash(decision),
  verdict,
  queries,
});

const words: Readonly<Record<Move, string>> = {
  create: "the route was made",
  stay: "no traffic moved",
  up: "up",
  down: "down",
  return: "returned to the release before",
  roles: "roles switched",
  retire: "retirement changed",
  ladder: "ladder changed",
  contract: "contract migration",
};

function whatMoved(route: LiveRoute | undefined, { move, told }: Pick<Allowed, "move" | "told">): string {
  const { candidate, candidateTraffic: to } = told;
  const from = route?.exposure[candidate];
  if (move === "roles") return `${words.roles}: candidate ${route?.told?.candidate ?? "?"} -> ${candidate}`;
  if (move === "create" || from === undefined) return `${words[move]}: candidate ${candidate} at ${to} %`;
  return from === to ? words[move] : `${words[move]}: candidate ${candidate} ${round(from)} -> ${to} %`;
}

function changedReleases(before: Told | undefined, now: Told): readonly string[] {
  const changed = (colour: Colour) =>
    before && before.releases[colour] !== now.releases[colour]
      ? [`release of ${colour} ${before.releases[colour] ?? "none"} -> ${now.releases[colour] ?? "none"}`]
      : [];
  return [...changed("blue"), ...changed("green")];
}

const sameWeights = (a: Weights, b: Weights) => a.blue === b.blue && a.green === b.green;
const sameReleases = ({ releases, candidate }: LedgerRecord, told: Told) =>
  candidate === told.candidate && releases.blue === told.releases.blue && releases.green === told.releases.green;
const round = (percent: number) => Math.round(percent * 10) / 10;
