import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { annotationsOf, toldOf } from "../../rollout/told.ts";
import {
  deletePods,
  liveRoute,
  liveWeights,
  namespaceExists,
  readyPods,
  restarts,
  scale,
  until,
} from "../support/live-cluster.ts";
import { LiveStack, textOf } from "../support/stack.ts";

const at = (blue: number, green: number) => [`/api: ${blue}/${green}`, `/: ${blue}/${green}`];
const same = (a: readonly string[], b: readonly string[]) => a.join() === b.join();

describe("when something breaks in the middle", () => {
  let stack: LiveStack;

  beforeAll(async () => {
    stack = await LiveStack.open("local");
    await stack.succeedUp();
  });
  afterAll(async () => {
    await stack.destroy();
    expect(await namespaceExists("local")).toBe(false);
    await stack.close();
  });
  afterEach(async () => {
    await stack.step(0);
    expect(await liveWeights()).toEqual(at(100, 0));
  });

  it("the way down works while PostgreSQL is stopped and the candidate crash-loops", async () => {
    for (const percent of [10, 50]) await stack.step(percent);
    await scale("statefulset", "postgres", 0);
    await until("PostgreSQL stopped", async () => (await readyPods("component=postgres")) === 0);
    // The service needs its database to start: new pods end and are started again and again.
    await deletePods("component=backend,version=green");
    await until("a crash loop of green", async () => (await restarts("component=backend,version=green")) >= 1);
    const down = await stack.step(0);
    expect(textOf(down)).toContain("down: candidateTraffic 50 -> 0 (green); blue 100 %, green 0 %");
    expect(await liveWeights()).toEqual(at(100, 0));
    await scale("statefulset", "postgres", 1);
    await until("green recovered", async () => (await readyPods("component=backend,version=green")) === 1, 240);
  });

  it("an up killed with SIGKILL after the route was written is finished by the next one", async () => {
    // Redis restarts with another limit in the same run: it goes on for seconds after the route was written.
    await stack.set({ candidateTraffic: 10, "cache.memoryMiB": 160 });
    await stack.killUpWhen(async () => same(await liveWeights(), at(90, 10)));
    expect(await liveWeights()).toEqual(at(90, 10));
    const told = toldOf((await liveRoute()).metadata?.annotations ?? {});
    expect(told && annotationsOf(told)["golive/candidate-traffic"]).toBe("10");
    await stack.succeedUp();
    expect(await liveWeights()).toEqual(at(90, 10));
    expect((await stack.preview("--expect-no-changes")).exitCode).toBe(0);
    await stack.set({ candidateTraffic: 50 });
    await stack.succeedUp();
  });

  it("an up killed with SIGKILL before it wrote the route leaves the old weights, and the next one steps", async () => {
    await stack.set({ candidateTraffic: 10 });
    await stack.killUpWhen(() => stack.isLocked());
    expect(await liveWeights()).toEqual(at(100, 0));
    const up = await stack.succeedUp();
    expect(textOf(up)).toContain("up: candidateTraffic 0 -> 10");
    expect(await liveWeights()).toEqual(at(90, 10));
  });

  it("of two ups at once the second says who holds the lock, and nothing is corrupted", async () => {
    await stack.set({ candidateTraffic: 10 });
    let holder = 0;
    const first = stack.run(["up", "--yes"], { onStart: (pid) => (holder = pid) });
    await until("the lock of the first", () => stack.isLocked());
    const second = await stack.up();
    expect(textOf(second)).toContain("the stack is currently locked by 1 lock(s)");
    expect(textOf(second)).toContain(`(pid ${holder})`);
    expect(second.exitCode).not.toBe(0);
    expect((await first).exitCode).toBe(0);
    expect(await liveWeights()).toEqual(at(90, 10));
    expect((await stack.preview("--expect-no-changes")).exitCode).toBe(0);
  });
});
