import { type Colour, otherColour } from "../applications/application.ts";
import { type Decision, type Desired, percent, type Refused, refuse } from "./decision.ts";
import { tryAgainText } from "./duration.ts";
import { soakLeft, soakLeftText, soakSeconds } from "./gate/soak.ts";
import type { Observed } from "./observed.ts";
import { cannotServe, liveRelease, notSettled, replicasChange } from "./pods.ts";
import { allow } from "./rules/allow.ts";
import { outdatedAdvice, refuseContract, refuseOutdated } from "./rules/contract.ts";
import { leapOf, refuseSpentOverride } from "./rules/exceptions.ts";
import { decideNewRoute } from "./rules/new-route.ts";
import { refuseOtherChanges } from "./rules/other-changes.ts";
import { refuseTombstone } from "./rules/tombstones.ts";
import { isTold, type Run, runOf } from "./run.ts";
import { named } from "./schema/migrations.ts";
import { tripAnnotation, tripSentence } from "./told.ts";

export type { Allowed, Decision, Desired, Move, Refused } from "./decision.ts";

/**
 * Whether a run may do what it was asked, judged from what is live (design rules 1 to 10; S0-63..66, S1-44..49, S3-43..50).
 * Pure: the program, the hooks, the tests and the model all ask this function.
 */
export function decide(observed: Observed, desired: Desired): Decision {
  const { route } = observed;
  if (!route) return decideNewRoute(observed, desired);
  if (!route.told)
    return refuse(
      "the HTTPRoute exists already, and golive did not make it (it has no golive/candidate annotation)",
      "delete it, or give this application another name",
    );
  const run = runOf(route, route.told, observed, desired);
  return (
    refuseTripped(run) ??
    refuseOutdated(desired, run.told, run.outdated) ??
    refuseTombstone(run) ??
    refuseContract(run) ??
    refuseOtherChanges(run) ??
    decideMove(run)
  );
}

/** Rule 7: after a trip, only 0 for that colour. */
function refuseTripped({ route, trip, weights, told, outdated }: Run): Refused | undefined {
  if (!trip || weights[trip.colour] === 0) return undefined;
  const other = otherColour(trip.colour);
  const release = told.releases[other];
  const isProven = release !== undefined && told.proven[other] === release;
  const isOutdated = release !== undefined && outdated.includes(release);
  // What is live already is only accepted, not sent.
  const canTakeAll = route.floor[other] === 100 || (!isOutdated && (trip.colour === told.candidate || isProven));
  return refuse(
    `${tripSentence(trip)} and would get ${weights[trip.colour]} %`,
    canTakeAll
      ? `acknowledge it first: candidate ${told.candidate}, candidateTraffic ${trip.colour === told.candidate ? 0 : 100}`
      : `${other} ${isOutdated ? `runs ${release}, from before a contract migration` : "was never proven at 100"}, so no run sends it everything: set the weights by hand, or remove the annotation ${tripAnnotation}`,
  );
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
  return refuseSoaking(run) ?? allow(run, "roles", undefined);
}

/** Rule 4: who switches gives up the way down to 0 by itself, so the last rung lasts as long as every other one. */
function refuseSoaking({ route, told, desired, observed }: Run): Refused | undefined {
  const { ladder, soakSpeed } = desired;
  if (soakSpeed === undefined) return undefined;
  const at = observed.at.getTime() / 1000;
  const steppedAt = route.changedAt && route.changedAt.getTime() / 1000;
  const soaking = { ladder, percent: 100, steppedAt, at, speed: soakSpeed };
  const [left, whole] = [soakLeft(soaking), soakSeconds(soaking)];
  if (left <= 0) return undefined;
  return refuse(
    `candidate ${told.candidate} -> ${desired.candidate} is held: ${soakLeftText({ left, whole, percent: 100 })}`,
    `${tryAgainText(left, observed.at)}; until then candidateTraffic 0 is one step away`,
  );
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
  const rescue =
    isTold(told, desired) &&
    to === told.candidateTraffic &&
    liveRelease(observed.colours[candidate]) === desired.releases[candidate]
      ? cannotServe(observed.colours[stable], desired, stable, outdated)
      : undefined;
  if (rescue !== undefined && !missing) return { ...allow(run, "up", candidate), rescue };
  if (route.edits.length > 0)
    return refuse(
      `${asked}, but someone edited the route by hand: ${route.edits.join("; ")}`,
      `accept the live value with candidateTraffic ${percent(from)} (if it is a rung), or go to any lower rung or 0`,
    );
  const next = desired.ladder.after(from);
  const lacks = cannotServe(observed.colours[stable], desired, stable, outdated);
  const leap = to === next ? undefined : leapOf(run, lacks);
  if (to !== next && leap === undefined) return refuseSpentOverride(run, asked) ?? refuseSkip(run, asked, next, lacks);
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
  // Where stable has no pods because somebody scaled it, that is why the step cannot wait.
  if (scaled && !desired.retired[stable] && leap === undefined)
    return refuse(
      `${asked} in the same run as a change of ${stable}'s replicas: ${scaled}`,
      `change replicas with candidateTraffic ${percent(from)} first (\`pulumi up --refresh\` undoes a hand-made scale)`,
    );
  return refuseSpentOverride(run, asked) ?? { ...allow(run, "up", candidate), ...(leap === undefined ? {} : { leap }) };
}

function refuseSkip({ desired, to }: Run, asked: string, next: number | undefined, lacks: string | undefined): Refused {
  const stable = otherColour(desired.candidate);
  return refuse(
    `${asked} skips a rung: the next is ${next} (or any lower value)`,
    lacks === undefined
      ? `set candidateTraffic ${next}`
      : `set candidateTraffic ${next}; as ${stable} cannot serve (${lacks}), golive:override {percent: ${to}, release, reason} lets it skip rungs`,
  );
}

const unreadyAdvice = (candidate: Colour, from: number) =>
  `run \`pulumi up\` with candidateTraffic ${percent(from)} until ${candidate} is ready, then step`;

const runsOutdated = ({ desired, outdated }: Run, colour: Colour) => outdated.includes(desired.releases[colour] ?? "");
