import type { Ended } from "../../rollout/gate/sequential.ts";

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export interface Traffic {
  /** Requests a second, on average. */
  readonly rate: number;
  /** Part of them that fails, on average. */
  readonly failing: number;
  /** How many fail in a row, on average: 1 is each on its own. No burst is longer than a second. */
  readonly burst: number;
}

/** What ends in each second, one after the other. */
export function seconds({ rate, failing, burst }: Traffic, random: () => number): () => Ended {
  const longest = Math.max(1, Math.floor(rate));
  const goesOn = 1 - 1 / burst;
  const meanLength = goesOn === 0 ? 1 : (1 - goesOn ** longest) / (1 - goesOn);
  // So that `failing` of all requests fail: a burst begins with one of those that no burst holds.
  const begins = failing >= 1 ? 1 : failing / (meanLength * (1 - failing) + failing);
  let untilNext = geometric(begins, random);
  let left = 0;
  return () => {
    const requests = poisson(rate, random);
    let errors = 0;
    for (let seen = 0; seen < requests; ) {
      if (left === 0) {
        const good = Math.min(untilNext, requests - seen);
        seen += good;
        untilNext -= good;
        if (untilNext > 0 || seen === requests) break;
        left = Math.min(1 + geometric(1 / burst, random), longest);
        untilNext = geometric(begins, random);
      }
      const bad = Math.min(left, requests - seen);
      seen += bad;
      left -= bad;
      errors += bad;
    }
    return { requests, errors };
  };
}

/** How often something of this probability does not happen before it does. */
const geometric = (probability: number, random: () => number): number =>
  probability <= 0
    ? Number.POSITIVE_INFINITY
    : probability >= 1
      ? 0
      : Math.floor(Math.log(1 - random()) / Math.log(1 - probability));

/** From here on the normal distribution is close enough, and much quicker. */
const many = 30;

function poisson(mean: number, random: () => number): number {
  if (mean >= many) {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal));
  }
  const least = Math.exp(-mean);
  let count = 0;
  for (let product = random(); product > least; product *= random()) count += 1;
  return count;
}
