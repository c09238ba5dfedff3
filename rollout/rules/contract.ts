import { type Colour, colours, otherColour } from "../../applications/application.ts";
import type { Desired, Refused } from "../decision.ts";
import type { LiveService, Observed } from "../observed.ts";
import { notSettled } from "../pods.ts";
import type { Run } from "../run.ts";
import { type Told, type Weights, weightsOf } from "../told.ts";

/**
 * Names of the contract migrations that this run may apply to a database with data in it. Without a record of the schema the
 * plan takes the database for an empty one, where all files run in order and no release is left behind; but the record may
 * only be lost, and then the runner goes by its ledger: it applies what config asks for.
 */
export function contractsOf({ schema }: Observed, { migrations }: Desired): readonly string[] {
  const { pending, contract } = migrations;
  const names = pending.filter(({ phase }) => phase === "contract").map(({ name }) => name);
  if (schema !== undefined && schema.applied.length > 0) return names;
  return contract === undefined ? [] : names.slice(0, names.indexOf(contract) + 1);
}

/** Contract migrations run alone, with all traffic on one colour and the other one asleep (design section 6). */
export function refuseContract(run: Run): Refused | undefined {
  if (run.contracts.length === 0) return undefined;
  const missing = missingForContract(run);
  if (missing.length === 0) return undefined;
  return {
    allowed: false,
    reason: `golive:contract would run ${run.contracts.join(", ")}, which older releases do not survive: ${missing.join("; ")}`,
    next: "remove golive:contract for now; set it when one colour has a live 100 and the other is retired, in a run of its own",
  };
}

function missingForContract(run: Run): readonly string[] {
  const { route, told, desired, observed } = run;
  const missing = [...otherChanges(run)];
  if (route.edits.length > 0) missing.push(`someone edited the route by hand (${route.edits.join("; ")})`);
  const full = fullColour(run);
  if (!full) {
    const { blue, green } = weightsOf(told.candidate, told.candidateTraffic);
    return [...missing, `no colour has a live 100 that it was told (told: blue ${blue}, green ${green})`];
  }
  const unready = notSettled(observed.colours[full], desired, full);
  if (unready) missing.push(`the pods of ${full} are not ready: ${unready}`);
  const idle = otherColour(full);
  if (told.releases[idle] !== undefined && !told.retired.includes(idle)) missing.push(`${idle} was not retired before`);
  const awake = podsLeft(observed, weightsOf(full, 100));
  return awake ? [...missing, awake] : missing;
}

/** That a colour without traffic still has pods, or undefined. */
export function podsLeft({ colours: live }: Observed, weights: Weights): string | undefined {
  const awake = ({ replicas, settled }: LiveService) => replicas > 0 || !settled;
  for (const colour of colours.filter((each) => weights[each] === 0)) {
    const services = Object.entries(live[colour]).flatMap(([service, state]) => (awake(state) ? [service] : []));
    if (services.length > 0) return `${colour} still has pods of ${services.join(", ")}`;
  }
  return undefined;
}

/** The colour that has a live 100 in each rule, and was told so. */
function fullColour({ route, told }: Run): Colour | undefined {
  const weights = weightsOf(told.candidate, told.candidateTraffic);
  return colours.find((colour) => weights[colour] === 100 && route.floor[colour] === 100);
}

function otherChanges(run: Run): readonly string[] {
  const { told, desired } = run;
  const changes = [
    ...run.releasesChange.map((colour) => `the release of ${colour} changes`),
    ...run.retirementChanges.map((colour) =>
      desired.retired[colour] ? `${colour} is retired` : `${colour} gets its pods back`,
    ),
    ...(run.ladderChanges ? ["the ladder changes"] : []),
    ...(run.rolesChange
      ? [`candidate ${told.candidate} -> ${desired.candidate}`]
      : run.direction === "stay"
        ? []
        : [`candidateTraffic ${told.candidateTraffic} -> ${run.to}`]),
  ];
  return changes.map((change) => `${change} in the same run`);
}

/** The releases that this run's contract migrations make unable to serve: all that are known but the one at 100. */
export function outdatedByContract({ told, desired, observed, outdated, weights }: Run): readonly string[] {
  const known = colours.flatMap((colour) => [
    desired.releases[colour],
    told.releases[colour],
    told.proven[colour],
    ...Object.values(observed.colours[colour]).map(({ release }) => release),
  ]);
  const serving = colours.filter((colour) => weights[colour] === 100).map((colour) => desired.releases[colour]);
  const kept = new Set([undefined, ...serving, ...outdated]);
  return [...new Set(known)].flatMap((release) => (kept.has(release) || release === undefined ? [] : [release]));
}

/** No run starts pods of a release from before a contract migration: they could not serve (rules 3 and 6). */
export function refuseOutdated(
  desired: Desired,
  told: Told | undefined,
  outdated: readonly string[],
): Refused | undefined {
  const starts = (colour: Colour) =>
    !desired.retired[colour] &&
    !(told && told.releases[colour] === desired.releases[colour] && !told.retired.includes(colour));
  for (const colour of colours) {
    const release = desired.releases[colour];
    if (release !== undefined && outdated.includes(release) && starts(colour))
      return {
        allowed: false,
        reason: `${colour} would run ${release}, a release from before a contract migration: it can never serve again`,
        next: outdatedAdvice(colour),
      };
  }
  return undefined;
}

/** How a colour gets out of an outdated release. */
export const outdatedAdvice = (colour: Colour) =>
  `give ${colour} a new release, made for the schema as it is (while it is retired, or at 0); then its pods, then traffic`;
