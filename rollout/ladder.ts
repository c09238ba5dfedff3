/** One allowed percentage and the minimum time on it. Percent is an integer 1..100, soak in minutes. */
export interface Rung {
  readonly percent: number;
  readonly soakMinutes: number;
}

/** The allowed percentages of candidate traffic, in rising order, ending at 100 (S0-63..65, S1-46..47, S3-44..48). 0 always is allowed. */
export class Ladder {
  readonly rungs: readonly Rung[];

  private constructor(rungs: readonly Rung[]) {
    this.rungs = rungs;
  }

  /** A ladder, or what is wrong with these rungs (one sentence each). */
  static of(rungs: readonly Rung[]): Ladder | readonly string[] {
    const problems: string[] = [];
    if (rungs.length === 0) problems.push("no rungs; a ladder needs at least one, the last at 100");
    for (const { percent, soakMinutes } of rungs) {
      if (!Number.isInteger(percent) || percent < 1 || percent > 100)
        problems.push(`rung ${percent}; a rung is an integer from 1 to 100`);
      if (!Number.isFinite(soakMinutes) || soakMinutes < 0)
        problems.push(`soakMinutes ${soakMinutes} on rung ${percent}; minutes are 0 or more`);
    }
    rungs.slice(1).forEach((rung, index) => {
      const before = rungs[index];
      if (before && rung.percent <= before.percent)
        problems.push(`rung ${rung.percent} after ${before.percent}; rungs rise strictly`);
    });
    const last = rungs.at(-1);
    if (last && last.percent !== 100) problems.push(`last rung ${last.percent}; a ladder ends at 100`);
    return problems.length > 0 ? problems : new Ladder(Object.freeze([...rungs]));
  }

  /** The ladder that `toString` wrote, or what is wrong with this text (one sentence each). */
  static parse(text: string): Ladder | readonly string[] {
    const parts = text.split(",").map((rung) => /^(\d+)\/([-+.\de]+)$/.exec(rung));
    if (parts.some((part) => part === null))
      return [`got ${JSON.stringify(text)}; a ladder is percents and minutes, such as 10/15,100/30`];
    return Ladder.of(
      parts.flatMap((part) => (part ? [{ percent: Number(part[1]), soakMinutes: Number(part[2]) }] : [])),
    );
  }

  /** The allowed values of candidate traffic, 0 included. */
  get percents(): readonly number[] {
    return [0, ...this.rungs.map((rung) => rung.percent)];
  }

  /** Whether this percentage is 0 or a rung. */
  allows(percent: number): boolean {
    return this.percents.includes(percent);
  }

  /** The lowest rung above `percent` (any number 0..100), or undefined at 100. */
  after(percent: number): number | undefined {
    return this.rungs.find((rung) => rung.percent > percent)?.percent;
  }

  /** The same text for the same ladder, and only then: `10/15,50/15,100/30`. */
  toString(): string {
    return this.rungs.map((rung) => `${rung.percent}/${rung.soakMinutes}`).join(",");
  }
}
