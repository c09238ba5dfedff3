import { otherColour } from "../../applications/application.ts";
import { percent, type Refused, refuse } from "../decision.ts";
import type { Run } from "../run.ts";
import { inPlaceAllows, inPlaceSpent } from "./exceptions.ts";

/** Rules 5, 8 and 9: changes of release, retirement and ladder, and what they may not be mixed with. */
export function refuseOtherChanges(run: Run): Refused | undefined {
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

function hoursSince(then: Date | undefined, now: Date): number {
  return then ? (now.getTime() - then.getTime()) / 3_600_000 : 0;
}
