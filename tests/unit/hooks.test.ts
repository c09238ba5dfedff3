import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Observer } from "../../rollout/cluster.ts";
import type { Allowed } from "../../rollout/decide.ts";
import type { Assessment } from "../../rollout/gate/assess.ts";
import { afterWrite, beforeContract, beforeWrite, changeSince, type RunContext } from "../../rollout/hooks.ts";
import type { Observed } from "../../rollout/observed.ts";
import { assessment, failing } from "../support/assessment.ts";
import { evenRules, observed, pods, told } from "../support/live.ts";

const before = observed({ told: told({ candidateTraffic: 0 }) });

const step: Allowed = {
  allowed: true,
  move: "up",
  weights: { blue: 90, green: 10 },
  told: told({ candidateTraffic: 10 }),
  mustBeReady: "green",
  notes: [],
};

/** A cluster that answers these one after the other, then the last one for ever. */
function answering(...answers: readonly Observed[]): Observer & { readonly asked: () => number } {
  let asked = 0;
  return {
    asked: () => asked,
    async observe() {
      const answer = answers[Math.min(asked, answers.length - 1)];
      asked++;
      if (!answer) throw new Error("no answer");
      return answer;
    },
  };
}

const context = (cluster: Observer, decision = step): RunContext => ({
  cluster,
  observed: before,
  decision,
  services: ["backend", "frontend"],
});

describe("what changed since a run began", () => {
  it.each<readonly [string, Observed, string | undefined]>([
    ["nothing", observed({ told: told() }), undefined],
    [
      "somebody edited the route",
      observed({ rules: evenRules({ blue: 50, green: 50 }), generation: 2 }),
      "the route was edited during this run: it had blue 100, green 0, it has blue 50, green 50",
    ],
    [
      "a guard tripped",
      observed({ trip: "green: error ratio 12 %", generation: 2 }),
      "green was tripped during this run (error ratio 12 %)",
    ],
    ["the route vanished", observed({ noRoute: true }), "the route appeared or vanished during this run"],
  ])("is told: %s", (_, now, change) => {
    expect(changeSince(before, now)).toBe(change);
  });

  it("is told: a trip was taken away, a route appeared, or there is none still", () => {
    expect(changeSince(observed({ trip: "green: slow" }), before)).toBe(
      "a colour was tripped during this run (the trip was removed)",
    );
    expect(changeSince(observed({ noRoute: true }), before)).toBe("the route appeared or vanished during this run");
    expect(changeSince(observed({ noRoute: true }), observed({ noRoute: true }))).toBe(undefined);
  });
});

