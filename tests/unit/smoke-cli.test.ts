import { describe, expect, it } from "vitest";
import { colourOf, smokeText } from "../../cli/rollout/smoke.ts";
import type { SmokeReport } from "../../rollout/preflight/smoke.ts";

const asked = "POST /login of backend";
const report: SmokeReport = {
  colour: "green",
  version: "2.0.0",
  passed: false,
  milliseconds: 1234,
  tests: [
    {
      name: "the page loads",
      outcome: "passed",
      asked: "GET / of frontend",
      expected: "200",
      got: "200",
      milliseconds: 12,
    },
    { name: "the user logs in", outcome: "failed", asked, expected: "200", got: "500: no database", milliseconds: 5 },
  ],
};

describe("golive rollout smoke", () => {
  it("shows each test, and of one that did not pass what was asked, expected and got", () => {
    expect(smokeText(report)).toBe(
      [
        "outcome  test               time",
        "passed   the page loads    12 ms",
        "failed   the user logs in   5 ms",
        "",
        "the user logs in: POST /login of backend",
        "  expected  200",
        "  got       500: no database",
        "",
        "FAILED: green 2.0.0, 1 of 2 passed in 1.2 s",
      ].join("\n"),
    );
  });

  it("says so when an application has none", () => {
    expect(smokeText({ ...report, tests: [] })).toBe("FAILED: green 2.0.0, there are no smoke tests in 1.2 s");
  });

  it("takes a colour that there is, and refuses any other", () => {
    expect([colourOf(undefined), colourOf("blue")]).toEqual([undefined, "blue"]);
    expect(() => colourOf("red")).toThrow('golive rollout smoke: --colour: got "red"; allowed: blue, green');
  });
});
