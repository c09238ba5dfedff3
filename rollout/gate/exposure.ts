import type { Ladder } from "../ladder.ts";
import type { Assessment } from "./assess.ts";
import type { ServiceMeasured } from "./measured.ts";

/** What a step up exposes, and how long it takes until enough was seen of it. */
export interface Exposure {
  /** Requests a minute that the candidate gets, before and after, at the present rate. */
  readonly perMinuteNow: number;
  readonly perMinuteThen: number;
  /** The service that is asked least, and the minutes until the candidate has answered a valid sample of it. */
  readonly slowest: string;
  readonly sampleMinutes: number;
}

/** At the rate of the last half hour, or of so long as the last step is ago; undefined: nobody knows it. */
export function exposureOf({ measured, from, thresholds }: Assessment, to: number): Exposure | undefined {
  if (!measured) return undefined;
  const seconds = Math.min(thresholds.planned.seconds, measured.at - measured.since);
  const rates = Object.entries(measured.services).map(
    ([name, service]) => [name, (60 * requestsOf(service)) / seconds] as const,
  );
  const [slowest] = rates.toSorted(([, a], [, b]) => a - b);
  const all = rates.reduce((sum, [, rate]) => sum + rate, 0);
  if (!slowest || !Number.isFinite(all)) return undefined;
  return {
    perMinuteNow: (all * from) / 100,
    perMinuteThen: (all * to) / 100,
    slowest: slowest[0],
    sampleMinutes: minutesFor(thresholds.sample, slowest[1], to),
  };
}

/** Of both colours; what nobody counted of one of them is nothing. */
function requestsOf({ planned }: ServiceMeasured): number {
  const { candidate, stable } = planned;
  const counted = [candidate.requests, stable.requests].filter((each) => !Number.isNaN(each));
  return counted.length === 0 ? Number.NaN : counted.reduce((sum, each) => sum + each, 0);
}

const minutesFor = (requests: number, perMinute: number, percent: number) => (100 * requests) / (perMinute * percent);

/** A sample that a rung sees in this part of its soak could have been seen by fewer users. */
const early = 0.1;

/**
 * A better first rung than the one of this ladder at the present traffic, in one sentence; undefined: it is as it should be.
 * One that sees no valid sample within its soak decides nothing; one that sees it at once exposes more users than it must.
 */
export function firstRungAdvice(exposure: Exposure, ladder: Ladder, speed: number): string | undefined {
  const [rung] = ladder.rungs;
  if (!rung || rung.percent >= 100) return undefined;
  const soakMinutes = rung.soakMinutes / speed;
  const { sampleMinutes, slowest } = exposure;
  if (soakMinutes === 0) return undefined;
  const sample = `a valid sample of ${slowest}`;
  const least = Math.max(1, Math.ceil((rung.percent * sampleMinutes) / soakMinutes));
  if (sampleMinutes > soakMinutes)
    return least >= 100
      ? `even 100 % would not give ${sample} within a soak of ${round(soakMinutes)} min: let the ladder soak longer, or send it requests of your own`
      : `${rung.percent} % gives ${sample} only after ${round(sampleMinutes)} of ${round(soakMinutes)} min: a first rung of ${least} % would do, or a longer soak`;
  if (sampleMinutes < soakMinutes * early && least < rung.percent / 2)
    return `${rung.percent} % gives ${sample} after ${round(sampleMinutes)} of ${round(soakMinutes)} min: a first rung of ${least} % would show the same to fewer users`;
  return undefined;
}

/** Whole minutes from 10 on, else one digit more. */
const round = (minutes: number): string => (minutes >= 10 ? minutes.toFixed(0) : String(Math.round(minutes * 10) / 10));
