import { decide } from "../decide.ts";
import type { Decision, Desired, Refused } from "../decision.ts";
import type { Verdict } from "../gate/verdict.ts";
import { type LiveRoute, type Observed, openTrip } from "../observed.ts";
import { notSettled } from "../pods.ts";
import { runOf } from "../run.ts";
import { type Told, tripSentence } from "../told.ts";
import type { WalkState } from "./walk.ts";

/** What a walk is judged by; `desired` is what the stack's file asks for now. */
export interface WalkFacts {
  readonly observed: Observed;
  readonly desired: Desired;
  readonly goal: number;
  readonly paused: string | undefined;
  /** Why no run may start with this file, whatever its traffic; undefined: `decide` is asked. */
  readonly refused?: Refused | undefined;
  readonly soakLeftSeconds: number;
  readonly verdict: Verdict;
}

/** Where a walk stands, by the same rules that a run is decided by. */
export function walkStateOf(facts: WalkFacts): WalkState {
  const { observed, desired, goal, paused, soakLeftSeconds, verdict } = facts;
  const { route, colours } = observed;
  const { candidate, ladder, candidateTraffic } = desired;
  const live = route?.exposure[candidate];
  const trip = route && openTrip(route);
  const decision = live === undefined ? undefined : nextDecision(observed, desired, live, goal);
  return {
    ladder,
    goal,
    written: candidateTraffic,
    live,
    trip: trip?.colour === candidate ? tripSentence(trip) : undefined,
    edits: route?.edits ?? [],
    paused,
    unsettled: route?.told && unsettledOf(observed, route, route.told, desired),
    ready: notSettled(colours[candidate], desired, candidate) === undefined,
    refused: facts.refused ?? (decision?.allowed === false ? decision : undefined),
    override: decision?.allowed ? decision.override : undefined,
    soakLeftSeconds,
    verdict,
  };
}

/** Of the next rung, or at the goal of staying there. */
function nextDecision(observed: Observed, desired: Desired, live: number, goal: number): Decision {
  const to = live < goal ? (desired.ladder.after(live) ?? live) : live;
  return decide(observed, { ...desired, candidateTraffic: to });
}

/** What a run of this file would change beside the traffic: it needs a run of its own before the next step. */
function unsettledOf(observed: Observed, route: LiveRoute, told: Told, desired: Desired): string | undefined {
  const { exposure } = route;
  const staying = { ...desired, candidateTraffic: exposure[desired.candidate] };
  const { rolesChange, releasesChange, retirementChanges, ladderChanges } = runOf(route, told, observed, staying);
  const { candidate, releases, ladder, retired, migrations } = desired;
  const release = releases[candidate];
  const others = Object.keys(desired.replicas).filter(
    (service) => release !== undefined && observed.colours[candidate][service]?.release !== release,
  );
  const changes = [
    ...(rolesChange ? [`the candidate changes (${told.candidate} -> ${candidate})`] : []),
    ...releasesChange.map(
      (colour) =>
        `the release of ${colour} changes (${told.releases[colour] ?? "none"} -> ${releases[colour] ?? "none"})`,
    ),
    ...retirementChanges.map((colour) => `${colour} ${retired[colour] ? "is retired" : "gets its pods back"}`),
    ...(ladderChanges ? [`the ladder changes (${told.ladder} -> ${ladder})`] : []),
    ...migrations.pending.map(({ name, phase }) => `pending: ${name} (${phase})`),
    ...(releasesChange.includes(candidate)
      ? []
      : others.map((service) => `${service} of ${candidate} does not run ${release} yet`)),
  ];
  return changes.length > 0 ? changes.join("; ") : undefined;
}
