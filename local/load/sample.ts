import type { Kind, LoadRecord } from "./records.ts";

export type Colour = "blue" | "green";

/** One way in which requests failed, how often, and the first time. */
export interface FailureReason {
  readonly reason: string;
  readonly count: number;
  readonly first: { readonly at: number; readonly kind: Kind; readonly colour: string };
}

/** What a part of a load saw. Times are milliseconds since the load began. */
export interface Sample {
  readonly from: number;
  readonly to: number;
  readonly requests: number;
  readonly failed: number;
  /** Bounded: the most frequent ten reasons. */
  readonly failures: readonly FailureReason[];
  /** Requests that say where the public traffic went: pages, API calls, reads and writes that were answered by a colour. */
  readonly counted: Readonly<Record<Colour, number>>;
  /** Percent of the counted requests, 0 to 100; NaN when none was counted. */
  readonly share: Readonly<Record<Colour, number>>;
  /** Of every request, failed ones too; NaN when there was none. */
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly records: readonly LoadRecord[];
}

/** A failed request's reason, as the worker reports it beside the record. */
export interface FailureNote {
  readonly at: number;
  readonly kind: Kind;
  readonly colour: string;
  readonly reason: string;
}

/** Whether a request says where public traffic goes. An asset follows its page, and a proxy's own answer has no colour. */
export function isCounted(record: LoadRecord): boolean {
  return record.kind !== "asset" && record.colour !== "none";
}

/** Percent of the counted requests that `colour` answered; NaN when none was counted. */
export function shareOf(records: readonly LoadRecord[], colour: Colour): number {
  const counted = records.filter(isCounted);
  return (100 * counted.filter((record) => record.colour === colour).length) / counted.length;
}

/** The smallest value that at least `p` percent of the values do not exceed (nearest rank); NaN of none. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = Float64Array.from(values).sort();
  const rank = Math.max(1, Math.ceil((p / 100) * sorted.length));
  return sorted[rank - 1] ?? Number.NaN;
}

export interface Settling {
  readonly colour: Colour;
  /** The share that was asked for, in percent. */
  readonly percent: number;
  /** When the step ended, in milliseconds since the load began. */
  readonly from: number;
  /** Counted requests in the sliding window; default 200. A gateway that picks at random needs about 2,000. */
  readonly window?: number;
  /** Percentage points around `percent`; default 3. */
  readonly tolerance?: number;
}

/**
 * Seconds from the end of a step until its share was right and stayed so: the start of the first window of counted
 * requests from which on every window is within the tolerance. The start, not the end, because a window that is right
 * as a whole says that its first request was; so a step that took effect before it ended settles in 0 seconds.
 * Undefined when there are too few requests, or the last window is wrong.
 */
export function settleSeconds(records: readonly LoadRecord[], settling: Settling): number | undefined {
  const { colour, percent, from, window = 200, tolerance = 3 } = settling;
  const counted = records.filter((record) => record.at >= from && isCounted(record));
  if (counted.length < window) return undefined;
  const isRight = (hits: number) => Math.abs((100 * hits) / window - percent) <= tolerance + 1e-9;
  const hit = (index: number) => (counted[index]?.colour === colour ? 1 : 0);
  // From the last window backwards, while they are right.
  let start = counted.length - window;
  let hits = 0;
  for (let index = start; index < counted.length; index += 1) hits += hit(index);
  if (!isRight(hits)) return undefined;
  while (start > 0) {
    hits += hit(start - 1) - hit(start - 1 + window);
    if (!isRight(hits)) break;
    start -= 1;
  }
  return start === 0 ? 0 : ((counted[start]?.at ?? from) - from) / 1000;
}

/** The failure reasons of a span, most frequent first, at most ten. */
export function failureReasons(notes: readonly FailureNote[]): readonly FailureReason[] {
  const found = new Map<string, FailureReason>();
  for (const { reason, at, kind, colour } of notes) {
    const known = found.get(reason);
    const first = known && known.first.at <= at ? known.first : { at, kind, colour };
    found.set(reason, { reason, count: (known?.count ?? 0) + 1, first });
  }
  return [...found.values()].sort((one, other) => other.count - one.count).slice(0, 10);
}

/** Sums up the records of a span, with the notes of its failures. */
export function sampleOf(
  span: { from: number; to: number },
  records: readonly LoadRecord[],
  notes: readonly FailureNote[],
): Sample {
  const counted = { blue: 0, green: 0 };
  for (const record of records) {
    if (isCounted(record) && record.colour !== "none") counted[record.colour] += 1;
  }
  const times = records.map((record) => record.ms);
  return {
    ...span,
    requests: records.length,
    failed: records.filter((record) => !record.ok).length,
    failures: failureReasons(notes),
    counted,
    share: { blue: shareOf(records, "blue"), green: shareOf(records, "green") },
    p50Ms: percentile(times, 50),
    p95Ms: percentile(times, 95),
    p99Ms: percentile(times, 99),
    records,
  };
}
