import type { Refused } from "../decision.ts";
import type { Verdict } from "../gate/verdict.ts";
import type { Ladder } from "../ladder.ts";

/**
 * Where a walk up the ladder stands: all of it is read from the cluster and from the stack's file, so that any driver goes on
 * where another one died. Percents are of the candidate that the file names.
 */
export interface WalkState {
  readonly ladder: Ladder;
  /** The rung where the walk ends. */
  readonly goal: number;
  /** `candidateTraffic` in the stack's file. */
  readonly written: number;
  /** The most that any rule of the route gives to the candidate; undefined: there is no route yet. */
  readonly live: number | undefined;
  /** Why the candidate was tripped, when no run has acknowledged it. */
  readonly trip: string | undefined;
  /** How the live rules differ from what the route was told. */
  readonly edits: readonly string[];
  /** Who paused the walk, and why. */
  readonly paused: string | undefined;
  /** What the file asks for beside traffic and is not live yet. */
  readonly unsettled: string | undefined;
  /** Every pod of the candidate is ready, on the release of the file. */
  readonly ready: boolean;
  /** What `decide` has against the next rung, or at the goal against staying there. */
  readonly refused: Refused | undefined;
  /** Why neither soak nor gate hold the next rung, where config grants that once. */
  readonly override: string | undefined;
  /** Seconds that the rung still has to last. */
  readonly soakLeftSeconds: number;
  readonly verdict: Verdict;
}

export type Action =
  /** Run `pulumi up` with the file at this percentage, and go on. */
  | { readonly kind: "settle"; readonly to: number; readonly reason: string }
  /** One rung up. */
  | { readonly kind: "step"; readonly from: number; readonly to: number }
  /** Nothing to do for so many seconds, at a guess. */
  | { readonly kind: "wait"; readonly for: Obstacle; readonly seconds: number; readonly reason: string }
  /** Take the candidate's traffic away at once, and give its release a tombstone. */
  | { readonly kind: "trip"; readonly reason: string }
  /** It was tripped: the file and the state follow. The walk ends. */
  | { readonly kind: "acknowledge"; readonly from: number; readonly reason: string }
  /** The file asks for less than is live: that is done, and the walk ends. */
  | { readonly kind: "lower"; readonly from: number; readonly to: number; readonly reason: string }
  | { readonly kind: "done"; readonly live: number; readonly reason: string }
  | { readonly kind: "refuse"; readonly reason: string; readonly next: string };

/** What a walk waits for. */
export type Obstacle = "soak" | "gate" | "pods" | "resume";

/** Seconds until a gate that cannot say when is asked again. */
const askAgainSeconds = 15;

/**
 * What a driver does next. Ways down come first: nothing that is asked for, paused or refused may keep a release that fails.
 * Pure, so that a walk which was killed anywhere goes on from what is live as if nothing had happened.
 */
export function nextAction(state: WalkState): Action {
  const { live, written } = state;
  if (live === undefined) return { kind: "settle", to: 0, reason: "there is no route yet" };
  return waysDown(state, live) ?? obstacles(state, live) ?? onwards(state, live, written);
}

function waysDown({ trip, written, verdict }: WalkState, live: number): Action | undefined {
  if (trip !== undefined) return { kind: "acknowledge", from: Math.max(written, live), reason: trip };
  // With 0 in the file already, no trip was possible, and an `up` is the way that is left.
  if (live > 0 && verdict.outcome === "rollback" && written > 0) return { kind: "trip", reason: verdict.reason };
  if (written < live)
    return {
      kind: "lower",
      from: live,
      to: written,
      reason: `candidateTraffic is ${written} in the stack's file, and ${shown(live)} is live`,
    };
  return undefined;
}

/** What has to be put right, or waited for, before anything else. */
function obstacles(state: WalkState, live: number): Action | undefined {
  const { edits, paused, unsettled, refused, ready, ladder } = state;
  if (edits.length > 0)
    return {
      kind: "refuse",
      reason: `someone edited the route by hand: ${edits.join("; ")}`,
      next: ladder.allows(live)
        ? `accept the live value with golive rollout step ${live}, or go down: golive rollout step 0`
        : "go down: golive rollout step 0",
    };
  if (paused !== undefined)
    return { kind: "wait", for: "resume", seconds: askAgainSeconds, reason: `paused by ${paused}` };
  if (unsettled !== undefined) return { kind: "settle", to: live, reason: unsettled };
  if (refused && ready) return { kind: "refuse", reason: refused.reason, next: refused.next };
  return undefined;
}

function onwards(state: WalkState, live: number, written: number): Action {
  const { ladder, goal, soakLeftSeconds, verdict, ready, refused, override } = state;
  const wait = (cause: Obstacle, seconds: number, reason: string): Action => ({
    kind: "wait",
    for: cause,
    seconds,
    reason,
  });
  const next = live < goal ? ladder.after(live) : undefined;
  const isLetOff = next !== undefined && override !== undefined && verdict.outcome !== "rollback";
  if (live > 0 && soakLeftSeconds > 0 && !isLetOff)
    return wait("soak", soakLeftSeconds, `the soak on ${shown(live)} % is not over`);
  if (!ready) return wait("pods", askAgainSeconds, refused?.reason ?? "the candidate's pods are not ready");
  if (verdict.outcome !== "pass" && !isLetOff)
    return wait("gate", verdict.waitSeconds ?? askAgainSeconds, verdict.reason);
  if (next === undefined) {
    // A step that was written and never taken: the file says what is live again.
    if (written > live) return { kind: "settle", to: live, reason: `the file asks for ${written}` };
    return { kind: "done", live, reason: verdict.reason };
  }
  return { kind: "step", from: live, to: next };
}

const shown = (percent: number) => `${Math.round(percent * 10) / 10}`;
