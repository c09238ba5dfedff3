/**
 * An open-loop schedule: event `n` is due at `n / perSecond` seconds, whatever happened to the ones before. A late
 * caller gets all that became due meanwhile, so a pause of the machine (or of the service) thins nothing out.
 */
export class Schedule {
  readonly total: number;
  readonly #perSecond: number;
  #given = 0;

  constructor(perSecond: number, seconds: number) {
    this.#perSecond = perSecond;
    this.total = Math.floor(perSecond * seconds);
  }

  get isOver(): boolean {
    return this.#given >= this.total;
  }

  /** How many events became due since the last call, at `ms` milliseconds after the start. */
  due(ms: number): number {
    const soFar = Math.min(this.total, Math.floor((ms / 1000) * this.#perSecond) + 1);
    const due = Math.max(0, soFar - this.#given);
    this.#given += due;
    return due;
  }
}

/** Evenly spread `true`s: of any n calls, `share * n` within one. */
export function everyShare(share: number): () => boolean {
  let owed = 0;
  return () => {
    owed += share;
    // Sums of 0.2 fall short of 1 by rounding.
    if (owed < 1 - 1e-9) return false;
    owed -= 1;
    return true;
  };
}
