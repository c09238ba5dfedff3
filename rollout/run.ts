import { type Colour, colours, otherColour } from "../applications/application.ts";
import type { Desired } from "./decision.ts";
import { type LiveRoute, type Observed, openTrip } from "./observed.ts";
import { liveRelease } from "./pods.ts";
import { contractsOf } from "./rules/contract.ts";
import { type Told, type Trip, type Weights, weightsOf } from "./told.ts";

/** One run, with what the rules ask of it worked out once. */
export interface Run {
  readonly observed: Observed;
  readonly route: LiveRoute;
  readonly told: Told;
  readonly desired: Desired;
  /** Live and wanted percent of the wanted candidate. */
  readonly from: number;
  readonly to: number;
  readonly direction: "up" | "down" | "stay";
  readonly weights: Weights;
  /** A trip that nobody acknowledged yet. */
  readonly trip: Trip | undefined;
  readonly rolesChange: boolean;
  readonly ladderChanges: boolean;
  readonly releasesChange: readonly Colour[];
  readonly retirementChanges: readonly Colour[];
  /** Names of the contract migrations that it may apply to a database with data. */
  readonly contracts: readonly string[];
  /** Releases that can never serve again. */
  readonly outdated: readonly string[];
}

/** Compares what is asked for with what is live and what the route was told. */
export function runOf(route: LiveRoute, told: Told, observed: Observed, desired: Desired): Run {
  const direction = directionOf(route, told, desired);
  return {
    observed,
    route,
    told,
    desired,
    // Where rules differ (a hand edit), a way up starts at the least that any rule gives, a way down at the most.
    from: direction === "up" ? route.floor[desired.candidate] : route.exposure[desired.candidate],
    to: desired.candidateTraffic,
    direction,
    weights: weightsOf(desired.candidate, desired.candidateTraffic),
    trip: openTrip(route),
    rolesChange: told.candidate !== desired.candidate,
    ladderChanges: told.ladder !== desired.ladder.toString(),
    // Not a change when the pods run it already: a killed run is only finished.
    releasesChange: colours.filter(
      (colour) =>
        desired.releases[colour] !== told.releases[colour] &&
        (desired.releases[colour] === undefined || desired.releases[colour] !== liveRelease(observed.colours[colour])),
    ),
    retirementChanges: colours.filter((colour) => desired.retired[colour] !== told.retired.includes(colour)),
    contracts: contractsOf(observed, desired),
    outdated: [...new Set([...told.outdated, ...(observed.schema?.outdated ?? [])])],
  };
}

/**
 * Judged from the live weights: a rise of the candidate in any rule is a way up. Except where a foreign backend, or nobody,
 * got what the route was told to give to the same release, and no rule gives stable more than it keeps: that is restored.
 */
function directionOf({ exposure, floor }: LiveRoute, told: Told, desired: Desired): Run["direction"] {
  const { candidate, candidateTraffic: to } = desired;
  const stable = otherColour(candidate);
  const isRestored = to <= told.candidateTraffic && to <= 100 - exposure[stable] && isTold(told, desired);
  if (to > floor[candidate] && !isRestored) return "up";
  if (to < exposure[candidate]) return "down";
  return 100 - to > floor[stable] && !(isTold(told, desired) && to === told.candidateTraffic) ? "down" : "stay";
}

/** The candidate and its release are those that the route was last told. */
export const isTold = (told: Told, desired: Desired) =>
  told.candidate === desired.candidate && told.releases[desired.candidate] === desired.releases[desired.candidate];
