import { type Colour, colours, otherColour } from "../applications/application.ts";
import { contractsOf, outdatedAdvice, outdatedByContract, refuseContract, refuseOutdated } from "./contract.ts";
import type { Ladder } from "./ladder.ts";
import { type Migration, named } from "./migrations.ts";
import type { Observed } from "./observed.ts";
import { cannotServe, liveRelease, notSettled, replicasChange } from "./pods.ts";
import { isTold, type Run, runOf } from "./run.ts";
import { type Told, tripAnnotation, type Weights, weightsOf } from "./told.ts";

/** What a run asks for, as plain values. */
export interface Desired {
  readonly candidate: Colour;
  /** 0 or a rung of `ladder`. */
  readonly candidateTraffic: number;
  readonly ladder: Ladder;
  /** Public path prefixes of the application: one rule of the route each. */
  readonly paths: readonly string[];
  /** Release id of each colour: it covers images, config and all that its pods see, except secrets and replicas. */
  readonly releases: Readonly<Record<Colour, string | undefined>>;
  readonly retired: Readonly<Record<Colour, boolean>>;
  /** Pods of each service that answers requests, when its colour is not retired. */
  readonly replicas: Readonly<Record<string, number>>;
  readonly inPlace: { readonly colour: Colour; readonly reason: string } | undefined;
  /** Hours that a colour keeps its pods after the route was last written. */
  readonly retireAfterHours: number;
  readonly migrations: {
    /** What this run applies, as far as the record of the schema is right. */
    readonly pending: readonly Migration[];
    /** The last contract migration that config asks for. */
    readonly contract: string | undefined;
  };
}

/** What kind of run this is. */
export type Move = "create" | "stay" | "up" | "down" | "return" | "roles" | "retire" | "ladder" | "contract";

export type Decision = Allowed | Refused;

export interface Allowed {
  readonly allowed: true;
  readonly move: Move;
  readonly weights: Weights;
  /** What the route is told now. */
  readonly told: Told;
  /** The colour that gets more traffic: its pods must be ready at the moment of writing. */
  readonly mustBeReady: Colour | undefined;
  /** What a reviewer should know about this run. */
  readonly notes: readonly string[];
}

export interface Refused {
  readonly allowed: false;
  readonly reason: string;
  /** What to do next. */
  readonly next: string;
}

const refuse = (reason: string, next: string): Refused => ({ allowed: false, reason, next });

/**
 * Whether a run may do what it was asked, judged from what is live (design rules 1 to 10; S0-63..66, S1-44..49, S3-43..50).
 * Pure: the program, the hooks, the tests and the model all ask this function.
 */
export function decide(observed: Observed, desired: Desired): Decision {
  const { route } = observed;
  if (!route) return decideCreate(observed, desired);
  if (!route.told)
    return refuse(
      "the HTTPRoute exists already, and golive did not make it (it has no golive/candidate annotation)",
      "delete it, or give this application another name",
    );
  const run = runOf(route, route.told, observed, desired);
  return (
    refuseTripped(run) ??
    refuseOutdated(desired, run.told, run.outdated) ??
    refuseContract(run) ??
    refuseOtherChanges(run) ??
    decideMove(run)
  );
}

/** Rule 1. */
function decideCreate(observed: Observed, desired: Desired): Decision {
  const stable = otherColour(desired.candidate);
  if (desired.candidateTraffic !== 0)
    return refuse(
      `candidateTraffic ${desired.candidateTraffic} on a new route: it starts at 0, all traffic on ${stable}`,
      `set candidateTraffic 0, then climb: the first rung is ${desired.ladder.after(0)}`,
    );
  if (!desired.releases[stable] || desired.retired[stable])
    return refuse(
      `${stable} would get all traffic of a new route, but it has ${desired.releases[stable] ? "been retired" : "no release"}`,
      `give ${stable} a release, or make it the candidate`,
    );
  const outdated = observed.schema?.outdated ?? [];
  const refused = refuseOutdated(desired, undefined, outdated) ?? refuseContractOnNewRoute(observed, desired);
  if (refused) return refused;
  return {
    allowed: true,
    move: "create",
    weights: weightsOf(desired.candidate, 0),
    told: {
      candidate: desired.candidate,
      candidateTraffic: 0,
      ladder: desired.ladder.toString(),
      paths: desired.paths,
      releases: desired.releases,
      proven: { blue: undefined, green: undefined, [stable]: desired.releases[stable] },
      retired: colours.filter((colour) => desired.retired[colour]),
      inPlace: undefined,
      corrected: undefined,
      acknowledged: undefined,
      outdated,
    },
    mustBeReady: undefined,
    // The engine may still have it in its state, and would then see nothing to create.
    notes: hasPods(observed)
      ? ["there is no route, but there are pods: if somebody deleted it, only `pulumi up --refresh` brings it back"]
      : [],
  };
}