describe("before the route is written", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const withoutPods = observed({ pods: { green: pods({ release: "2.0.0-bbbb" }, { ready: 0 }) } });

  it("nothing stands in the way of a colour with ready pods", async () => {
    const cluster = answering(before);
    await beforeWrite(context(cluster));
    expect(cluster.asked()).toBe(1);
  });

  it("a run that lost the race against a guard writes nothing", async () => {
    const cluster = answering(observed({ trip: "green: error ratio 12 %", generation: 2 }));
    await expect(beforeWrite(context(cluster))).rejects.toThrow(
      "green was tripped during this run (error ratio 12 %); the route was not written: run `pulumi up` again",
    );
  });

  it("a run that lost the race against a hand edit writes nothing", async () => {
    const cluster = answering(observed({ rules: evenRules({ blue: 50, green: 50 }), generation: 2 }));
    await expect(beforeWrite(context(cluster))).rejects.toThrow(
      "the route was edited during this run: it had blue 100, green 0, it has blue 50, green 50; the route was not written: run `pulumi up` again",
    );
  });

  it("waits for pods that are restarting, and looks at the route again each time", async () => {
    const cluster = answering(withoutPods, withoutPods, before);
    const written = beforeWrite(context(cluster));
    await vi.advanceTimersByTimeAsync(1_000);
    await written;
    expect(cluster.asked()).toBe(3);
  });

  it("sees a trip while it waits for pods", async () => {
    const cluster = answering(withoutPods, observed({ trip: "green: slow", generation: 2 }));
    const refused = expect(beforeWrite(context(cluster))).rejects.toThrow("green was tripped during this run (slow)");
    await vi.advanceTimersByTimeAsync(500);
    await refused;
  });

  it("gives up on pods after a minute, and names the service that has none", async () => {
    const refused = expect(beforeWrite(context(answering(withoutPods)))).rejects.toThrow(
      "green should get 10 %, but after 60 s it still has no ready pod of backend; the route was not written\nNext: run `pulumi up` with candidateTraffic 0 until green is ready, then step",
    );
    await vi.advanceTimersByTimeAsync(61_000);
    await refused;
  });

  describe("a step up is judged", () => {
    const gated = (cluster: Observer, judged: Assessment, changes: Partial<RunContext> = {}): RunContext => ({
      ...context(cluster, { ...step, told: told({ candidateTraffic: 50 }) }),
      assess: async () => judged,
      ...changes,
    });

    it("by what was read just now, and read again after that", async () => {
      const asked: Observed[] = [];
      const cluster = answering(withoutPods, before);
      const assess = async (now: Observed) => {
        asked.push(now);
        return assessment();
      };
      const written = beforeWrite(gated(cluster, assessment(), { assess }));
      await vi.advanceTimersByTimeAsync(500);
      expect(await written).toEqual(assessment());
      expect(asked).toEqual([before]);
      expect(cluster.asked()).toBe(3);
    });

    it("and held with what is missing and when to try again; nothing is written, but that", async () => {
      const refused: string[] = [];
      const ledger = { written: async () => {}, refused: async (reason: string) => void refused.push(reason) };
      const held = assessment({ soakLeftSeconds: 60 });
      await expect(beforeWrite(gated(answering(before), held, { ledger }))).rejects.toThrow(
        "candidateTraffic 10 -> 50 is held: 1 min 0 s of the soak of 15 min 0 s at 10 % are left; the route was not written\nNext: try again in 1 min 0 s (2026-11-21T12:01:00Z); a step that cannot wait needs golive:override {percent: 50, release, reason}",
      );
      expect(refused).toEqual([
        "candidateTraffic 10 -> 50 is held: 1 min 0 s of the soak of 15 min 0 s at 10 % are left",
      ]);
    });

    it("and refused when the gate would take the release back, with an override, too", async () => {
      const run = gated(answering(before), assessment({ verdict: failing }));
      const decision = { ...run.decision, override: "blue loses orders" };
      await expect(beforeWrite({ ...run, decision })).rejects.toThrow(
        "candidateTraffic 10 -> 50, but the gate says rollback: 30 % of 400 requests fail; the route was not written\nNext: set candidateTraffic 0; golive:override lets no step through that the gate would roll back",
      );
    });

    it("and let through by an override where it would only wait", async () => {
      const held = assessment({ soakLeftSeconds: 60 });
      const run = gated(answering(before), held);
      await expect(
        beforeWrite({ ...run, decision: { ...run.decision, override: "blue loses orders" } }),
      ).resolves.toEqual(held);
    });

    it("and not taken when a guard tripped while it was judged", async () => {
      const tripped = observed({ trip: "green: error ratio 12 %", generation: 2 });
      await expect(beforeWrite(gated(answering(before, tripped), assessment()))).rejects.toThrow(
        "green was tripped during this run (error ratio 12 %); the route was not written: run `pulumi up` again",
      );
    });
  });

  describe("a step that skips rungs asks for the candidate's smoke tests", () => {
    const leap: Allowed = { ...step, leap: "blue has no ready pod" };

    it("and is written when they pass, if nobody moved the route meanwhile", async () => {
      const cluster = answering(before);
      await expect(beforeWrite({ ...context(cluster, leap), smoke: async () => [] })).resolves.toBe(undefined);
      expect(cluster.asked()).toBe(2);
      const tripped = answering(before, observed({ trip: "green: error ratio 12 %", generation: 2 }));
      await expect(beforeWrite({ ...context(tripped, leap), smoke: async () => [] })).rejects.toThrow(
        "green was tripped during this run (error ratio 12 %); the route was not written: run `pulumi up` again",
      );
    });

    it("and is not when one does not, which is named", async () => {
      const smoke = async () => ["log in", "read a task"];
      await expect(beforeWrite({ ...context(answering(before), leap), smoke })).rejects.toThrow(
        "green would get 10 % in one step, but does not pass its smoke tests: log in, read a task; the route was not written\nNext: golive rollout smoke says why; repair the release, then try again",
      );
    });

    it("as does the first step, which skips nothing", async () => {
      const smoke = async () => ["log in"];
      await expect(beforeWrite({ ...context(answering(before)), smoke })).rejects.toThrow(
        "green would get 10 %, but does not pass its smoke tests: log in; the route was not written",
      );
    });
  });

  it("waits for nobody's pods when no colour gets more traffic", async () => {
    const cluster = answering(observed({ pods: { blue: [], green: [] } }));
    await beforeWrite(context(cluster, { ...step, move: "stay", mustBeReady: undefined }));
    expect(cluster.asked()).toBe(1);
  });
});

