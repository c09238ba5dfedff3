/**
 * How fast a stack's monitoring lives. Every duration in a rule is written in real seconds and printed through a clock: on
 * the throw-away cluster a minute takes four seconds, so that what takes half an hour in production can be watched.
 */
export class Clock {
  /** How many seconds of a rule pass in one second: 1, or more to hurry. */
  readonly speed: number;

  constructor(speed = 1) {
    if (!(Number.isFinite(speed) && speed >= 1)) throw new RangeError(`speed: got ${speed}; allowed: 1 or more`);
    this.speed = speed;
  }

  /** Seconds on this clock, at least one millisecond. */
  seconds(real: number): number {
    return Math.max(real / this.speed, 0.001);
  }

  /** A duration as Prometheus reads it, in its largest whole unit: 300 is `5m`, 0.4 is `400ms`. */
  duration(real: number): string {
    const milliseconds = Math.round(this.seconds(real) * 1000);
    const units = [
      ["d", 86_400_000],
      ["h", 3_600_000],
      ["m", 60_000],
      ["s", 1000],
    ] as const;
    const [unit, size] = units.find(([, each]) => milliseconds % each === 0) ?? ["ms", 1];
    return `${milliseconds / size}${unit}`;
  }
}

export const minutes = (count: number): number => count * 60;
export const hours = (count: number): number => count * 3600;
export const days = (count: number): number => count * 86_400;
