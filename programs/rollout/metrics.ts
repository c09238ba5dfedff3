import { type Colour, colours } from "../../applications/application.ts";
import { expositionOf, one, type Series } from "../exposition.ts";
import type { Tail } from "./ledger-watch.ts";
import type { Reading } from "./reading.ts";
import type { Recorded } from "./recorded.ts";

interface Gauge {
  readonly name: string;
  readonly help: string;
  readonly series: (reading: Reading) => readonly Series[];
}

const byColour = (value: (colour: Colour) => number): readonly Series[] =>
  colours.map((colour) => ({ labels: { colour }, value: value(colour) }));

const gauges: readonly Gauge[] = [
  {
    name: "golive_candidate_traffic_percent",
    help: "Percent of the public requests that the candidate was last told to get.",
    series: ({ candidate, candidateTraffic }) => [{ labels: { candidate }, value: candidateTraffic }],
  },
  {
    name: "golive_weight_percent",
    help: "Largest percent that any rule of the live route gives to a colour.",
    series: ({ weights }) => byColour((colour) => weights[colour]),
  },
  {
    name: "golive_stepped_timestamp_seconds",
    help: "When the route was last written.",
    series: ({ steppedAt }) => one(steppedAt),
  },
  {
    name: "golive_soak_seconds",
    help: "Minimum time on the present rung; 0 when the candidate has no traffic.",
    series: ({ soakSeconds }) => one(soakSeconds),
  },
  {
    name: "golive_rung",
    help: "Index of the rung that the candidate's live traffic reached; 0 when it has none.",
    series: ({ rung }) => one(rung),
  },
  { name: "golive_rungs", help: "Number of rungs of the ladder.", series: ({ rungs }) => one(rungs) },
  {
    name: "golive_tripped",
    help: "1 when a colour must get no traffic and nobody acknowledged that yet, else 0.",
    series: ({ tripped }) => byColour((colour) => Number(tripped[colour])),
  },
  {
    name: "golive_retired",
    help: "1 when a colour is scaled to no pods, else 0.",
    series: ({ retired }) => byColour((colour) => Number(retired[colour])),
  },
];

/** What the ledger says: its records are what a dashboard marks. */
const ledgerFamilies = ({ isRead, records }: Tail) => [
  {
    name: "golive_ledger_up",
    help: "1 when the newest records of the ledger could all be read, else 0.",
    series: one(isRead ? 1 : 0),
  },
  {
    name: "golive_recorded_timestamp_seconds",
    help: "When each of the newest records of the ledger was written.",
    series: records.map(recordSeries),
  },
];

const recordSeries = ({ number, at, kind, candidate, percent }: Recorded): Series => ({
  labels: { number: String(number), kind, candidate, percent: String(Math.round(percent * 10) / 10) },
  value: at,
});

/** Without a reading only that there is none, and nothing of a ledger before the first look: what is not known has no series. */
export function metricsText(application: string, reading: Reading | undefined, tail?: Tail): string {
  const up = {
    name: "golive_route_up",
    help: "1 when the application's public route can be read and says what it was told, else 0.",
    series: one(reading === undefined ? 0 : 1),
  };
  const known = reading === undefined ? [] : gauges.map((gauge) => ({ ...gauge, series: gauge.series(reading) }));
  const recorded = tail === undefined ? [] : ledgerFamilies(tail);
  return expositionOf(
    { application },
    [up, ...known, ...recorded].map((family) => ({ ...family, type: "gauge" })),
  );
}
