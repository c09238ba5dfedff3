import type { Colour } from "../../applications/application.ts";
import type { Counter } from "./gateway-counters.ts";

/** Requests of one service to one colour since the last look. */
export interface Growth {
  readonly requests: number;
  readonly errors: number;
}

/** By name of the service. */
export type Growths = Readonly<Record<string, Readonly<Record<Colour, Growth>>>>;

const none: Growth = { requests: 0, errors: 0 };

/** Adds up how counters of several pods grow from one look to the next. */
export class Tally {
  #before: ReadonlyMap<string, ReadonlyMap<string, Counter>> = new Map();

  /**
   * `pods`: all that there are, each with its counters, or undefined where it did not answer: what it counts meanwhile is added
   * when it answers again.
   */
  take(services: readonly string[], pods: ReadonlyMap<string, ReadonlyMap<string, Counter> | undefined>): Growths {
    const growths = Object.fromEntries(services.map((service) => [service, { blue: none, green: none }]));
    const now = new Map<string, ReadonlyMap<string, Counter>>();
    for (const [pod, counters] of pods) {
      const before = this.#before.get(pod);
      const kept = counters ?? before;
      if (kept) now.set(pod, kept);
      // Of a pod that is seen for the first time nobody knows when it counted what it has.
      if (!counters || !before) continue;
      for (const [labels, counter] of counters) {
        const growth = growths[counter.service];
        if (growth) growth[counter.colour] = sum(growth[counter.colour], grown(counter, before.get(labels)));
      }
    }
    this.#before = now;
    return growths;
  }
}

/** A counter that is new, or smaller than it was, began anew at 0: its pod was restarted, or its first request came. */
function grown({ total, failed }: Counter, before: Counter | undefined): Growth {
  const requests = before === undefined || total < before.total ? total : total - before.total;
  return { requests, errors: failed ? requests : 0 };
}

const sum = (a: Growth, b: Growth): Growth => ({ requests: a.requests + b.requests, errors: a.errors + b.errors });
