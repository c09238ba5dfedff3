import type { LoadRecord } from "../../local/load/records.ts";
import type { Colour } from "../../local/load/sample.ts";
import { table } from "../table.ts";

/** One way back, as users saw it. */
export interface RollbackFigures {
  readonly way: string;
  /** From the first bad answer until the candidate's last answer. */
  readonly seconds: number;
  readonly failed: number;
  readonly requests: number;
}

/** What a load says of one way back: from the first request that the candidate failed until it answered its last one. */
export function figuresOf(way: string, records: readonly LoadRecord[], candidate: Colour): RollbackFigures {
  const answered = records.filter(({ colour }) => colour === candidate);
  const first = answered.find(({ ok }) => !ok);
  if (first === undefined) throw new RangeError(`${way}: the candidate failed no request`);
  const last = Math.max(...answered.map(({ at, ms }) => at + ms));
  const failed = records.filter(({ ok }) => !ok).length;
  return { way, seconds: (last - first.at - first.ms) / 1000, failed, requests: records.length };
}

/** Flagger 1.41 (`interval: 10s`, `threshold: 2`) on the same work, for the ratio. */
const flagger = { seconds: 30.0, failed: 1351, requests: 134_535 };

export function rollbackText(figures: readonly RollbackFigures[]): string {
  const header = ["way back", "first bad answer to 0 %", "failed requests", "of", "failed, to Flagger's"];
  const rows = [...figures, { way: "Flagger 1.41, measured before", ...flagger }].map(
    ({ way, seconds, failed, requests }) => [
      way,
      `${seconds.toFixed(1)} s`,
      `${failed}`,
      `${requests}`,
      (failed / flagger.failed).toFixed(2),
    ],
  );
  return table(header, rows);
}
