import type { Counts, Pair, ServiceMeasured } from "./measured.ts";
import type { Thresholds } from "./thresholds.ts";

/** One service on trial. */
export interface Trial {
  readonly service: string;
  readonly counts: ServiceMeasured;
  /** Since the last step. */
  readonly seconds: number;
  /** The candidate has all traffic: there is nothing to compare with. */
  readonly atTop: boolean;
}

/** One window of a trial. */
export interface Look extends Pick<Trial, "service" | "atTop">, Pair {
  readonly seconds: number;
  /** As long as its trigger lasts. */
  readonly isWhole: boolean;
}

export type Looks = Readonly<Record<"window" | "immediate" | "planned", Look>>;

export function looksOf({ service, counts, seconds, atTop }: Trial, { immediate, planned }: Thresholds): Looks {
  const look = (pair: Pair, longest: number): Look => ({
    ...pair,
    service,
    atTop,
    seconds: Math.min(seconds, longest),
    isWhole: seconds >= longest,
  });
  return {
    window: look(counts.window, seconds),
    immediate: look(counts.immediate, immediate.seconds),
    planned: look(counts.planned, planned.seconds),
  };
}

export const isEnough = ({ requests }: Counts, { sample }: Thresholds) => requests >= sample;

export const ratioOf = ({ requests, errors }: Counts) => (requests > 0 ? Math.min(errors / requests, 1) : 0);

export const share = ({ requests, errors }: Counts) => `${count(errors)} of ${count(requests)}`;
export const failed = ({ service, candidate }: Look) =>
  `${service}: ${share(candidate)} requests to the candidate failed (${percent(ratioOf(candidate))})`;
export const besides = ({ atTop, stable }: Look) => (atTop ? "" : `, of stable's ${share(stable)}`);
const counts = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
export const count = (value: number) => counts.format(value);
export const percent = (ratio: number) => `${Math.round(ratio * 10_000) / 100} %`;
export const time = (seconds: number) => `${Math.round(seconds * 1000)} ms`;

/** By name; windows of the triggers with their length. */
export function numbersOf({ service, counts, atTop }: Trial, looks: Looks): Readonly<Record<string, number>> {
  const { window, ...others } = looks;
  const numbers: Record<string, number> = { [`${service} baseline p95 seconds`]: counts.baselineP95Seconds };
  for (const look of [window, ...Object.values(others).filter(({ isWhole }) => isWhole)]) {
    const within = look === window ? "" : ` in ${Math.round(look.seconds)} s`;
    for (const [role, each] of Object.entries({
      candidate: look.candidate,
      ...(atTop ? {} : { stable: look.stable }),
    })) {
      numbers[`${service} ${role} requests${within}`] = each.requests;
      numbers[`${service} ${role} errors${within}`] = each.errors;
      numbers[`${service} ${role} p95 seconds${within}`] = each.p95Seconds;
    }
  }
  return numbers;
}
