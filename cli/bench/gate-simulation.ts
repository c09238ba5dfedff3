import { setImmediate } from "node:timers/promises";
import { judge } from "../../rollout/gate/gate.ts";
import type { Counts, Pair } from "../../rollout/gate/measured.ts";
import { type Ended, Sequential } from "../../rollout/gate/sequential.ts";
import type { Thresholds } from "../../rollout/gate/thresholds.ts";
import { seconds, seeded, type Traffic } from "./gate-traffic.ts";

/** The gate is asked so often, in seconds: as often as Prometheus has new numbers. */
const asking = 15;

/** Simulated seconds after which signals are heard. */
const breath = 1_000_000;

/** A rollout that stays on one rung: what both colours answer, second by second. */
export interface Scene {
  readonly candidate: Traffic;
  readonly stable: Traffic;
  /** A new step every so many seconds: what was counted before is forgotten. */
  readonly step: number;
  readonly seed: number;
}

/** What ended a release, and how many of its requests had failed by then. */
export interface Ending {
  readonly by: "fast test" | "gate";
  /** Since the step. */
  readonly seconds: number;
  readonly failed: number;
}

/** Every rollback of a scene of so many seconds; each begins a new step. `until`: the first is the last. */
export async function endings(
  scene: Scene,
  length: number,
  thresholds: Thresholds,
  until?: "first",
): Promise<readonly Ending[]> {
  const random = seeded(scene.seed);
  const candidate = seconds(scene.candidate, random);
  const stable = seconds(scene.stable, random);
  const test = new Sequential(thresholds);
  const found: Ending[] = [];
  let rung = new Rung();
  for (let second = 0; second < length; second++) {
    if (second % breath === breath - 1) await setImmediate();
    const tick = { seconds: 1, candidate: candidate(), stable: stable() };
    rung.count(tick.candidate, tick.stable);
    const by =
      test.take(tick) === "rollback" ? "fast test" : isGateDue(rung) && asksGate(rung, thresholds) ? "gate" : undefined;
    if (by) found.push({ by, seconds: rung.seconds, failed: rung.failed });
    if (by && until === "first") return found;
    if (!by && rung.seconds < scene.step) continue;
    rung = new Rung();
    test.reset();
  }
  return found;
}

const isGateDue = ({ seconds }: Rung) => seconds % asking === 0;

function asksGate(rung: Rung, thresholds: Thresholds): boolean {
  const { immediate, planned } = thresholds;
  const at = rung.seconds;
  const backend = {
    window: rung.last(at),
    immediate: rung.last(immediate.seconds),
    planned: rung.last(planned.seconds),
    baselineP95Seconds: p95Seconds,
  };
  const measured = { at, since: 0, newest: at, services: { backend }, queries: [] };
  return judge({ measured, from: 10, ready: { candidate: true, stable: true } }, thresholds).outcome === "rollback";
}

/** Only failures are simulated: both colours answer as fast as ever. */
const p95Seconds = 0.04;

/** All that was counted since a step, in sums so far: one for each time that the gate is asked. */
class Rung {
  seconds = 0;
  readonly #candidate = [0, 0] as [number, number];
  readonly #stable = [0, 0] as [number, number];
  readonly #sums: (readonly [number, number, number, number])[] = [[0, 0, 0, 0]];

  get failed(): number {
    return this.#candidate[1];
  }

  count(candidate: Ended, stable: Ended): void {
    this.seconds += 1;
    this.#candidate[0] += candidate.requests;
    this.#candidate[1] += candidate.errors;
    this.#stable[0] += stable.requests;
    this.#stable[1] += stable.errors;
    if (isGateDue(this)) this.#sums.push([...this.#candidate, ...this.#stable]);
  }

  /** The last so many seconds, to the step at most. */
  last(length: number): Pair {
    const before = this.#sums.at(Math.max(0, this.#sums.length - 1 - Math.ceil(length / asking))) ?? [0, 0, 0, 0];
    const since = (role: readonly [number, number], from: 0 | 2): Counts => ({
      requests: role[0] - before[from],
      errors: role[1] - (from === 0 ? before[1] : before[3]),
      p95Seconds,
    });
    return { candidate: since(this.#candidate, 0), stable: since(this.#stable, 2) };
  }
}
