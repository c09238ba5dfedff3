/** Real seconds between two samples of a story: what Prometheus scrapes by (S1-50). */
export const sampled = 15;

/** How a gauge or a counter goes on for some real seconds. `gone`: there is no such series. */
export type Phase = readonly [value: number | "gone", seconds: number];

const samplesIn = (seconds: number): number => {
  if (seconds > 0 && seconds % sampled === 0) return seconds / sampled;
  throw new RangeError(`a story has a phase of ${seconds} s; allowed: whole multiples of ${sampled} s`);
};

// Counters of requests: what a second brings may be a fraction, what a sample says is not.
const tidy = (value: number) => Number(value.toFixed(6));

/** A gauge: one value for so many seconds, then the next. */
export const gauge = (...phases: readonly Phase[]): string =>
  phases
    .map(([value, seconds]) => {
      const samples = samplesIn(seconds);
      return value === "gone" ? gone(samples) : `${value}x${samples - 1}`;
    })
    .join(" ");

/** A counter that grows by so much a second, then by so much. It goes on from where it was. */
export function counter(...phases: readonly Phase[]): string {
  let total = 0;
  return phases
    .map(([perSecond, seconds]) => {
      const samples = samplesIn(seconds);
      if (perSecond === "gone") return gone(samples);
      const step = tidy(perSecond * sampled);
      const from = total;
      total = tidy(total + step * samples);
      return `${from}+${step}x${samples - 1}`;
    })
    .join(" ");
}

/** A target that is gone leaves a mark: its series end at once, not when they are five minutes old. */
const gone = (samples: number) => (samples === 1 ? "stale" : `stale _x${samples - 1}`);

/** A selector as promtool wants it: `up{job="redis"}`. */
export const series = (name: string, labels: Readonly<Record<string, string>>): string => {
  const parts = Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return `${name}{${parts.join(",")}}`;
};