/** An empty database (nothing recorded, no pods yet) gets all files in order; any other may have releases that need the old shape. */
function refuseContractOnNewRoute(observed: Observed, desired: Desired): Refused | undefined {
  const contracts = observed.schema || hasPods(observed) ? contractsOf(observed, desired) : [];
  if (contracts.length === 0) return undefined;
  return refuse(
    `golive:contract would run ${contracts.join(", ")} together with a new route, which does not know yet who has a live 100`,
    "remove golive:contract for now",
  );
}

const hasPods = (observed: Observed) => colours.some((colour) => Object.keys(observed.colours[colour]).length > 0);

/** Rule 7: after a trip, only 0 for that colour. */
function refuseTripped({ trip, weights, told, outdated }: Run): Refused | undefined {
  if (!trip || weights[trip.colour] === 0) return undefined;
  const other = otherColour(trip.colour);
  const release = told.releases[other];
  const isProven = release !== undefined && told.proven[other] === release;
  const isOutdated = release !== undefined && outdated.includes(release);
  return refuse(
    `${trip.colour} was tripped (${trip.reason}) and would get ${weights[trip.colour]} %`,
    !isOutdated && (trip.colour === told.candidate || isProven)
      ? `acknowledge it first: candidate ${told.candidate}, candidateTraffic ${trip.colour === told.candidate ? 0 : 100}`
      : `${other} ${isOutdated ? `runs ${release}, from before a contract migration` : "was never proven at 100"}, so no run sends it everything: set the weights by hand, or remove the annotation ${tripAnnotation}`,
  );
}

/** Rules 5, 8 and 9: changes of release, retirement and ladder, and what they may not be mixed with. */
function refuseOtherChanges(run: Run): Refused | undefined {
  const { route, desired, told, from, to, releasesChange, retirementChanges, ladderChanges } = run;
  const moving = run.direction !== "stay" && !run.rolesChange;
  for (const colour of releasesChange) {
    const live = route.exposure[colour];
    if (moving)
      return refuse(
        `the release of ${colour} changes (${told.releases[colour] ?? "none"} -> ${desired.releases[colour] ?? "none"}) in the same run as candidateTraffic ${percent(from)} -> ${to}`,
        live > 0
          ? `take the release change out of this run; ${colour} gets a new release at 0`
          : `change one thing at a time: keep candidateTraffic ${percent(from)} for the release, or keep the release for the step`,
      );
    if (live > 0 && !desired.releases[colour])
      return refuse(
        `${colour} serves ${percent(live)} % and would lose its release`,
        `keep its release until ${colour} is at 0`,
      );
    if (live > 0 && !inPlaceAllows(run, colour))
      return refuse(
        `the release of ${colour} changes (${told.releases[colour] ?? "none"} -> ${desired.releases[colour] ?? "none"}) while it serves ${percent(live)} %`,
        inPlaceSpent(run, colour)
          ? `this inPlace was spent on ${told.inPlace}; give a new reason, or release on ${otherColour(colour)}`
          : `release on the colour at 0, step ${colour} down to 0 first, or set inPlace {colour: ${colour}, reason}`,
      );
  }
  for (const colour of retirementChanges) {
    const retires = desired.retired[colour];
    const live = route.exposure[colour];
    if (retires && live > 0)
      return refuse(
        `${colour} would be retired while it serves ${percent(live)} %`,
        `only a colour at 0 can be retired: remove ${colour}.retired`,
      );
    if (moving || run.rolesChange || ladderChanges || releasesChange.length > 0)
      return refuse(
        `${colour} ${retires ? "is retired" : "gets its pods back"} in the same run as another change`,
        "retirement has a run of its own: make the other change before or after it",
      );
    if (retires) {
      const hours = hoursSince(route.changedAt, run.observed.at);
      if (hours < desired.retireAfterHours)
        return refuse(
          `${colour} would be retired ${hours.toFixed(1)} h after the route was last written; allowed after ${desired.retireAfterHours} h`,
          "keep it for a rollback until then: remove the retired flag",
        );
    }
  }
  if (ladderChanges) {
    const settled = from === 0 || from === 100;
    if (!settled || moving || run.rolesChange || releasesChange.length > 0)
      return refuse(
        `the ladder changes (${told.ladder} -> ${desired.ladder}) ${settled ? "in the same run as another change" : `at candidateTraffic ${percent(from)}`}`,
        "the ladder changes only at a live 0 or 100, in a run of its own",
      );
  }
  return undefined;
}

