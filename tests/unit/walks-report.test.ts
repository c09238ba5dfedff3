import { describe, expect, it } from "vitest";
import { type Walk, walkProblems } from "../../cli/demo/walks-report.ts";

const walk = (seconds: number): Walk => ({
  ...{ release: "good", outcome: "reached", reason: "100 %", live: 100, steps: [], backSeconds: null, seconds },
  ...{ requests: 50_000, failed: 0, written: 5000, lost: 0, p95Ms: 12 },
});

describe("the demo's walks", () => {
  it("take less than ten minutes together, or the demo fails and says how long they took", () => {
    expect(walkProblems([walk(400), walk(199.9)])).toEqual([]);
    expect(walkProblems([walk(400), walk(200)])).toEqual([
      "the walks took 600 s together; they must take less than 600 s",
    ]);
  });
});
