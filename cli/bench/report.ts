import { table } from "../table.ts";
import { type Measured, passes, ratioOf } from "./figures.ts";

/** The plan of one query. */
export interface Planned {
  readonly name: string;
  readonly indexes: readonly string[];
  readonly problem: string | undefined;
}

export interface BenchReport {
  readonly tasks: number;
  readonly iterations: number;
  /** How the database was reached. */
  readonly reached: string;
  readonly queries: readonly Measured[];
  readonly calls: readonly Measured[];
  readonly plans: readonly Planned[];
}

/** What is aimed at, beyond what gates. */
const aims = { p95: 10, ratio: 1.3 };

/** Why a bench fails, one line each; none when it passes. */
export function shortcomings({ queries, calls, plans }: BenchReport): readonly string[] {
  return [
    ...[...queries, ...calls].flatMap((each) =>
      passes(each) ? [] : [`${each.name}: p95 ${ms(each.figures.p95)} ms; allowed: less than ${each.limit} ms`],
    ),
    ...plans.flatMap(({ name, problem }) => (problem === undefined ? [] : [`${name}: its plan ${problem}`])),
  ];
}

export function benchText(report: BenchReport): string {
  const { tasks, iterations, reached, queries, calls, plans } = report;
  const header = ["milliseconds", "", "min", "mean", "median", "p95", "max", "limit"];
  const cells = (each: Measured) => {
    const { min, mean, median, p95, max } = each.figures;
    return [each.name, passes(each) ? "PASS" : "FAIL", ...[min, mean, median, p95, max].map(ms), String(each.limit)];
  };
  const guarded = queries.map((each) => [
    ...cells(each),
    each.plain === undefined ? "-" : ms(each.plain.median),
    each.plain === undefined ? "-" : ms(each.plain.p95),
    ratioOf(each)?.toFixed(2) ?? "-",
  ]);
  return [
    `${tasks.toLocaleString("en")} tasks, ${iterations} times each, ${reached}`,
    "",
    "Queries, each in the transaction that the application makes of it; on the right the same without row level security:",
    table([...header, "median", "p95", "ratio"], guarded, 2),
    "",
    "Calls of the API, without a cache:",
    table(header, calls.map(cells), 2),
    "",
    "Plans under row level security:",
    table(
      ["query", "", "indexes"],
      plans.map(({ name, indexes, problem }) => [
        name,
        problem === undefined ? "PASS" : `FAIL: ${problem}`,
        indexes.join(", "),
      ]),
      3,
    ),
    "",
    aimsText(report),
  ].join("\n");
}

/** The ratio is that of the medians: one slow run does not move it. */
function aimsText({ queries }: BenchReport): string {
  const slow = queries.filter(({ figures }) => figures.p95 >= aims.p95).map(({ name }) => name);
  const dear = queries.filter((each) => (ratioOf(each) ?? 0) >= aims.ratio).map(({ name }) => name);
  const held = (names: readonly string[]) => (names.length === 0 ? "held" : `not held by ${names.join(", ")}`);
  return `Aims of the queries: p95 under ${aims.p95} ms: ${held(slow)}; ratio of the medians under ${aims.ratio}: ${held(dear)}`;
}

const ms = (value: number) => value.toFixed(2);