function decideMove(run: Run): Decision {
  if (run.rolesChange) return decideRoles(run);
  if (run.direction === "down") return decideDown(run);
  if (run.direction === "up") return decideUp(run);
  if (run.contracts.length > 0) return allow(run, "contract", undefined);
  const move = run.retirementChanges.length > 0 ? "retire" : run.ladderChanges ? "ladder" : "stay";
  return allow(run, move, undefined);
}

/** Rule 4. */
function decideRoles(run: Run): Decision {
  const { route, told, desired } = run;
  const live = route.exposure[told.candidate];
  if (live !== 100 || route.edits.length > 0 || desired.candidateTraffic !== 0)
    return refuse(
      `candidate ${told.candidate} -> ${desired.candidate} with candidateTraffic ${desired.candidateTraffic}, while ${told.candidate} has ${percent(live)} %`,
      live === 100 && route.edits.length === 0
        ? `roles switch without moving traffic: set candidate ${desired.candidate} and candidateTraffic 0`
        : `roles switch only at a live 100: keep candidate ${told.candidate} until then`,
    );
  // The switch marks this release as proven: it must be the one that climbed.
  if (run.releasesChange.includes(told.candidate))
    return refuse(
      `the release of ${told.candidate} changes in the same run as candidate ${told.candidate} -> ${desired.candidate}`,
      "change one thing at a time: switch the roles in a run of their own",
    );
  return allow(run, "roles", undefined);
}

/** Rule 3: ungated, from any state, as long as the other colour can serve. */
function decideDown(run: Run): Decision {
  const { desired, from, to, observed, outdated } = run;
  const stable = otherColour(desired.candidate);
  const missing = cannotServe(observed.colours[stable], desired, stable, outdated);
  if (missing)
    return refuse(
      `candidateTraffic ${percent(from)} -> ${to} would send users to ${stable}, which cannot serve: ${missing}`,
      runsOutdated(run, stable)
        ? `${outdatedAdvice(stable)}; candidateTraffic stays as it is until then`
        : `restore ${stable} first (its release, its pods), with candidateTraffic as it is`,
    );
  return allow(run, "down", stable);
}

/** Rules 2 and 6. */
function decideUp(run: Run): Decision {
  const { route, told, desired, from, to, observed, outdated } = run;
  const { candidate } = desired;
  const asked = `candidateTraffic ${percent(from)} -> ${to}`;
  const missing = cannotServe(observed.colours[candidate], desired, candidate, outdated);
  const proven = desired.releases[candidate] !== undefined && told.proven[candidate] === desired.releases[candidate];
  const isReturn = to === 100 && proven && liveRelease(observed.colours[candidate]) === desired.releases[candidate];
  const cannot = () =>
    refuse(
      `${asked}, but ${candidate} cannot serve: ${missing}`,
      runsOutdated(run, candidate) ? outdatedAdvice(candidate) : unreadyAdvice(candidate, from),
    );
  if (isReturn) return missing ? cannot() : allow(run, "return", candidate);
  const stable = otherColour(candidate);
  // A hand edit that leans on a colour that cannot serve protects nobody, and there is no other way out of it.
  const isRescue =
    isTold(told, desired) &&
    to === told.candidateTraffic &&
    liveRelease(observed.colours[candidate]) === desired.releases[candidate] &&
    cannotServe(observed.colours[stable], desired, stable, outdated) !== undefined;
  if (isRescue && !missing) return allow(run, "up", candidate);
  if (route.edits.length > 0)
    return refuse(
      `${asked}, but someone edited the route by hand: ${route.edits.join("; ")}`,
      `accept the live value with candidateTraffic ${percent(from)} (if it is a rung), or go to any lower rung or 0`,
    );
  const next = desired.ladder.after(from);
  if (to !== next)
    return refuse(`${asked} skips a rung: the next is ${next} (or any lower value)`, `set candidateTraffic ${next}`);
  if (missing) return cannot();
  const { pending } = desired.migrations;
  if (pending.length > 0)
    return refuse(
      `${asked} in the same run as pending migrations: ${named(pending)}`,
      `apply them with candidateTraffic ${percent(from)} first, then step`,
    );
  const unsettled = notSettled(observed.colours[candidate], desired, candidate);
  if (unsettled)
    return refuse(`${asked}, but the pods of ${candidate} are not ready: ${unsettled}`, unreadyAdvice(candidate, from));
  const scaled = replicasChange(observed.colours[stable], desired);
  if (scaled && !desired.retired[stable])
    return refuse(
      `${asked} in the same run as a change of ${stable}'s replicas: ${scaled}`,
      `change replicas with candidateTraffic ${percent(from)} first (\`pulumi up --refresh\` undoes a hand-made scale)`,
    );
  return allow(run, "up", candidate);
}

