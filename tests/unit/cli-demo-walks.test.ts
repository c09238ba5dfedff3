import { describe, expect, it } from "vitest";
import { type Walk, walkProblems, walksText } from "../../cli/demo/walks-report.ts";

const good: Walk = {
  release: "good",
  outcome: "reached",
  reason: "100 % of the requests reach the candidate",
  live: 100,
  steps: [
    { from: 0, to: 10, outcome: "success" },
    { from: 10, to: 50, outcome: "success" },
    { from: 50, to: 100, outcome: "success" },
  ],
  seconds: 200.4,
  requests: 50_000,
  failed: 0,
  written: 5_000,
  lost: 0,
  p95Ms: 12.3,
  backSeconds: null,
};
const bad: Walk = {
  ...good,
  release: "bad",
  outcome: "rolled back",
  reason: "green was tripped",
  live: 0,
  steps: [
    { from: 0, to: 10, outcome: "success" },
    { from: 10, to: 0, outcome: "rolled back" },
    { from: 0, to: 10, outcome: "not executed" },
  ],
  failed: 40,
  backSeconds: 2.34,
};

describe("the demo's walks", () => {
  it("are as they must be when the good release arrives unharmed and the bad one is back at 0", () => {
    expect(walkProblems([good, bad])).toEqual([]);
  });

  it.each([
    [
      { ...good, outcome: "held", live: 50 } as const,
      "the good release: held at 50 % (100 % of the requests reach the candidate); it must be reached at 100 %",
    ],
    [{ ...good, failed: 1 }, "the good release: 1 of 50000 requests failed; none may"],
    [
      { ...bad, outcome: "reached", live: 100 } as const,
      "the bad release: reached at 100 % (green was tripped); it must be rolled back at 0 %",
    ],
    [{ ...bad, lost: 2 }, "the bad release: 2 of 5000 tasks that were written are lost; none may"],
  ])("fail the demo else, and say which one (%#)", (walk, message) => {
    expect(walkProblems([walk])).toEqual([message]);
  });

  it("are told in one table, without the steps that were not taken", () => {
    expect(walksText([good, bad]).split("\n").slice(0, 3)).toEqual([
      "release  steps              ended         live  requests  failed    p95  back at 0 after   took",
      "good     0→10 10→50 50→100  reached      100 %     50000       0  12 ms                -  200 s",
      "bad      0→10 10→0          rolled back    0 %     50000      40  12 ms            2.3 s  200 s",
    ]);
  });
});
