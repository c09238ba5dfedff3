import { type Colour, colours } from "../../applications/application.ts";
import { expositionOf, one, type Series } from "../exposition.ts";
import type { Reading } from "./reading.ts";

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

/** Without a reading only that there is none: what is not known has no series. */
export function metricsText(application: string, reading: Reading | undefined): string {
  const up = {
    name: "golive_route_up",
    help: "1 when the application's public route can be read and says what it was told, else 0.",
    series: one(reading === undefined ? 0 : 1),
  };
  const known = reading === undefined ? [] : gauges.map((gauge) => ({ ...gauge, series: gauge.series(reading) }));
  return expositionOf(
    { application },
    [up, ...known].map((family) => ({ ...family, type: "gauge" })),
  );
}
