import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { taskflow } from "../../applications/taskflow.ts";
import { Clock } from "../../monitoring/clock.ts";
import { judge } from "../../rollout/gate/gate.ts";
import type { Counts, Pair, ServiceMeasured } from "../../rollout/gate/measured.ts";
import { thresholdsOf } from "../../rollout/gate/thresholds.ts";
import type { Outcome } from "../../rollout/gate/verdict.ts";
import { bothReady, judgedOf, measured, thresholds } from "../support/gate.ts";

const better: readonly Outcome[] = ["pass", "hold", "rollback"];
const badness = (outcome: Outcome) => better.indexOf(outcome);

const p95Seconds = fc.constantFrom(0.001, 0.02, 0.05, 0.09, 0.15, 0.21, 0.4, 3);
const some: fc.Arbitrary<Counts> = fc
  .record({
    requests: fc.oneof(fc.nat(700), fc.nat(200_000)),
    part: fc.constantFrom(0, 0.0005, 0.004, 0.011, 0.03, 0.06, 0.3, 1),
    p95Seconds,
  })
  .map(({ requests, part, p95Seconds }) => ({ requests, errors: Math.round(requests * part), p95Seconds }));
const pair: fc.Arbitrary<Pair> = fc.record({ candidate: some, stable: some });
const service: fc.Arbitrary<ServiceMeasured> = fc
  .record({
    window: pair,
    immediate: pair,
    planned: pair,
    same: fc.boolean(),
    baselineP95Seconds: fc.oneof(p95Seconds, fc.constant(Number.NaN)),
  })
  .map(({ same, ...counts }) => (same ? { ...counts, immediate: counts.window, planned: counts.window } : counts));
const seconds = fc.constantFrom(5, 59, 60, 120, 600, 900, 1800, 7200);
const from = fc.constantFrom(10, 50, 90, 100);
const windows = ["window", "immediate", "planned"] as const;

const withCounts = (of: ServiceMeasured, role: keyof Pair, change: (counts: Counts) => Counts): ServiceMeasured => {
  const changed = (each: Pair): Pair => ({ ...each, [role]: change(each[role]) });
  return { ...of, window: changed(of.window), immediate: changed(of.immediate), planned: changed(of.planned) };
};

describe("whatever is measured, the gate", () => {
  it("passes only with finite numbers", () => {
    const odd = fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1);
    const place = fc.record({
      window: fc.constantFrom(...windows),
      role: fc.constantFrom("candidate", "stable"),
      what: fc.constantFrom("requests", "errors"),
    });
    fc.assert(
      fc.property(service, seconds, odd, place, (of, since, value, { window, role, what }) => {
        const changed = { ...of, [window]: { ...of[window], [role]: { ...of[window][role], [what]: value } } };
        expect(judgedOf(changed, since).outcome).toBe("hold");
      }),
    );
  });

  it("passes only when it would pass with less: more failures or slower answers make no verdict better", () => {
    fc.assert(
      fc.property(
        service,
        seconds,
        from,
        fc.nat(5000),
        fc.constantFrom(0, 0.01, 1),
        (of, since, percent, errors, slower) => {
          const worse = withCounts(of, "candidate", (each) => ({
            requests: each.requests,
            errors: Math.min(each.requests, each.errors + errors),
            p95Seconds: each.p95Seconds + slower,
          }));
          const outcome = (service: ServiceMeasured) => badness(judgedOf(service, since, { from: percent }).outcome);
          expect(outcome(worse)).toBeGreaterThanOrEqual(outcome(of));
        },
      ),
    );
  });

  it("never passes below the sample, nor before the release has settled", () => {
    fc.assert(
      fc.property(service, seconds, from, (of, since, percent) => {
        const { outcome } = judgedOf(of, since, { from: percent });
        const enough = of.window.candidate.requests >= 500 && (percent === 100 || of.window.stable.requests >= 500);
        if (!enough || since < 60) expect(outcome).not.toBe("pass");
      }),
    );
  });

  it("never passes beyond a limit of the canary, in any of the recent windows", () => {
    fc.assert(
      fc.property(service, seconds, (of, since) => {
        const { requests, errors, p95Seconds } = of.window.candidate;
        if (errors > requests * 0.01 || p95Seconds > 0.2) expect(judgedOf(of, since).outcome).not.toBe("pass");
        const lately = of.immediate.candidate;
        if (lately.requests >= 500 && lately.errors > lately.requests * 0.01)
          expect(judgedOf(of, since).outcome).not.toBe("pass");
      }),
    );
  });

  it("blames no release that is no worse than stable", () => {
    fc.assert(
      fc.property(service, seconds, fc.nat(3), (of, since, times) => {
        const same = (each: Pair): Pair => ({
          candidate: each.candidate,
          stable: {
            ...each.candidate,
            errors: each.candidate.errors * (1 + times),
            requests: each.candidate.requests * (1 + times),
          },
        });
        const shared = { ...of, window: same(of.window), immediate: same(of.immediate), planned: same(of.planned) };
        expect(judgedOf(shared, since).outcome).not.toBe("rollback");
      }),
    );
  });

  it("blames no release the more for failures of stable", () => {
    fc.assert(
      fc.property(service, seconds, fc.nat(50_000), (of, since, errors) => {
        const worse = withCounts(of, "stable", (each) => ({
          ...each,
          errors: Math.min(each.requests, each.errors + errors),
        }));
        if (judgedOf(of, since).outcome !== "rollback") expect(judgedOf(worse, since).outcome).not.toBe("rollback");
      }),
    );
  });

  it("takes nothing from the candidate that stable cannot serve, and nothing from 0", () => {
    fc.assert(
      fc.property(service, seconds, fc.constantFrom(0, 10, 50, 100), fc.boolean(), (of, since, percent, candidate) => {
        const out = judgedOf(of, since, { from: percent, ready: { candidate, stable: false } });
        expect(out.outcome).not.toBe("rollback");
        expect(judgedOf(of, since, { from: 0, ready: { candidate, stable: true } }).outcome).toBe(
          candidate ? "pass" : "hold",
        );
      }),
    );
  });

  it("says the same on a clock that hurries, of what took as much less time", () => {
    const hurried = thresholdsOf(taskflow, new Clock(15));
    // Beyond what requests a second say of bursts.
    const dense = service.filter((of) =>
      windows.every((each) =>
        [of[each].candidate, of[each].stable].every(({ requests }) => requests === 0 || requests > 8 * 7200),
      ),
    );
    fc.assert(
      fc.property(dense, seconds, from, (of, since, percent) => {
        const asked = { from: percent, ready: bothReady };
        expect(judge({ measured: measured(of, since / 15, 0), ...asked }, hurried).outcome).toBe(
          judge({ measured: measured(of, since, 0), ...asked }, thresholds).outcome,
        );
      }),
      { numRuns: 50 },
    );
  });

  it("is certain of what it is certain of: the more of the same, the same", () => {
    fc.assert(
      fc.property(some, some, fc.integer({ min: 2, max: 20 }), (candidate, stable, times) => {
        const of = (factor: number) => {
          const scaled = ({ requests, errors, p95Seconds }: Counts) => ({
            requests: requests * factor,
            errors: errors * factor,
            p95Seconds,
          });
          const both = { candidate: scaled(candidate), stable: scaled(stable) };
          return judgedOf(
            { window: both, immediate: both, planned: both, baselineP95Seconds: Number.NaN },
            900 * factor,
          ).outcome;
        };
        if (of(1) === "rollback") expect(of(times)).toBe("rollback");
      }),
    );
  });
});
