import { type Driver, type UpOutcome, type WalkOptions, walk } from "../../cli/rollout/drive.ts";
import type { WalkResult } from "../../cli/rollout/result.ts";
import type { Desired } from "../../rollout/decision.ts";
import type { Verdict } from "../../rollout/gate/verdict.ts";
import { walkStateOf } from "../../rollout/walk/state.ts";
import type { WalkState } from "../../rollout/walk/walk.ts";
import { configOf, happen, type Killed, nothing, observe, run, sharesOf, type World } from "./world.ts";

/** A walk through the small world of `world.ts`, by a driver that can be killed at any of its awaits. */

export const passes: Verdict = { outcome: "pass", reason: "0 of 900 failed", numbers: {}, waitSeconds: undefined };
export const holds: Verdict = { outcome: "hold", reason: "3 requests of 500", numbers: {}, waitSeconds: 40 };
export const fails: Verdict = {
  outcome: "rollback",
  reason: "30 % of 900 failed",
  numbers: {},
  waitSeconds: undefined,
};

/** The world up and running, with blue at 100 and green, the candidate, at 0. */
export const standing: World = happen(run(nothing, configOf(nothing)).after, { kind: "healAll" });

export const soakSeconds = 60;
export const options: WalkOptions = { pollSeconds: 15, patienceSeconds: 600 };

/** SIGKILL: nothing that comes after it in the driver is done. */
export class KilledDriver extends Error {}

/** When a driver dies: at its call number `call` (from 0), before it did anything, half way (an `up`), or after it did all. */
export interface Kill {
  readonly call: number;
  readonly when: "before" | "after" | Killed;
}

export class WalkWorld implements Driver {
  world: World;
  /** What the stack's file says. */
  file: Desired;
  readonly notes: string[] = [];
  readonly calls: string[] = [];
  stopped: string | undefined;
  paused: string | undefined;
  kill: Kill | undefined;
  /** What a preflight misses. */
  lacks: string | undefined;
  /** What the gate says, by the live percent of the candidate and the seconds since the last step. */
  gate: (live: number, seconds: number) => Verdict = () => passes;
  /** Done before each look, as people, guards and nodes do. */
  meanwhile: (it: WalkWorld) => void = () => {};
  goal = 100;
  #now = 0;
  #steppedAt = 0;

  constructor(world: World = standing, file: Partial<Desired> = {}) {
    this.world = world;
    this.file = { ...configOf(world), ...file };
  }

  read(): Promise<WalkState> {
    return this.#call("read", () => {
      this.meanwhile(this);
      const live = this.live ?? 0;
      const seconds = this.#now - this.#steppedAt;
      return walkStateOf({
        observed: observe(this.world),
        desired: this.file,
        goal: this.goal,
        paused: this.paused,
        soakLeftSeconds: Math.max(0, soakSeconds - seconds),
        verdict: this.gate(live, seconds),
      });
    });
  }

  write(percent: number, _why: string): Promise<void> {
    return this.#call(`write ${percent}`, () => {
      this.file = { ...this.file, candidateTraffic: percent };
    });
  }

  missing(): Promise<string | undefined> {
    return this.#call("missing", () => this.lacks);
  }

  up(): Promise<UpOutcome> {
    return this.#call(`up ${this.file.candidateTraffic}`, (killed) => {
      const before = this.live;
      const { decision, after } = run(this.world, this.file, killed);
      this.world = happen(after, { kind: "healAll" });
      if (this.live !== before) this.#steppedAt = this.#now;
      return decision.allowed
        ? { succeeded: true, reason: "", seconds: 1 }
        : { succeeded: false, reason: decision.reason, seconds: 1 };
    });
  }

  trip(_reason: string): Promise<string | undefined> {
    return this.#call("trip", () => {
      this.world = happen(this.world, { kind: "trip", colour: this.file.candidate });
      return (this.live ?? 0) > 0 ? "stable cannot serve" : undefined;
    });
  }

  rest(seconds: number): Promise<void> {
    return this.#call("rest", () => {
      this.#now += seconds;
    });
  }

  note(text: string): void {
    this.notes.push(text);
  }

  /** The most that any rule gives to the candidate of the file; undefined: there is no route. */
  get live(): number | undefined {
    const { route } = this.world;
    return route && Math.max(...sharesOf(this.world).map((share) => share[this.file.candidate]));
  }

  /** What a user, the next driver and git would find. */
  get left() {
    const { route, pods } = this.world;
    const { told } = route ?? {};
    return { live: this.live, written: this.file.candidateTraffic, told, pods };
  }

  async #call<T>(name: string, work: (killed?: Killed) => T): Promise<T> {
    const call = this.calls.push(name) - 1;
    const when = this.kill?.call === call ? this.kill.when : undefined;
    if (when === undefined) return work();
    if (when !== "before") work(when === "after" ? undefined : when);
    throw new KilledDriver(`${name} ${JSON.stringify(when)}`);
  }
}

/** Walks; a driver that is killed is followed by another one that knows nothing of it. */
export async function walkThrough(it: WalkWorld): Promise<WalkResult> {
  try {
    return await walk(it, options);
  } catch (error) {
    if (!(error instanceof KilledDriver)) throw error;
    it.kill = undefined;
    return await walkThrough(it);
  }
}
