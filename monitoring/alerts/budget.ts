import { days } from "../clock.ts";

/** A promise that leaves a share of all events free to be bad: 99.9 % good is a budget of 0.001. */
export interface Objective {
  /** How a message names it: `errorPercent`. */
  readonly name: string;
  /** Percent of the events that are good. */
  readonly percent: number;
  /** Real seconds over which it is promised. Default: 30 days. */
  readonly period?: number;
}

/** One pair of windows: the budget burns too fast when the bad share of both is above the threshold. */
export interface Tier {
  /** Real seconds. The long window says that it matters, the short one that it still goes on. */
  readonly long: number;
  readonly short: number;
  /** How many times as fast as allowed. */
  readonly factor: number;
  /** The share of bad events at that pace: factor x budget. */
  readonly threshold: number;
}

/** `fast` wakes somebody: the budget is gone in hours or a few days. `slow` is for the next working day. */
export type Pace = "fast" | "slow";

export interface Burn {
  readonly tiers: readonly Tier[];
  /** Real seconds that it must last, half of the shortest window: shorter than any outage that is worth a call. */
  readonly for: number;
  /** Real seconds after which nothing of a whole budget is left, at the slowest pace that is called out. */
  readonly exhausted: number;
}

/**
 * How much of the budget may go in which part of the period before it is called out: the shares of the Google SRE workbook
 * (chapter 5), for any period. All windows and factors follow from these.
 */
const paces: Readonly<Record<Pace, readonly { readonly share: number; readonly partOfPeriod: number }[]>> = {
  fast: [
    { share: 0.02, partOfPeriod: 720 },
    { share: 0.05, partOfPeriod: 120 },
  ],
  slow: [
    { share: 0.1, partOfPeriod: 30 },
    { share: 0.1, partOfPeriod: 10 },
  ],
};

/** The short window is this part of the long one. */
const shortPart = 12;

/**
 * So few bad events of a long window call nobody: one failed request at night would be the whole traffic of an hour. Bad
 * ones are counted, not all, so that an outage is called out at any traffic.
 */
export const leastBadEvents = 10;

/** Share of all events that may be bad. */
export const budgetOf = ({ percent }: Objective): number => round((100 - percent) / 100);

/**
 * When the budget of an objective burns too fast.
 * @throws RangeError for an objective whose alert could never fire: even with nothing but bad events it would not be above.
 */
export function burn(objective: Objective, pace: Pace): Burn {
  const { name, percent, period = days(30) } = objective;
  if (!(percent > 0 && percent < 100))
    throw new RangeError(`objective ${name}: got ${percent} %; allowed: above 0 and below 100`);
  const budget = budgetOf(objective);
  const tiers = paces[pace].map(({ share, partOfPeriod }): Tier => {
    const long = period / partOfPeriod;
    const factor = round(share * partOfPeriod);
    return { long, short: long / shortPart, factor, threshold: round(factor * budget) };
  });
  for (const { factor, threshold } of tiers) {
    if (threshold < 1) continue;
    throw new RangeError(
      `objective ${name}: got ${percent} %; its alert at ${factor} times the allowed pace asks for more than ` +
        `${round(threshold * 100)} % bad events and could never fire; allowed: above ${least(factor)} %`,
    );
  }
  const shorts = tiers.map(({ short }) => short);
  return {
    tiers,
    for: Math.min(...shorts) / 2,
    exhausted: period / Math.min(...tiers.map(({ factor }) => factor)),
  };
}

/** The objective, in percent, above which an alert at this factor can fire. */
const least = (factor: number) => round(100 * (1 - 1 / factor));

/** Without the tail that binary fractions leave: 0.02 x 720 is 14.4. */
const round = (value: number) => Number(value.toPrecision(10));
