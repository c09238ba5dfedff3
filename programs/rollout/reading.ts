import type { Colour } from "../../applications/application.ts";
import { Ladder } from "../../rollout/ladder.ts";
import { openTrip, type RouteObject, readRoute } from "../../rollout/observed.ts";
import type { Weights } from "../../rollout/told.ts";

/** What the public route says of a rollout. */
export interface Reading {
  /** What the route was last told. */
  readonly candidate: Colour;
  readonly candidateTraffic: number;
  /** The largest percent that any rule of the live route gives to each colour. */
  readonly weights: Weights;
  /** When it was last written, in seconds since 1970; undefined: no field manager says. */
  readonly steppedAt: number | undefined;
  /** Index of the highest rung that the candidate's live traffic reached, from 1; 0 only without traffic. */
  readonly rung: number;
  readonly rungs: number;
  /** Minimum time on that rung in seconds; 0 without traffic. */
  readonly soakSeconds: number;
  /** A trip that nobody acknowledged yet. */
  readonly tripped: Readonly<Record<Colour, boolean>>;
  readonly retired: Readonly<Record<Colour, boolean>>;
}

/** What a live route says, or in one sentence why it says nothing. */
export function readingOf(object: RouteObject): Reading | string {
  const route = readRoute(object);
  const { told, exposure, changedAt } = route;
  if (told === undefined)
    return "the route has not the annotations of golive: somebody else made it, or took them away";
  const ladder = Ladder.parse(told.ladder);
  if (!(ladder instanceof Ladder)) return `the route's ladder cannot be read: ${ladder.join("; ")}`;
  const live = exposure[told.candidate];
  // From the live weight, not the told one: a hand edit moves users, too. A percent below the first rung is on it.
  const rung = live === 0 ? 0 : Math.max(1, ladder.rungs.filter(({ percent }) => percent <= live).length);
  const open = openTrip(route)?.colour;
  const both = (holds: (colour: Colour) => boolean) => ({ blue: holds("blue"), green: holds("green") });
  return {
    candidate: told.candidate,
    candidateTraffic: told.candidateTraffic,
    weights: exposure,
    steppedAt: changedAt && changedAt.getTime() / 1000,
    rung,
    rungs: ladder.rungs.length,
    soakSeconds: 60 * (ladder.rungs[rung - 1]?.soakMinutes ?? 0),
    tripped: both((colour) => colour === open),
    retired: both((colour) => told.retired.includes(colour)),
  };
}
