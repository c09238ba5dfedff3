/** How long a run of the migrations waits, in milliseconds. */
export interface Budgets {
  /** For another runner to end. */
  readonly runnerMs: number;
  /** For a lock on a table, while every reader of the table stands in the queue behind it (S0-22). */
  readonly lockMs: number;
  /** For all tries of a file to get its locks together. */
  readonly triesMs: number;
  /** For a statement outside a transaction, which hinders nobody and may wait for long transactions. */
  readonly aloneMs: number;
  /** Between two lines that say what is waited for. */
  readonly sayMs: number;
}

export const defaultBudgets: Budgets = {
  runnerMs: 60_000,
  lockMs: 500,
  triesMs: 120_000,
  // Below the shortest deadline of the Job (settings/environments.ts), so that the runner says itself what took so long.
  aloneMs: 20 * 60_000,
  sayMs: 5_000,
};

/** `31 ms`, `1.5 s`, `30 s`: milliseconds as a person reads them. */
export function duration(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${Number((ms / 1000).toFixed(ms < 10_000 ? 1 : 0))} s`;
}
