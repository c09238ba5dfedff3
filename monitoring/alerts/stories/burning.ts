import { evaluation } from "../../rules/records.ts";
import type { Burn, Tier } from "../budget.ts";
import { sampled } from "./timeline.ts";

/** So many real seconds with so many events a second, of which a share is bad. */
export interface Burning {
  readonly seconds: number;
  readonly rate: number;
  readonly bad: number;
}

/** How events come to be known: as rates of counters over a window, or each by itself as a sample of a gauge. */
export type Known = { readonly ratesOver: number } | "samples";

export interface Burnt {
  readonly begins: number;
  readonly resolved: number;
}

/**
 * When a budget burns too fast for as long as its alert waits, in real seconds from the story's begin. Reckoned from the
 * events alone: what the rules must find by way of rates, records and windows.
 */
export function burnt({ tiers, for: lasting }: Burn, phases: readonly Burning[], least: number, known: Known): Burnt {
  const each = phases.flatMap(({ seconds, rate, bad }) =>
    Array.from({ length: seconds / sampled }, () => {
      // A probe is one event for each sample, whatever a phase says.
      const each = known === "samples" ? 1 / sampled : rate;
      return { all: each, bad: each * bad };
    }),
  );
  const all = perSecond(
    each.map((one) => one.all),
    known,
  );
  const bad = perSecond(
    each.map((one) => one.bad),
    known,
  );
  const whole = known === "samples" ? 0 : known.ratesOver;
  const summed = (of: readonly number[], at: number, window: number) =>
    window <= whole ? (of[at] ?? 0) : sum(of.slice(Math.max(0, at - window / sampled), at + 1));
  const above = (at: number, window: number, threshold: number) => {
    const of = summed(all, at, window);
    return of > 0 && summed(bad, at, window) / of > threshold;
  };
  const burns = (at: number, { long, short, threshold }: Tier) =>
    above(at, long, threshold) && above(at, short, threshold) && summed(bad, at, long) * evaluation >= least - tiny;
  return longest(
    all.map((_, at) => tiers.some((tier) => burns(at, tier))),
    lasting,
  );
}

const tiny = 1e-9;
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** Events a second at each sample. A counter's sample says what was counted until then: its first event is in the second one. */
function perSecond(events: readonly number[], known: Known): readonly number[] {
  if (known === "samples") return events;
  const samples = known.ratesOver / sampled;
  return events.map((_, at) => sum(events.slice(Math.max(0, at - samples), at)) / samples);
}

/** The first stretch that lasts long enough. */
function longest(holds: readonly boolean[], lasting: number): Burnt {
  let since: number | undefined;
  for (const [at, held] of holds.entries()) {
    if (held) since ??= at;
    else if (since !== undefined && (at - since) * sampled > lasting)
      return { begins: since * sampled, resolved: at * sampled };
    else since = undefined;
  }
  throw new RangeError("the story's budget never burns for long enough, or to the end");
}
