import { type Decision, type Desired, decide } from "../../rollout/decide.ts";
import { Ladder } from "../../rollout/ladder.ts";
import type { Told } from "../../rollout/told.ts";
import { type LiveOptions, observed, told } from "./live.ts";

/** Runs of a usual stack, told by what is live and what is asked for. */

export const ladderOf = (...percents: readonly number[]): Ladder => {
  const made = Ladder.of(percents.map((percent) => ({ percent, soakMinutes: percent === 100 ? 30 : 15 })));
  if (!(made instanceof Ladder)) throw new Error(made.join("; "));
  return made;
};

export const blue = "1.0.0-aaaa";
export const green = "2.0.0-bbbb";

/** What a run asks for when nothing changes: green is the candidate at 0. */
export const usual: Desired = {
  candidate: "green",
  candidateTraffic: 0,
  ladder: ladderOf(10, 50, 100),
  paths: ["/api", "/"],
  releases: { blue, green },
  retired: { blue: false, green: false },
  replicas: { backend: 1, frontend: 1 },
  inPlace: undefined,
  override: undefined,
  soakSpeed: 1,
  retireAfterHours: 24,
  migrations: { pending: [], contract: undefined },
};

export const run = (live: LiveOptions, desired: Partial<Desired>): Decision =>
  decide(observed(live), { ...usual, ...desired });

/** Live at this percent of green, as it was told. */
export const at = (candidateTraffic: number, rest: Partial<Told> = {}) => ({
  told: told({ candidateTraffic, ...rest }),
});

export const refused = (reason: string, next: string): Decision => ({ allowed: false, reason, next });
