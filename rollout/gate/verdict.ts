/** `hold`: nobody can say yet. Only finite numbers pass. */
export type Outcome = "pass" | "hold" | "rollback";

/** What the gate makes of what was measured. */
export interface Verdict {
  readonly outcome: Outcome;
  /** One sentence with the numbers that decided, from a small letter and without a full stop. */
  readonly reason: string;
  /** Every number that was used, by name: `backend candidate errors`. */
  readonly numbers: Readonly<Record<string, number>>;
  /** Seconds after which it is worth asking again, at the present rate; undefined: nobody can say. */
  readonly waitSeconds: number | undefined;
}