const unreadyAdvice = (candidate: Colour, from: number) =>
  `run \`pulumi up\` with candidateTraffic ${percent(from)} until ${candidate} is ready, then step`;

const runsOutdated = ({ desired, outdated }: Run, colour: Colour) => outdated.includes(desired.releases[colour] ?? "");

function allow(run: Run, move: Move, mustBeReady: Colour | undefined): Allowed {
  const { told, desired, route, trip } = run;
  const notes: string[] = [];
  const stable = otherColour(desired.candidate);
  const left = move === "contract" ? outdatedByContract(run) : [];
  for (const colour of run.releasesChange)
    if (
      told.proven[colour] !== undefined &&
      told.proven[colour] === told.releases[colour] &&
      !run.outdated.includes(told.proven[colour])
    )
      notes.push(`this gives up the return to ${colour} ${told.releases[colour]} in one step`);
  if (route.edits.length > 0) notes.push(`overwrites a hand edit: ${route.edits.join("; ")}`);
  if (trip) notes.push(`acknowledges the trip of ${trip.colour}: ${trip.reason}`);
  const spends = run.releasesChange.find((colour) => route.exposure[colour] > 0);
  if (spends) notes.push(`changes ${spends} in place: ${desired.inPlace?.reason}`);
  if (move === "contract")
    notes.push(
      `point of no return: ${run.contracts.join(", ")}; ${left.length > 0 ? `can never serve again: ${left.join(", ")}` : "no other release is known"}`,
    );
  return {
    allowed: true,
    move,
    weights: run.weights,
    told: {
      candidate: desired.candidate,
      candidateTraffic: run.to,
      ladder: desired.ladder.toString(),
      paths: desired.paths,
      releases: desired.releases,
      proven: move === "roles" ? { ...told.proven, [stable]: desired.releases[stable] } : told.proven,
      retired: colours.filter((colour) => desired.retired[colour]),
      inPlace: spends ? inPlaceKey(run, spends) : told.inPlace,
      corrected: route.edits.length > 0 ? `generation ${route.generation}: ${route.edits.join("; ")}` : told.corrected,
      acknowledged: trip ? trip.id : told.acknowledged,
      outdated: [...run.outdated, ...left],
    },
    mustBeReady,
    notes,
  };
}

const inPlaceKey = ({ desired }: Run, colour: Colour) =>
  `${colour} ${desired.releases[colour]} ${desired.inPlace?.reason}`;

/** The reason was used before, for whatever release: an exception is granted once. */
const inPlaceSpent = ({ told, desired }: Run, colour: Colour) =>
  desired.inPlace?.colour === colour &&
  told.inPlace?.startsWith(`${colour} `) === true &&
  told.inPlace.endsWith(` ${desired.inPlace.reason}`);

const inPlaceAllows = (run: Run, colour: Colour) =>
  run.desired.inPlace?.colour === colour && !inPlaceSpent(run, colour);

function hoursSince(then: Date | undefined, now: Date): number {
  return then ? (now.getTime() - then.getTime()) / 3_600_000 : 0;
}

const percent = (value: number) => `${Math.round(value * 10) / 10}`;
