import { describe, expect, it } from "vitest";
import type { Application } from "../../applications/application.ts";
import { taskflow } from "../../applications/taskflow.ts";
import { Clock } from "../../monitoring/clock.ts";
import { thresholdsOf } from "../../rollout/gate/thresholds.ts";

describe("what a release is judged by", () => {
  it("is what the application says, as ratios and seconds", () => {
    expect(thresholdsOf(taskflow, new Clock())).toEqual({
      sample: 500,
      timesStable: 2,
      settlingSeconds: 60,
      lateSeconds: 60,
      noticeableSeconds: 0.025,
      objective: { errorRatio: 0.001, latencySeconds: 0.1 },
      canary: { errorRatio: 0.01, latencySeconds: 0.2 },
      immediate: { errorRatio: 0.05, seconds: 600 },
      planned: { errorRatio: 0.02, seconds: 1800, timesBaseline: 1.5 },
      doubt: { oneIn: 1e8, burst: { inWindow: 12, bySecond: 8 } },
    });
  });

  it("hurries with the stack's clock in every wait, and in no limit", () => {
    const { immediate, planned, settlingSeconds, lateSeconds, ...limits } = thresholdsOf(taskflow, new Clock(15));
    expect({ immediate, planned, settlingSeconds, lateSeconds }).toEqual({
      immediate: { errorRatio: 0.05, seconds: 40 },
      planned: { errorRatio: 0.02, seconds: 120, timesBaseline: 1.5 },
      settlingSeconds: 4,
      lateSeconds: 10,
    });
    expect(thresholdsOf(taskflow, new Clock())).toMatchObject(limits);
  });

  it.each([
    [{ immediate: { errorPercent: 1, minutes: 10 } }, "0.1, 1, 2, 1"],
    [{ canary: { errorPercent: 0.1, latencySeconds: 0.2, requests: 500 } }, "0.1, 0.1, 2, 5"],
    [{ planned: { errorPercent: Number.NaN, minutes: 30, timesBaseline: 1.5 } }, "0.1, 1, NaN, 5"],
  ])("is refused where its triggers contradict each other: %j", (triggers, got) => {
    const application: Application = { ...taskflow, triggers: { ...taskflow.triggers, ...triggers } };
    expect(() => thresholdsOf(application, new Clock())).toThrow(
      new RangeError(
        `error percents of taskflow: got ${got}; allowed: objective < canary < planned < immediate, each between 0 and 100`,
      ),
    );
  });
});
