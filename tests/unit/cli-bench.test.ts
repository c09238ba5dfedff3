import { describe, expect, it } from "vitest";
import { type PlanNode, planProblem, readsOf } from "../../cli/bench/explain.ts";
import { type Figures, figuresOf, type Measured, passes, ratioOf } from "../../cli/bench/figures.ts";
import { reportText } from "../../cli/bench/preview.ts";
import { type BenchReport, benchText, shortcomings } from "../../cli/bench/report.ts";
import { bench } from "../../cli/bench.ts";
import type { Progress } from "../../cli/progress.ts";
import { Session } from "../../cli/session.ts";
import { failureOf } from "../support/failure.ts";

const figures = (p95: number, median = p95): Figures => ({ min: 1, mean: 2, median, p95, max: 9 });

describe("the figures of a measurement", () => {
  it("are those of the plan: p95 is the 96th of a hundred, whatever their order (S0-34)", () => {
    const hundred = Array.from({ length: 100 }, (_, index) => ((index * 37) % 100) + 1);
    expect(figuresOf(hundred)).toEqual({ min: 1, mean: 50.5, median: 50.5, p95: 96, max: 100 });
  });

  it("are none of nothing", () => {
    expect(() => figuresOf([])).toThrow(RangeError);
  });

  it("pass below the limit, and fail at it", () => {
    const measured = (p95: number): Measured => ({ name: "x", figures: figures(p95), limit: 50 });
    expect([measured(49.99), measured(50)].map(passes)).toEqual([true, false]);
  });

  it("are compared by their medians", () => {
    const measured = { name: "x", figures: figures(90, 1.5), limit: 50 };
    expect(ratioOf({ ...measured, plain: figures(3, 1.2) })).toBeCloseTo(1.25);
    expect(ratioOf(measured)).toBeUndefined();
  });
});

describe("a plan", () => {
  const scan = (node: Partial<PlanNode>): PlanNode => ({ "Node Type": "Index Scan", ...node });
  const plan = scan({
    "Node Type": "Nested Loop",
    Plans: [
      scan({ "Relation Name": "tasks", "Index Name": "idx_tasks_team_id" }),
      scan({ "Node Type": "Bitmap Index Scan", "Index Name": "users_pkey" }),
      scan({ "Node Type": "Limit", Plans: [scan({ "Node Type": "Seq Scan", "Relation Name": "teams" })] }),
      scan({ "Relation Name": "tasks", "Index Name": "idx_tasks_team_id" }),
    ],
  });

  it("is read to its leaves", () => {
    expect(readsOf(plan)).toEqual({ indexes: ["idx_tasks_team_id", "users_pkey"], wholeTables: ["teams"] });
  });

  it.each([
    ["uses an index and reads a small table whole", plan, ["tasks"], undefined],
    ["reads a big table whole", plan, ["tasks", "teams"], "reads teams from end to end"],
    ["uses no index", scan({ "Node Type": "Seq Scan", "Relation Name": "teams" }), ["tasks"], "uses no index"],
  ])("that %s", (_, root, big, problem) => {
    expect(planProblem(readsOf(root), big)).toBe(problem);
  });
});

describe("the report of golive bench database", () => {
  const report: BenchReport = {
    tasks: 200_000,
    iterations: 100,
    reached: "straight to the pod",
    queries: [
      { name: "tasks by team", figures: figures(4, 2), plain: figures(3, 1.8), limit: 50 },
      { name: "tasks by status", figures: figures(51, 30), plain: figures(40, 20), limit: 50 },
    ],
    calls: [{ name: "GET /api/tasks", figures: figures(100), limit: 100 }],
    plans: [
      { name: "tasks by team", indexes: ["idx_tasks_team_id"], problem: undefined },
      { name: "tasks by status", indexes: [], problem: "uses no index" },
    ],
  };

  it("says what fails, each with its figure", () => {
    expect(shortcomings(report)).toEqual([
      "tasks by status: p95 51.00 ms; allowed: less than 50 ms",
      "GET /api/tasks: p95 100.00 ms; allowed: less than 100 ms",
      "tasks by status: its plan uses no index",
    ]);
  });

  it("shows every figure, and which aims hold", () => {
    expect(benchText(report)).toBe(
      [
        "200,000 tasks, 100 times each, straight to the pod",
        "",
        "Queries, each in the transaction that the application makes of it; on the right the same without row level security:",
        "milliseconds            min  mean  median    p95   max  limit  median    p95  ratio",
        "tasks by team    PASS  1.00  2.00    2.00   4.00  9.00     50    1.80   3.00   1.11",
        "tasks by status  FAIL  1.00  2.00   30.00  51.00  9.00     50   20.00  40.00   1.50",
        "",
        "Calls of the API, without a cache:",
        "milliseconds           min  mean  median     p95   max  limit",
        "GET /api/tasks  FAIL  1.00  2.00  100.00  100.00  9.00    100",
        "",
        "Plans under row level security:",
        "query                                 indexes",
        "tasks by team    PASS                 idx_tasks_team_id",
        "tasks by status  FAIL: uses no index",
        "",
        "Aims of the queries: p95 under 10 ms: not held by tasks by status; ratio of the medians under 1.3: not held by tasks by status",
      ].join("\n"),
    );
  });
});

describe("golive bench", () => {
  const quiet: Progress = { note: () => {}, stage: (_, work) => work(quiet) };
  const help = "See: golive bench --help";

  it.each([
    ["", `golive bench: got nothing; allowed: step, database, gate, preview, rollback. ${help}`],
    ["step database", `golive bench: got "step database"; allowed: step, database, gate, preview, rollback. ${help}`],
    ["step --tasks 5", `golive bench: got --tasks; step takes no options. ${help}`],
    ["database --tasks 5", `golive bench: --tasks: got "5"; allowed: 50000 to 2000000. ${help}`],
    ["gate --tasks 50000", `golive bench: got --tasks; gate takes --days only. ${help}`],
    ["database --days 5", `golive bench: got --days; database takes --tasks only. ${help}`],
    ["gate --days 0.5", `golive bench: --days: got "0.5"; allowed: 1 to 10000. ${help}`],
  ])("%j is refused with what is allowed", async (line, message) => {
    const args = line === "" ? [] : line.split(" ");
    expect(await failureOf(() => bench.run(args, new Session(quiet)))).toEqual({ message, exitCode: 2 });
  });
});

describe("the report of golive bench preview", () => {
  const seconds = (judged: readonly number[]) => reportText({ plain: [5, 4, 6], empty: [6, 7, 5.5], judged });

  it("compares medians, and says what no pack can do without", () => {
    expect(seconds([6.2, 6.4, 9])).toBe(
      [
        "seconds of a preview of production    #1    #2    #3  median",
        "without policies                    5.00  4.00  6.00    5.00",
        "with a pack without rules           6.00  7.00  5.50    6.00",
        "with the pack                       6.20  6.40  9.00    6.40",
        "",
        "ratio 1.28: less than 1.30 (a pack without rules: 1.20)",
      ].join("\n"),
    );
  });

  it("says when the pack costs too much", () => {
    expect(seconds([6.5, 6.5, 6.5])).toContain("ratio 1.30: NOT less than 1.30");
  });
});
