import { median } from "../table.ts";

/** Milliseconds of one thing that was done many times. */
export interface Figures {
  readonly min: number;
  readonly mean: number;
  readonly median: number;
  readonly p95: number;
  readonly max: number;
}

/** The figures of a list of milliseconds; p95 as S0-34 has it. @throws RangeError of an empty list. */
export function figuresOf(durations: readonly number[]): Figures {
  const sorted = [...durations].sort((a, b) => a - b);
  const [min] = sorted;
  const max = sorted.at(-1);
  const p95 = sorted[Math.floor(sorted.length * 0.95)];
  if (min === undefined || max === undefined || p95 === undefined) throw new RangeError("the figures of no durations");
  return { min, mean: sorted.reduce((sum, each) => sum + each, 0) / sorted.length, median: median(sorted), p95, max };
}

/** One line of the report. */
export interface Measured {
  readonly name: string;
  readonly figures: Figures;
  /** The same without row level security; undefined: there is no such thing. */
  readonly plain?: Figures;
  /** Most milliseconds at p95. */
  readonly limit: number;
}

export const passes = ({ figures, limit }: Measured): boolean => figures.p95 < limit;

/** How much longer it takes with row level security than without: of the medians, which one slow run does not move. */
export const ratioOf = ({ figures, plain }: Measured): number | undefined =>
  plain === undefined ? undefined : figures.median / plain.median;
