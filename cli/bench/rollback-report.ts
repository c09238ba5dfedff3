import type { LoadRecord } from "../../local/load/records.ts";
import type { Colour } from "../../local/load/sample.ts";
import { table } from "../table.ts";

/** What makes the traffic go. */
export type WayName = "guard" | "abort --now" | "pulumi up";

/** One way back, as users saw it. */
export interface RollbackFigures {
  readonly way: WayName;
  /** From the first bad answer until the candidate's last answer. */
  readonly seconds: number;
  readonly failed: number;
  readonly requests: number;
}

/** What a load says of one way back: from the first request that the candidate failed until it answered its last one. */
export function figuresOf(way: WayName, records: readonly LoadRecord[], candidate: Colour): RollbackFigures {
  const answered = records.filter(({ colour }) => colour === candidate);
  const first = answered.find(({ ok }) => !ok);
  if (first === undefined) throw new RangeError(`${way}: the candidate failed no request`);
  const last = Math.max(...answered.map(({ at, ms }) => at + ms));
  const failed = records.filter(({ ok }) => !ok).length;
  return { way, seconds: (last - first.at - first.ms) / 1000, failed, requests: records.length };
}

/** Flagger 1.41 (`interval: 10s`, `threshold: 2`) on the same work, for the ratio. */
const flagger = { seconds: 30.0, failed: 1351, requests: 134_535 };

/** What is to be kept of each way back. `pulumi up` has no aim: it takes as long as the engine does. */
const aims: readonly {
  readonly way: WayName;
  readonly aim: string;
  readonly got: (figures: RollbackFigures) => string;
  readonly holds: (figures: RollbackFigures) => boolean;
}[] = [
  { way: "guard", aim: "at most 5 s", got: secondsText, holds: ({ seconds }) => seconds <= 5 },
  {
    way: "guard",
    aim: `at most ${Math.floor(flagger.failed / 6)}, a sixth of Flagger's`,
    got: ({ failed }) => `${failed} failed requests`,
    holds: ({ failed }) => failed <= flagger.failed / 6,
  },
  { way: "abort --now", aim: "less than 2 s", got: secondsText, holds: ({ seconds }) => seconds < 2 },
];

function secondsText({ seconds }: RollbackFigures): string {
  return `${seconds.toFixed(2)} s from the first bad answer to the last`;
}

/** Aims that are missed, one line each. */
export const missedAims = (figures: readonly RollbackFigures[]): readonly string[] =>
  figures.flatMap((each) =>
    aims
      .filter(({ way, holds }) => way === each.way && !holds(each))
      .map(({ way, aim, got }) => `${way}: ${got(each)}; aim: ${aim}`),
  );

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
  const missed = missedAims(figures).length;
  return [table(header, rows), "", missed === 0 ? "Aims: held" : `Aims: ${missed} missed`].join("\n");
}
