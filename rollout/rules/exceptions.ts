import type { Colour } from "../../applications/application.ts";
import { type Refused, refuse } from "../decision.ts";
import type { Run } from "../run.ts";
import { overrideFor, overrideKey } from "./override.ts";

// What config grants once: `inPlace` and `override`. The route remembers which one was spent last, so that a value that
// somebody forgot in config does not work a second time.

/** How the route remembers an in-place change of a colour. */
export const inPlaceKey = ({ desired }: Run, colour: Colour) =>
  `${colour} ${desired.releases[colour]} ${desired.inPlace?.reason}`;

/** The reason was used before, for whatever release. */
export const inPlaceSpent = ({ told, desired }: Run, colour: Colour) =>
  desired.inPlace?.colour === colour &&
  told.inPlace?.startsWith(`${colour} `) === true &&
  told.inPlace.endsWith(` ${desired.inPlace.reason}`);

export const inPlaceAllows = (run: Run, colour: Colour) =>
  run.desired.inPlace?.colour === colour && !inPlaceSpent(run, colour);

/** The key of the override that lets this step up off soak and gate; undefined: config has none for it, or it was spent. */
export const overrideKeyOf = ({ desired: { override }, to, told }: Run): string | undefined =>
  override && overrideFor(to, override, told.override) === "granted" ? overrideKey(override) : undefined;

/**
 * Why a step up may skip rungs: what the other colour lacks (`lacks`), where config has an override for this step. While one
 * colour cannot serve, small steps only mean that most users wait longer.
 */
export const leapOf = (run: Run, lacks: string | undefined): string | undefined =>
  overrideKeyOf(run) === undefined ? undefined : lacks;

/** A step up with an override that an earlier one spent: was it meant again, or forgotten? */
export function refuseSpentOverride({ desired: { override }, to, told }: Run, asked: string): Refused | undefined {
  if (overrideFor(to, override, told.override) !== "spent") return undefined;
  return refuse(
    `${asked} with golive:override ${to}, which was spent before (${override?.reason})`,
    "remove golive:override, and the gate decides; or give it a new reason",
  );
}
