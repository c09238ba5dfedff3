import { type Action, nextAction, type Obstacle, type WalkState } from "../../rollout/walk/walk.ts";
import type { Ending, Step, WalkResult } from "./result.ts";

/** What a walk needs of the world. Each call may be the last one of a driver that is killed. */
export interface Driver {
  /** Reads the cluster, the stack's file and the measurements anew. */
  read(): Promise<WalkState>;
  /** Writes `candidateTraffic` into the stack's file. `why` goes with it where it is committed. */
  write(percent: number, why: string): Promise<void>;
  /** Asked before the first rung: what is missing for users to meet this release, or undefined. */
  missing(): Promise<string | undefined>;
  /** `pulumi up` with what the file says. */
  up(): Promise<UpOutcome>;
  /** Takes the candidate's traffic by one patch of the route. Text: why that was not possible. */
  trip(reason: string): Promise<string | undefined>;
  /** Waits; returns early when the walk is to stop. */
  rest(seconds: number): Promise<void>;
  /** Why this walk must end now (Ctrl-C, another driver took over), or undefined. */
  readonly stopped: string | undefined;
  /** Tells whoever watches. */
  note(text: string): void;
}

export interface UpOutcome {
  readonly succeeded: boolean;
  /** What the engine said last; of a success nothing. */
  readonly reason: string;
  readonly seconds: number;
}

export interface WalkOptions {
  /** Seconds between two looks while a walk waits. */
  readonly pollSeconds: number;
  /** Seconds that the gate may hold on one rung, once its soak is over. */
  readonly patienceSeconds: number;
  /** Asked before each rung but the first, for which `missing` answers: what no longer holds, or undefined. Default: nothing. */
  readonly broken?: () => Promise<string | undefined>;
}

/** A step whose `up` failed this often on one rung is not tried again, whatever the gate says in between. */
const mostFailures = 3;

/**
 * Walks the candidate up its ladder until the goal, a rollback, a refusal or a stop. It keeps no state that counts: killed at
 * any await, and started again, it ends where an undisturbed walk ends.
 */
export async function walk(driver: Driver, options: WalkOptions): Promise<WalkResult> {
  const it = new Walk(driver, options);
  for (;;) {
    const state = await driver.read();
    it.saw(state);
    const result = driver.stopped === undefined ? await it.take(nextAction(state), state) : await it.stop(state);
    if (result) return result;
  }
}

class Walk {
  readonly #driver: Driver;
  readonly #options: WalkOptions;
  readonly #steps: Step[] = [];
  #state: WalkState | undefined;
  #said = "";
  #settled = "";
  #failures = 0;
  #heldSeconds = 0;

  constructor(driver: Driver, options: WalkOptions) {
    this.#driver = driver;
    this.#options = options;
  }

  saw(state: WalkState): void {
    if (state.live !== this.#state?.live) {
      this.#failures = 0;
      this.#heldSeconds = 0;
    }
    this.#state = state;
  }

  take(action: Action, state: WalkState): Promise<WalkResult | undefined> | WalkResult | undefined {
    switch (action.kind) {
      case "settle":
        return this.#settle(action, state);
      case "step":
        return this.#step(action, state);
      case "wait":
        return this.#wait(action);
      case "trip":
        return this.#trip(action.reason, state);
      case "acknowledge":
        return this.#down({ from: action.from, to: 0 }, "rolled back", action.reason, state);
      case "lower":
        return this.#down(action, "lowered", action.reason, state);
      case "refuse":
        return this.#end("refused", action.reason, action.next);
      case "done":
        return this.#end("reached", `${action.live} % of the requests reach the candidate (${action.reason})`, "");
    }
  }

  /** The lower of what is live and what the file says stays: nobody is there any more who would go on. */
  async stop({ live, written }: WalkState): Promise<WalkResult> {
    const why = this.#driver.stopped ?? "";
    if (live !== undefined && live < written) await this.#driver.write(live, `the walk was stopped: ${why}`);
    const next =
      live !== undefined && written < live
        ? `golive rollout resume, which goes down to ${written} first`
        : "golive rollout resume goes on from here";
    return this.#end("stopped", why, next);
  }

  async #settle({ to, reason }: { to: number; reason: string }, { written }: WalkState) {
    if (this.#settled === `${to} ${reason}`)
      return this.#end("refused", `pulumi up at ${to} % went well, and still: ${reason}`, "golive pulumi preview");
    this.#settled = `${to} ${reason}`;
    this.#say(`up at ${to} %: ${reason}`);
    if (written !== to) await this.#driver.write(to, reason);
    const { succeeded, reason: failure } = await this.#driver.up();
    return succeeded || this.#driver.stopped !== undefined ? undefined : this.#end("refused", failure, again);
  }

