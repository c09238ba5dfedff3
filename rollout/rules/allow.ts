import { type Colour, colours, otherColour } from "../../applications/application.ts";
import type { Allowed, Move } from "../decision.ts";
import type { Run } from "../run.ts";
import { outdatedByContract } from "./contract.ts";
import { inPlaceKey, overrideKeyOf } from "./exceptions.ts";
import { tombstoneNote } from "./tombstones.ts";

/** The answer to a run that no rule refuses: what the route is told, and what a reviewer should know. */
export function allow(run: Run, move: Move, mustBeReady: Colour | undefined): Allowed {
  const { told, desired, route, trip } = run;
  const notes: string[] = [];
  const override = move === "up" ? overrideKeyOf(run) : undefined;
  const stable = otherColour(desired.candidate);
  const left = move === "contract" ? outdatedByContract(run) : [];
  for (const colour of run.releasesChange)
    if (
      told.proven[colour] !== undefined &&
      told.proven[colour] === told.releases[colour] &&
      !run.outdated.includes(told.proven[colour])
    )
      notes.push(`this gives up the return to ${colour} ${told.releases[colour]} in one step`);
  if (route.edits.length > 0 && !isTripsOwn(run)) notes.push(`overwrites a hand edit: ${route.edits.join("; ")}`);
  if (trip) notes.push(`acknowledges the trip of ${trip.colour}: ${trip.reason}`);
  const spends = run.releasesChange.find((colour) => route.exposure[colour] > 0);
  if (spends) notes.push(`changes ${spends} in place: ${desired.inPlace?.reason}`);
  if (override !== undefined) notes.push(`neither soak nor gate hold this step: ${desired.override?.reason}`);
  const back = tombstoneNote(run);
  if (back !== undefined) notes.push(back);
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
      override: override ?? told.override,
      corrected: route.edits.length > 0 ? `generation ${route.generation}: ${route.edits.join("; ")}` : told.corrected,
      acknowledged: trip ? trip.id : told.acknowledged,
      outdated: [...run.outdated, ...left],
    },
    mustBeReady,
    ...(override === undefined ? {} : { override: desired.override?.reason ?? "" }),
    notes,
  };
}

/** What a trip itself makes of the route differs from what was told, too; no hand did that. */
const isTripsOwn = ({ trip, route }: Run): boolean =>
  trip !== undefined && route.exposure[trip.colour] === 0 && route.floor[otherColour(trip.colour)] === 100;
