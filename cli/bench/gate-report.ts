import { median, table } from "../table.ts";
import type { Ending } from "./gate-simulation.ts";

/** A good release, watched for days. */
export interface GoodRelease {
  readonly name: string;
  readonly rate: number;
  readonly days: number;
  readonly endings: readonly Ending[];
  /** Allowed in 100 days, fewer than so many. */
  readonly aim: number;
}

/** A bad release, many times: one ending for each run, undefined where it was not found in time. */
export interface BadRelease {
  readonly percent: number;
  readonly rate: number;
  readonly endings: readonly (Ending | undefined)[];
  /** Every run is found in less than so many seconds; undefined: there is no aim. */
  readonly aim?: number;
}

export interface GateReport {
  readonly good: readonly GoodRelease[];
  readonly bad: readonly BadRelease[];
  /** A release was given so many seconds to be found. */
  readonly patience: number;
}

const in100Days = ({ endings, days }: GoodRelease) => (endings.length * 100) / days;
const found = ({ endings }: BadRelease) => endings.filter((ending) => ending !== undefined);
const slowest = (release: BadRelease) =>
  found(release).length < release.endings.length
    ? Number.POSITIVE_INFINITY
    : Math.max(...found(release).map(({ seconds }) => seconds));

/** Aims that are missed, one line each. */
export function missedAims({ good, bad }: GateReport): readonly string[] {
  return [
    ...good
      .filter((each) => in100Days(each) >= each.aim)
      .map(
        (each) =>
          `${each.name}, ${each.rate} a second: ${in100Days(each)} false rollbacks in 100 days; aim: fewer than ${each.aim}`,
      ),
    ...bad
      .filter((each) => each.aim !== undefined && slowest(each) >= each.aim)
      .map(
        (each) =>
          `${each.percent} % of ${each.rate} a second: ${Number.isFinite(slowest(each)) ? `found in ${slowest(each)} s` : "not found in every run"}; aim: less than ${each.aim} s`,
      ),
  ];
}

export function gateText(report: GateReport): string {
  const { good, bad, patience } = report;
  const by = (each: GoodRelease, what: Ending["by"]) =>
    String(each.endings.filter((ending) => ending.by === what).length);
  return [
    "Good releases at 10 % of the traffic, a new step every quarter of an hour: false rollbacks",
    table(
      ["", "requests a second", "days", "by the fast test", "by the gate", "in 100 days"],
      good.map((each) => [
        each.name,
        String(each.rate),
        String(each.days),
        by(each, "fast test"),
        by(each, "gate"),
        in100Days(each).toFixed(2),
      ]),
    ),
    "",
    `Bad releases at 10 % of the traffic, ${bad[0]?.endings.length ?? 0} times each: seconds from the step to the rollback (missed: none in ${patience} s)`,
    table(
      [
        "failing",
        "requests a second",
        "median",
        "99 of 100",
        "longest",
        "missed",
        "failed requests",
        "by the fast test",
      ],
      bad.map(badRow),
    ),
    "",
    missedAims(report).length === 0 ? "Aims: held" : `Aims: ${missedAims(report).length} missed`,
  ].join("\n");
}

function badRow(release: BadRelease): readonly string[] {
  const all = found(release);
  const sorted = all.map(({ seconds }) => seconds).sort((a, b) => a - b);
  const shown = (value: number | undefined) => (value === undefined ? "-" : String(Math.round(value)));
  return [
    `${release.percent} %`,
    String(release.rate),
    shown(sorted.length === 0 ? undefined : median(sorted)),
    shown(sorted[Math.ceil(sorted.length * 0.99) - 1]),
    shown(sorted.at(-1)),
    `${Math.round((100 * (release.endings.length - all.length)) / release.endings.length)} %`,
    shown(all.length === 0 ? undefined : median(all.map(({ failed }) => failed))),
    `${all.length === 0 ? "-" : `${Math.round((100 * all.filter(({ by }) => by === "fast test").length) / all.length)} %`}`,
  ];
}
