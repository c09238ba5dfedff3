import { RbacAuthorizationV1Api } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gateway } from "../../local/gateway.ts";
import { type Load, startLoad } from "../../local/load/load.ts";
import { places } from "../../local/places.ts";
import { openCluster } from "../../rollout/cluster.ts";
import { type Assessment, assess } from "../../rollout/gate/assess.ts";
import { orderFaults } from "../support/faults.ts";
import { answersAs, liveRoute, liveWeights, until } from "../support/live-cluster.ts";
import { stackSettings } from "../support/platform.ts";
import { LiveStack, textOf } from "../support/stack.ts";

const hostname = "taskflow.localhost";
const at = (blue: number, green: number) => [`/api: ${blue}/${green}`, `/: ${blue}/${green}`];

const settings = stackSettings("local", {
  gate: { mode: "on" },
  cluster: { context: "golive-local", kubeconfig: places.kubeconfig },
});
const cluster = openCluster({ ...settings.cluster, namespace: "local", application: "taskflow" });
const rbac = cluster.config.makeApiClient(RbacAuthorizationV1Api);
const judged = (): Promise<Assessment> => assess(settings, cluster);

/** One story: a stack whose steps up are measured, on a clock that makes a soak of a quarter of an hour last a minute. */
describe("a step up waits for its soak and its gate", () => {
  let stack: LiveStack;
  let load: Load | undefined;

  beforeAll(async () => {
    stack = await LiveStack.open("local");
    await stack.set({ "gate.mode": "on" });
    await stack.succeedUp();
    await until("blue on the public route", () => answersAs(gateway.publicPort, hostname, "blue"));
    // The guard would be faster than any person who steps: here it may not write, and the steps are on their own.
    await rbac.deleteNamespacedRoleBinding({ name: "guard", namespace: "local" });
  });
  afterAll(async () => {
    await load?.stop();
    await stack.destroy();
    await stack.close();
  });

  /** An `up` that must be refused at the moment of writing, with these texts, and leave the live weights alone. */
  const refused = async (...texts: readonly string[]) => {
    const before = await liveWeights();
    const run = await stack.up();
    for (const text of texts) expect(textOf(run)).toContain(text);
    expect(textOf(run)).toContain("the route was not written");
    expect(run.exitCode).not.toBe(0);
    expect(await liveWeights()).toEqual(before);
  };

  it("not from 0, where there is nothing to measure yet; the preview says what the step exposes", async () => {
    await stack.set({ candidateTraffic: 10 });
    expect(textOf(await stack.preview())).toMatch(/10 % exposes [\d.,]+ requests a minute to green; /);
    await stack.succeedUp();
    expect(await liveWeights()).toEqual(at(90, 10));
  });

  it("held until the soak is over: the refusal says how much is left, and the preview has said so", async () => {
    await stack.set({ candidateTraffic: 50 });
    const preview = textOf(await stack.preview());
    expect(preview).toMatch(/soak: \d+ s of 1 min 0 s left/);
    expect(preview).toContain("an `up` would refuse this now: candidateTraffic 10 -> 50 is held: ");
    await refused("candidateTraffic 10 -> 50 is held: ", "of the soak of 1 min 0 s at 10 % are left", "try again in ");
  });

  it("held while too few requests were counted, however long it waits", async () => {
    await until("the soak is over", async () => (await judged()).soakLeftSeconds === 0);
    await refused("candidateTraffic 10 -> 50 is held: the gate holds: ", "it takes 500");
  });

  it("let through as soon as enough requests went well", { timeout: 300_000 }, async () => {
    load = await startLoad({
      origin: { host: gateway.host, port: gateway.publicPort },
      hostname,
      requestsPerSecond: 180,
      accounts: 0,
      seconds: 600,
    });
    await until("a sample", async () => (await judged()).verdict.outcome === "pass", 180, 2000);
    const { share, measured } = await judged();
    expect(share.asked).toBe(10);
    expect(Math.abs(share.measured - 10)).toBeLessThan(3);
    expect(Object.keys(measured?.services ?? {})).toEqual(["backend", "frontend"]);
    const run = await stack.succeedUp();
    expect(textOf(run)).toContain("gate: pass: ");
    expect(await liveWeights()).toEqual(at(50, 50));
  });

  it("refused when the release fails, and no override helps", { timeout: 300_000 }, async () => {
    await orderFaults("green", { errorShare: 0.3 });
    await until(
      "what the gate would roll back",
      async () => (await judged()).verdict.outcome === "rollback",
      120,
      2000,
    );
    await stack.set({ candidateTraffic: 100 });
    await refused("candidateTraffic 50 -> 100, but the gate says rollback: ", "Next: set candidateTraffic 0");
    await stack.set({
      ...{ "override.percent": 100, "override.release": "2.0.0", "override.reason": "the board wants it" },
    });
    await refused("but the gate says rollback: ", "golive:override lets no step through that the gate would roll back");
    await stack.unset("override");
    await orderFaults("green", { errorShare: 0 });
  });

  it("never on the way down", async () => {
    await stack.step(0);
    expect(await liveWeights()).toEqual(at(100, 0));
  });

  it("not with an override, once; a spent one is refused with its reason", async () => {
    await stack.step(10);
    const override = { "override.percent": 50, "override.release": "1.9.0", "override.reason": "blue loses orders" };
    await stack.set({ candidateTraffic: 50, ...override });
    // One that was left behind by the release before.
    await refused("candidateTraffic 10 -> 50 is held: ");
    await stack.set({ "override.release": "2.0.0" });
    const run = textOf(await stack.succeedUp());
    expect(run).toContain("neither soak nor gate hold this step: blue loses orders");
    expect(await liveWeights()).toEqual(at(50, 50));
    expect((await liveRoute()).metadata?.annotations?.["golive/override"]).toBe("50 blue loses orders");
    await stack.step(10);
    await stack.set({ candidateTraffic: 50 });
    const again = await stack.up();
    expect(textOf(again)).toContain("which was spent before (blue loses orders)");
    expect(again.exitCode).not.toBe(0);
    expect(await liveWeights()).toEqual(at(90, 10));
  });
});
