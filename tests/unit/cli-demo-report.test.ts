import { describe, expect, it } from "vitest";
import { bar, type DemoReport, type DemoStep, reportText, shortcomings } from "../../cli/demo/report.ts";
import { median, table } from "../../cli/table.ts";

const step = {
  asked: 10,
  measured: 9.8,
  requests: 2503,
  failed: 0,
  p95Ms: 12.4,
  upSeconds: 2.31,
  settleSeconds: 0,
  prometheus: { share: 9.9, errorPercent: 0, p95Ms: 8.6 },
} satisfies DemoStep;
const load = {
  requestsPerSecond: 250,
  seconds: 61.2,
  requests: 15300,
  failed: 0,
  failures: [],
  written: 1530,
  lost: 0,
};
const report = (change: Partial<DemoStep>, changedLoad: Partial<DemoReport["load"]> = {}): DemoReport => ({
  steps: [{ ...step, ...change }],
  refusals: [{ from: 10, asked: 100, exitCode: 255, message: "candidateTraffic 10 -> 100 skips a rung" }],
  load: { ...load, ...changedLoad },
});

describe("the demo", () => {
  it("succeeds when each share is right, of enough requests, and none failed", () => {
    expect(shortcomings(report({}))).toEqual([]);
    expect(shortcomings(report({ measured: 12.9 }))).toEqual([]);
  });

  it.each([
    [
      "a share is more than 3 points off",
      report({ measured: 13.01, prometheus: { ...step.prometheus, share: 13 } }),
      "at 10 %: measured 13.0 %; 3 points off are allowed",
    ],
    ["Prometheus has nothing", report({ prometheus: null }), "at 10 %: Prometheus has no request of that time"],
    [
      "Prometheus measured something else",
      report({ prometheus: { ...step.prometheus, share: 13 } }),
      "at 10 %: measured 9.8 %, Prometheus 13.0 %; they may be 3 points apart",
    ],
    ["a share never settled", report({ settleSeconds: null }), "at 10 %: measured 9.8 %; 3 points off are allowed"],
    ["too few were asked", report({ requests: 1999 }), "at 10 %: 1999 requests; 2000 are needed"],
    [
      "a request failed, between the steps too",
      report(
        {},
        { failed: 2, failures: [{ reason: "status 502", count: 2, first: { at: 1500, kind: "api", colour: "none" } }] },
      ),
      "2 of 15300 requests failed; none may\n  2 x status 502 (first: api after 1.5 s)",
    ],
    ["a task was lost", report({}, { lost: 3 }), "3 of 1530 tasks that were written are lost; none may"],
    ["no task was written", report({}, { written: 0 }), "no task was written, so nothing says that none is lost"],
  ])("fails when %s", (_, failed, problem) => {
    expect(shortcomings(failed)).toEqual([problem]);
  });

  it("fails when nothing was measured", () => {
    expect(shortcomings(report({ measured: Number.NaN }))).toEqual([
      "at 10 %: measured NaN %; 3 points off are allowed",
      "at 10 %: measured NaN %, Prometheus 9.9 %; they may be 3 points apart",
    ]);
  });

  it("ends with a table that a person can read", () => {
    expect(reportText(report({}))).toBe(
      [
        "candidate             asked  measured  requests  failed    p95     up  settled after",
        "██░░░░░░░░░░░░░░░░░░   10 %     9.8 %      2503       0  12 ms  2.3 s          0.0 s",
        "",
        "rung  users: share  Prometheus  users: failed  Prometheus: errors  users: p95  Prometheus: p95",
        "10 %         9.8 %       9.9 %              0              0.00 %       12 ms             9 ms",
        "",
        "refused 10 -> 100: candidateTraffic 10 -> 100 skips a rung",
        "15300 requests in 61 s without a break, 0 failed",
        "1530 tasks written meanwhile, 0 lost",
      ].join("\n"),
    );
  });

  it("draws a share as part of a bar", () => {
    expect([0, 50, 100].map(bar)).toEqual(["░".repeat(20), "█".repeat(10) + "░".repeat(10), "█".repeat(20)]);
  });
});

describe("numbers in a table", () => {
  it("stand below each other", () => {
    expect(
      table(
        ["name", "n"],
        [
          ["a", "1"],
          ["bb", "10"],
        ],
      ),
    ).toBe("name   n\na      1\nbb    10");
  });

  it("have a median, of an even count too, and none of nothing", () => {
    expect([median([3, 1, 2]), median([4, 1, 2, 3])]).toEqual([2, 2.5]);
    expect(() => median([])).toThrow("no values");
  });
});