describe("after the route was written", () => {
  it("it reads back as it was written", async () => {
    await expect(afterWrite(context(answering(observed({ told: step.told }))))).resolves.toBe(undefined);
  });

  it("it is written down, with what the step was judged by", async () => {
    const written: unknown[] = [];
    const ledger = { written: async (judged: unknown) => void written.push(judged), refused: async () => {} };
    await afterWrite({ ...context(answering(observed({ told: step.told }))), ledger }, assessment());
    expect(written).toEqual([assessment()]);
  });

  it("it is not written down what somebody else has written over", async () => {
    const written: unknown[] = [];
    const ledger = { written: async (judged: unknown) => void written.push(judged), refused: async () => {} };
    await expect(afterWrite({ ...context(answering(before)), ledger })).rejects.toThrow("somebody else writes it");
    expect(written).toEqual([]);
  });

  it("a run fails when a guard was faster, and names the trip: nobody is to look for a second writer", async () => {
    const tripped = observed({ told: step.told, trip: "green: error ratio 12 %", generation: 3 });
    await expect(afterWrite(context(answering(tripped)))).rejects.toThrow(
      /^the route was written with blue 90, green 10, but green was tripped at once \(error ratio 12 %\): it reads blue \d+, green \d+\nNext: set candidateTraffic 0, which acknowledges the trip$/,
    );
  });

  it("a run fails when the route is gone", async () => {
    await expect(afterWrite(context(answering(observed({ noRoute: true }))))).rejects.toThrow(
      "the route was written, but is not there any more: run `pulumi up --refresh`",
    );
  });

  it("a run fails when somebody else writes it, and says what it reads", async () => {
    const other = observed({ told: step.told, rules: evenRules({ blue: 50, green: 50 }) });
    await expect(afterWrite(context(answering(other)))).rejects.toThrow(
      "the route was written with blue 90, green 10, but reads blue 50, green 50: somebody else writes it (rule /api has blue 50, green 50 (told: blue 90, green 10); rule / has blue 50, green 50 (told: blue 90, green 10))",
    );
  });

  it("a run fails when another run told it something else", async () => {
    await expect(afterWrite(context(answering(before)))).rejects.toThrow(
      "the route was written with blue 90, green 10, but reads blue 100, green 0: somebody else writes it (no hand edit found)",
    );
  });
});

describe("before a contract migration runs", () => {
  const full = { candidateTraffic: 100, retired: ["blue"] as const };
  const asleep = { pods: { blue: pods({ release: "1.0.0-aaaa", replicas: 0 }) } };
  const decided = observed({ told: told(full), ...asleep });
  const outdated = told({ ...full, outdated: ["1.0.0-aaaa"] });
  const contract: Allowed = { ...step, move: "contract", weights: { blue: 0, green: 100 }, told: outdated };
  const asking = (now: Observed) => beforeContract({ cluster: answering(now), observed: decided, decision: contract });

  it("nothing stands in its way when all is as decided, and the route knows what it leaves behind", async () => {
    await expect(asking(observed({ told: outdated, ...asleep }))).resolves.toBe(undefined);
  });

  it.each<readonly [string, Observed, string]>([
    [
      "somebody moved traffic",
      observed({ told: outdated, rules: evenRules({ blue: 50, green: 50 }), generation: 2, ...asleep }),
      "the route was edited during this run: it had blue 0, green 100, it has blue 50, green 50",
    ],
    [
      "a guard tripped",
      observed({ told: outdated, trip: "green: slow", ...asleep }),
      "green was tripped during this run (slow)",
    ],
    [
      "somebody woke the other colour",
      observed({ told: outdated, pods: { blue: pods({ release: "1.0.0-aaaa" }) } }),
      "blue still has pods of backend, frontend",
    ],
    ["the route was not written", decided, "the route was not yet told that 1.0.0-aaaa can never serve again"],
  ])("it is stopped when %s", async (_, now, reason) => {
    await expect(asking(now)).rejects.toThrow(`${reason}; no migration was run: run \`pulumi up\` again`);
  });
});
