import { describe, expect, it } from "vitest";
import { stepText } from "../../rollout/gate/text.ts";
import { Ladder } from "../../rollout/ladder.ts";
import { assessment, holding, measured, service } from "../support/assessment.ts";
import { observed } from "../support/live.ts";

const ladder = Ladder.parse("10/15,50/15,100/30");
if (!(ladder instanceof Ladder)) throw new Error(ladder.join("; "));
const step = { to: 50, override: undefined, candidate: "green", stable: "blue", ladder, speed: 1 } as const;

/** Nothing has reached the candidate yet; so many requests a quarter of an hour. */
const fromZero = (perQuarter: number) =>
  assessment({
    observed: observed(),
    from: 0,
    measured: measured({
      services: { backend: service(Number.NaN, perQuarter), frontend: service(0, 2 * perQuarter) },
    }),
  });

describe("the preview of a step up", () => {
  it("says the verdict with its numbers, what the step exposes and when there is a sample", () => {
    expect(stepText(assessment(), step)).toEqual({
      lines: [
        "gate: pass: all is well",
        "soak: over (15 min 0 s)",
        "backend: green 3,000 requests, 0.03 % failed, p95 45 ms, blue 27,000 requests, 0 % failed, p95 45 ms; over 15 min 0 s",
        "frontend: green 1,500 requests, 0.07 % failed, p95 45 ms, blue 13,500 requests, 0 % failed, p95 45 ms; over 15 min 0 s",
        "50 % exposes 1,500 requests a minute to green (now 300); a valid sample (500 of frontend) takes 1 min",
      ],
      warnings: [],
    });
  });

  it("warns that the up would be refused now, and says when to try again", () => {
    const { lines, warnings } = stepText(assessment({ soakLeftSeconds: 61, verdict: holding(40) }), step);
    expect(lines.slice(0, 2)).toEqual([
      "gate: hold: backend has 120 of 500 requests",
      "soak: 1 min 1 s of 15 min 0 s left",
    ]);
    expect(warnings).toEqual([
      "an `up` would refuse this now: candidateTraffic 10 -> 50 is held: 1 min 1 s of the soak of 15 min 0 s at 10 % are left; the gate holds: backend has 120 of 500 requests; next: try again in 1 min 1 s (2026-11-21T12:01:01Z); a step that cannot wait needs golive:override {percent: 50, release, reason}",
    ]);
  });

  it("says why it has no numbers", () => {
    const unmeasured = "Prometheus (prometheus:9090 in monitoring) answered 503: no endpoints";
    const { lines } = stepText(assessment({ measured: undefined, unmeasured, verdict: holding(undefined) }), step);
    expect(lines.at(-1)).toBe(`nothing was measured: ${unmeasured}`);
  });

  it("says that there will be no sample of a service that nobody asks", () => {
    const quiet = measured({ services: { backend: service(100, 900), frontend: service(0, 0) } });
    expect(stepText(assessment({ measured: quiet }), step).lines.slice(-2)).toEqual([
      "frontend: green 0 requests, p95 45 ms, blue 0 requests, p95 45 ms; over 15 min 0 s",
      "50 % exposes 33 requests a minute to green (now 6.67); frontend gets no requests: there will be no valid sample",
    ]);
  });
});

describe("the first rung", () => {
  const first = { ...step, to: 10 };

  it("is announced without a verdict: there is nothing to judge yet", () => {
    expect(stepText(fromZero(27_000), first)).toEqual({
      lines: [
        "backend: blue 27,000 requests, 0 % failed, p95 45 ms; over 15 min 0 s",
        "frontend: blue 54,000 requests, 0 % failed, p95 45 ms; over 15 min 0 s",
        "10 % exposes 540 requests a minute to green; a valid sample (500 of backend) takes 2.78 min",
      ],
      warnings: [],
    });
  });

  it.each([
    [
      "larger, for so little traffic",
      1900,
      "10 % gives a valid sample of backend only after 39 of 15 min: a first rung of 27 % would do, or a longer soak",
    ],
    [
      "smaller, for so much",
      270_000,
      "10 % gives a valid sample of backend after 0.3 of 15 min: a first rung of 1 % would show the same to fewer users",
    ],
    [
      "none that helps, for almost none",
      400,
      "even 100 % would not give a valid sample of backend within a soak of 15 min: let the ladder soak longer, or send it requests of your own",
    ],
  ])("that is proposed is %s", (_, perQuarter, advice) => {
    expect(stepText(fromZero(perQuarter), first).warnings).toEqual([advice]);
  });

  it("gets no advice where nobody knows the traffic", () => {
    const unknown = assessment({ observed: observed(), from: 0, measured: undefined, unmeasured: "nobody answers" });
    expect(stepText(unknown, first)).toEqual({ lines: ["nothing was measured: nobody answers"], warnings: [] });
  });

  it("and no other rung is what advice is about", () => {
    const { warnings } = stepText(assessment({ measured: measured({ services: { backend: service(1, 9) } }) }), step);
    expect(warnings).toEqual([]);
  });
});
