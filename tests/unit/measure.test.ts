import { describe, expect, it } from "vitest";
import { taskflow } from "../../applications/taskflow.ts";
import { measure, windowsOf } from "../../rollout/gate/measure.ts";

const at = 1_800_000_000;
const args = {
  application: taskflow,
  namespace: "production",
  candidate: "green",
  immediateSeconds: 600,
  plannedSeconds: 1800,
  since: at - 900,
  at,
} as const;

/** Answers by what an expression asks for: the first of these texts that is all in it. */
const answering =
  (answers: readonly (readonly [texts: readonly string[], value: number])[], asked: string[] = []) =>
  async (promql: string, moment: number) => {
    expect(moment).toBe(at);
    asked.push(promql);
    return answers.find(([texts]) => texts.every((text) => promql.includes(text)))?.[1] ?? Number.NaN;
  };

const green = ['service="backend"', 'colour="green"'];
const throughGateway = "traefik_service_requests_total{";
const ofGreen = "production-taskflow-backend-green-.*";

describe("the windows", () => {
  it.each([
    ["reach back to the last step, the long ones no further", 900, { window: 900, immediate: 600, planned: 900 }],
    ["are short just after a step", 20, { window: 20, immediate: 20, planned: 20 }],
    ["are as long as the triggers on a long rung", 7200, { window: 7200, immediate: 600, planned: 1800 }],
    [
      "end somewhere on a rung that was left alone for days",
      500_000,
      { window: 21_600, immediate: 600, planned: 1800 },
    ],
    ["are never empty, whatever the clocks say", -5, { window: 1, immediate: 1, planned: 1 }],
  ])("%s", (_, passed, windows) => {
    expect(windowsOf({ ...args, since: at - passed })).toEqual(windows);
  });
});

describe("what is measured", () => {
  it("is each service of both colours, over each window, with the expressions that were asked", async () => {
    const asked: string[] = [];
    const measured = await measure(
      answering(
        [
          [["timestamp("], at - 4],
          [["golive:baseline:latency:p95", 'service="backend"'], 0.05],
          [[...green, "histogram_quantile", "[10m]"], 0.08],
          [[...green, "histogram_quantile"], 0.07],
          [[...green, "5..", "[10m]"], 2],
          [[...green, "5.."], 3],
          [[...green, "[10m]"], 400],
          [green, 600],
          [['colour="blue"', "histogram_quantile"], 0.06],
          [['colour="blue"', "5.."], 0],
          [['colour="blue"'], 5400],
        ],
        asked,
      ),
      args,
    );
    expect(Object.keys(measured.services)).toEqual(["backend", "frontend"]);
    const blue = { requests: 5400, errors: 0, p95Seconds: 0.06 };
    expect(measured.services.backend).toEqual({
      window: { candidate: { requests: 600, errors: 3, p95Seconds: 0.07 }, stable: blue },
      immediate: { candidate: { requests: 400, errors: 2, p95Seconds: 0.08 }, stable: blue },
      planned: { candidate: { requests: 600, errors: 3, p95Seconds: 0.07 }, stable: blue },
      baselineP95Seconds: 0.05,
    });
    expect(measured).toMatchObject({ at, since: at - 900, newest: at - 4 });
    expect(measured.queries.map(({ promql }) => promql)).toEqual(asked);
    // The window since the step and the planned one are the same: nothing is asked twice.
    expect(new Set(asked).size).toBe(asked.length);
    expect(measured.queries.find(({ promql }) => promql.includes("timestamp("))?.value).toBe(at - 4);
    for (const promql of asked) expect(promql).toMatch(/namespace="production"|service=~"production-/);
  });

  it("leaves what nobody counted unknown", async () => {
    const { services, newest } = await measure(answering([]), args);
    expect(newest).toBeNaN();
    expect(services.backend?.window.candidate).toEqual({
      requests: Number.NaN,
      errors: Number.NaN,
      p95Seconds: Number.NaN,
    });
  });

  it("has the failures that only the gateway saw: a process that dies over a request counts none", async () => {
    const { services } = await measure(
      answering([
        [[throughGateway, ofGreen, 'code=~"5.."'], 40],
        [[throughGateway, ofGreen], 650],
        [[...green, "5.."], 0],
        [green, 600],
      ]),
      args,
    );
    expect(services.backend?.window.candidate).toMatchObject({ requests: 650, errors: 40 });
  });

  it("keeps a number that is none", async () => {
    const { services } = await measure(answering([[green, Number.POSITIVE_INFINITY]]), args);
    expect(services.backend?.window.candidate.requests).toBe(Number.POSITIVE_INFINITY);
  });

  it("is nothing at all when one question had no answer", async () => {
    const broken = async (promql: string) => {
      if (promql.includes("histogram_quantile")) throw new Error("Prometheus answered 503: starting up");
      return 1;
    };
    await expect(measure(broken, args)).rejects.toThrow("Prometheus answered 503: starting up");
  });
});
