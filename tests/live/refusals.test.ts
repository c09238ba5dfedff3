import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { tripAnnotation } from "../../rollout/told.ts";
import {
  annotateRoute,
  deletePods,
  editWeights,
  liveWeights,
  readyPods,
  removeRule,
  scale,
  until,
} from "../support/live-cluster.ts";
import { LiveStack, textOf } from "../support/stack.ts";

const at = (blue: number, green: number) => [`/api: ${blue}/${green}`, `/: ${blue}/${green}`];

/** A run that must be refused, in preview and in `up` alike, with this message, and that must leave the live weights alone. */
async function refused(stack: LiveStack, message: string): Promise<void> {
  const before = await liveWeights();
  for (const run of [await stack.preview(), await stack.up()]) {
    expect(textOf(run)).toContain(message);
    expect(textOf(run)).toContain("Nothing was touched.");
    expect(run.exitCode).not.toBe(0);
  }
  expect(await liveWeights()).toEqual(before);
}

describe("an unsafe run is refused in the preview and in the up, and touches nothing", () => {
  let stack: LiveStack;

  beforeAll(async () => {
    stack = await LiveStack.open("local");
    await stack.succeedUp();
  });
  afterAll(async () => {
    await stack.destroy();
    await stack.close();
  });
  // Each case starts from blue 100, green 0, as the committed stack file has it.
  beforeEach(async () => {
    expect(await liveWeights()).toEqual(at(100, 0));
  });

  it("when a step skips a rung", async () => {
    await stack.step(10);
    await stack.set({ candidateTraffic: 100 });
    await refused(stack, "candidateTraffic 10 -> 100 skips a rung: the next is 50 (or any lower value)");
    await stack.step(0);
  });

  it("when the release changes in the same run as a step, or on a colour that serves", async () => {
    await stack.set({ candidateTraffic: 10, "green.config.FEATURE": "on" });
    await refused(stack, "in the same run as candidateTraffic 0 -> 10");
    await stack.unset("green.config");
    await stack.step(10);
    await stack.set({ "green.config.FEATURE": "on" });
    await refused(stack, "while it serves 10 %");
    await stack.unset("green.config");
    await stack.set({ "blue.config.FEATURE": "on" });
    await refused(stack, "while it serves 90 %");
    await stack.unset("blue.config");
    await stack.step(0);
  });

  it("when roles switch before a live 100, or move traffic", async () => {
    await stack.set({ candidate: "blue", candidateTraffic: 0 });
    await refused(stack, "roles switch only at a live 100: keep candidate green until then");
    await stack.set({ candidate: "green" });
  });

  it("when the ladder changes on the way, or with a step", async () => {
    await stack.set({ ladder: "sprint", candidateTraffic: 10 });
    await refused(stack, "the ladder changes only at a live 0 or 100, in a run of its own");
    await stack.unset("ladder");
    await stack.set({ candidateTraffic: 0 });
  });

  it("when a colour that serves would be retired, or one is retired with another change", async () => {
    await stack.set({ "blue.retired": true });
    await refused(stack, "blue would be retired while it serves 100 %");
    await stack.unset("blue.retired");
    await stack.set({ "green.retired": true, "green.config.FEATURE": "on" });
    await refused(stack, "green is retired in the same run as another change");
    await stack.unset("green.config");
    await stack.succeedUp();
    await until("no pods of green", async () => (await readyPods("version=green")) === 0);
    await stack.set({ candidateTraffic: 10 });
    await refused(stack, "green cannot serve: green is retired");
    await stack.set({ candidateTraffic: 0 });
    await stack.unset("green.retired");
    await stack.succeedUp();
    expect(await readyPods("version=green")).toBe(2);
  });

  it("when someone edited the route by hand: the weight that was found is named, and the way down overwrites it", async () => {
    await stack.step(10);
    await editWeights(70, 30);
    await stack.set({ candidateTraffic: 50 });
    await refused(stack, "someone edited the route by hand: rule /api has blue 70, green 30 (told: blue 90, green 10)");
    await stack.step(10);
    expect(await liveWeights()).toEqual(at(90, 10));
    await removeRule(0);
    await stack.set({ candidateTraffic: 50 });
    await refused(stack, "someone edited the route by hand: rule /api is gone");
    await stack.step(10);
    expect(await liveWeights()).toEqual(at(90, 10));
    await editWeights(0, 100, [1]);
    await stack.step(0);
  });

  it("when the candidate has no ready pods", async () => {
    await scale("deployment", "taskflow-frontend-green", 0);
    await until("no frontend pod on green", async () => (await readyPods("component=frontend,version=green")) === 0);
    await stack.set({ candidateTraffic: 10 });
    await refused(stack, "green cannot serve: frontend has 0 of 1 pods ready");
    await scale("deployment", "taskflow-frontend-green", 1);
    await until("frontend of green", async () => (await readyPods("component=frontend,version=green")) === 1);
    await stack.step(10);
    await stack.step(0);
  });

  it("when the way down leads to a colour without ready pods", async () => {
    await stack.step(10);
    await scale("deployment", "taskflow-backend-blue", 0);
    await until("no backend pod on blue", async () => (await readyPods("component=backend,version=blue")) === 0);
    await stack.set({ candidateTraffic: 0 });
    await refused(stack, "would send users to blue, which cannot serve: backend has 0 of 1 pods ready");
    await scale("deployment", "taskflow-backend-blue", 1);
    await until("backend of blue", async () => (await readyPods("component=backend,version=blue")) === 1);
    await stack.succeedUp();
  });

  it("when the candidate was tripped: only 0 is accepted, which acknowledges it", async () => {
    await stack.step(10);
    await annotateRoute(tripAnnotation, "green: errors at 12 %");
    await refused(stack, "green was tripped (errors at 12 %) and would get 10 %");
    await stack.step(0);
    await stack.step(10);
    await stack.step(0);
    await annotateRoute(tripAnnotation, null);
  });

  it("but pods that come back by themselves are no reason", async () => {
    await deletePods("version=green");
    await until("pods of green", async () => (await readyPods("version=green")) === 2);
    await stack.step(10);
    await stack.step(0);
  });
});
