import { type Colour, otherColour } from "../../applications/application.ts";
import type { LiveRoute } from "../../rollout/observed.ts";
import { cannotTake } from "../../rollout/trip.ts";

/** What the guard watches: a release that it may take the traffic off. */
export interface Watched {
  readonly colour: Colour;
  /** Where the traffic goes when it is taken off. */
  readonly other: Colour;
  /** Which of the two the route calls the candidate. */
  readonly candidate: Colour;
  /** Largest percent that any rule gives it, live: a hand edit moves users, too. */
  readonly percent: number;
  readonly release: string | undefined;
  /** Any change of it begins a new watch: what was counted before says nothing of what is there now. */
  readonly id: string;
}

/**
 * The candidate while it has traffic; after the switch of roles the release that came up (C09), as long as one step leads back:
 * until the other colour is retired, gets another release, or is left behind by a contract migration. Undefined: the guard is
 * not armed.
 */
export function watchedOf(route: LiveRoute): Watched | undefined {
  const { told, exposure } = route;
  if (told === undefined) return undefined;
  const { candidate, releases } = told;
  const stable = otherColour(candidate);
  const colour = exposure[candidate] > 0 ? candidate : stable;
  const percent = exposure[colour];
  if (percent === 0) return undefined;
  if (colour === stable && cannotTake(route, told, candidate) !== undefined) return undefined;
  const release = releases[colour];
  const id = `${colour} ${percent} ${release} ${candidate}`;
  return { colour, other: otherColour(colour), candidate, percent, release, id };
}

/** The gate speaks of a candidate; after the switch of roles the colour that it means is one no more. */
export const reasonFor = ({ colour, candidate }: Watched, reason: string): string =>
  colour === candidate ? reason : `judged as the candidate that it was, ${reason}`;
