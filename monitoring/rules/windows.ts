import { burn, type Objective, type Pace } from "../alerts/budget.ts";
import { Clock } from "../clock.ts";
import type { MonitoredStack } from "../stack.ts";

/** The objectives of a stack as shares of good events, each with an alert of its own: a combined one does not say which burns. */
export function objectives({ application: { objectives } }: MonitoredStack) {
  return {
    /** Probes of the public host. */
    availability: { name: "availabilityPercent", percent: objectives.availabilityPercent },
    /** Requests that did not fail. */
    errors: { name: "errorPercent", percent: 100 - objectives.errorPercent },
    /** Requests answered in time: the objective is given for the 95th percentile (S1-76). */
    latency: { name: "latencySeconds (95 of 100 requests)", percent: 95 },
  } as const satisfies Record<string, Objective>;
}

const paces: readonly Pace[] = ["fast", "slow"];

/** Every window that an alert on this objective looks at, in real seconds, shortest first. */
export function windowsOf(objective: Objective): readonly number[] {
  const tiers = paces.flatMap((pace) => burn(objective, pace).tiers);
  return [...new Set(tiers.flatMap(({ long, short }) => [long, short]))].sort((a, b) => a - b);
}

const real = new Clock();

/** A window in the name of a record: always in real time, whatever the clock, so that nothing that reads it must know the clock. */
export const windowName = (seconds: number): string => real.duration(seconds);