  async #step(step: { from: number; to: number }, { written, verdict }: WalkState) {
    const { from, to } = step;
    const missing = from === 0 ? await this.#driver.missing() : undefined;
    if (missing !== undefined) return this.#end("refused", missing, "golive rollout preflight");
    const broken = from === 0 ? undefined : await this.#options.broken?.();
    if (broken !== undefined) return this.#end("refused", broken, again);
    // A walk never goes down and up again: somebody else writes the route, or the file.
    if (this.#steps.some((taken) => taken.from === from && taken.to === to && taken.outcome === "success"))
      return this.#end("refused", `pulumi up took the step ${from} -> ${to}, and ${from} % is live`, again);
    this.#say(`step ${from} -> ${to} %: ${verdict.reason}`);
    if (written !== to) await this.#driver.write(to, `step ${from} -> ${to}: ${verdict.reason}`);
    const { succeeded, reason, seconds } = await this.#driver.up();
    if (succeeded) {
      this.#steps.push({ from, to, outcome: "success", reason: verdict.reason, seconds });
      return undefined;
    }
    // What stopped this command stopped the engine: the next look says what is live.
    if (this.#driver.stopped !== undefined) return undefined;
    this.#steps.push({ from, to, outcome: "refused", reason, seconds });
    this.#failures++;
    const now = await this.#driver.read();
    if (now.live !== undefined && now.live < now.written) await this.#driver.write(now.live, `refused: ${reason}`);
    const next = nextAction({ ...now, written: Math.min(now.written, now.live ?? now.written) });
    // A trip, or a gate that changed its mind in between: that is the walk's to deal with.
    if ((next.kind === "step" && next.to === to) || this.#failures >= mostFailures)
      return this.#end("refused", reason, again);
    return undefined;
  }

  async #wait({ for: cause, seconds, reason }: { for: Obstacle; seconds: number; reason: string }) {
    const rest = Math.max(Math.min(seconds, this.#options.pollSeconds), 0.1);
    const isHeld = cause === "gate" || cause === "pods";
    if (isHeld && this.#heldSeconds >= this.#options.patienceSeconds)
      return this.#end("held", `${reason}; held for ${Math.round(this.#heldSeconds)} s`, "golive rollout resume");
    this.#say(`waiting for ${waitedFor[cause]}: ${reason}`);
    await this.#driver.rest(rest);
    if (isHeld) this.#heldSeconds += rest;
    return undefined;
  }

  async #trip(reason: string, { live = 0 }: WalkState) {
    this.#say(`rollback: ${reason}`);
    const refused = await this.#driver.trip(reason);
    // The next look finds the trip, or another one's, and acknowledges it.
    if (refused === undefined) return undefined;
    return this.#end(
      "refused",
      `the gate says rollback (${reason}), and ${live} % stays: ${refused}`,
      "restore stable",
    );
  }

  /** The last thing that a walk does: nothing climbs again by itself after a way down. */
  async #down({ from, to }: { from: number; to: number }, ending: Ending, why: string, { written }: WalkState) {
    this.#say(`down to ${to} %: ${why}`);
    if (written !== to) await this.#driver.write(to, why);
    const { succeeded, reason, seconds } = await this.#driver.up();
    if (!succeeded && this.#driver.stopped !== undefined) return undefined;
    this.saw(await this.#driver.read());
    this.#steps.push({ from, to, outcome: succeeded ? "rolled back" : "refused", reason: why, seconds });
    return succeeded ? this.#end(ending, why, afterDown[ending] ?? "") : this.#end("refused", reason, again);
  }

  #end(outcome: Ending, reason: string, next: string): WalkResult {
    const { live, ladder, goal = 100 } = this.#state ?? {};
    const left = (ladder?.percents ?? []).filter((percent) => percent > (live ?? 0) && percent <= goal);
    const rest = left.map((to, index): Step => ({ from: left[index - 1] ?? live ?? 0, to, outcome: "not executed" }));
    return { outcome, reason, next, live, steps: [...this.#steps, ...(outcome === "reached" ? [] : rest)] };
  }

  /** A wait is said once, whatever its numbers; each step is said. */
  #say(text: string): void {
    const kind = text.startsWith("waiting ") ? text.replace(/[\d.]+/g, "#") : text;
    if (kind === this.#said) return;
    this.#said = kind;
    this.#driver.note(text);
  }
}

const again = "put that right, then golive rollout resume";
const waitedFor: Readonly<Record<Obstacle, string>> = {
  soak: "the soak",
  gate: "the gate",
  pods: "the pods",
  resume: "golive rollout resume",
};
const afterDown: Readonly<Partial<Record<Ending, string>>> = {
  "rolled back":
    "give the candidate another release; the same one only after golive rollout clear RELEASE --name WHO --reason WHY",
  lowered: "golive rollout start climbs again",
};
