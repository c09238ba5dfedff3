import { beforeEach, describe, expect, it } from "vitest";
import type { Allowed } from "../../rollout/decide.ts";
import { readLedger } from "../../rollout/ledger/read.ts";
import { runLedger } from "../../rollout/ledger/run-ledger.ts";
import { assessment, holding } from "../support/assessment.ts";
import { LedgerApi, place } from "../support/ledger-api.ts";
import { observed, told } from "../support/live.ts";
import { silentApi } from "../support/platform.ts";

const step: Allowed = {
  allowed: true,
  move: "up",
  weights: { blue: 50, green: 50 },
  told: told({ candidateTraffic: 50 }),
  mustBeReady: "green",
  notes: [],
};

let api: LedgerApi;
let warnings: string[];
beforeEach(() => {
  api = new LedgerApi();
  warnings = [];
});

const ledgerOf = (decision: Allowed = step, on: Parameters<typeof runLedger>[0] = api) =>
  runLedger(on, {
    ...place,
    stack: "local",
    observed: observed({ told: told({ candidateTraffic: 10 }) }),
    decision,
    origin: async () => ({ who: "Ada", commit: "0123abc" }),
    warn: (text) => warnings.push(text),
  });

describe("what became of a run", () => {
  it("is written down with what the step was let through by", async () => {
    await ledgerOf().written(assessment());
    const [, record] = await readLedger(api, place);
    expect(record).toMatchObject({
      kind: "up",
      from: { blue: 90, green: 10 },
      to: { blue: 50, green: 50 },
      who: "Ada",
      commit: "0123abc",
      verdict: { outcome: "pass", reason: "all is well" },
      queries: [{ promql: "vector(1)", value: 1 }],
    });
    expect(warnings).toEqual([]);
  });

  it("is written down when the step was held, as a refusal with its reason", async () => {
    await ledgerOf().refused("candidateTraffic 10 -> 50 is held: too early", assessment({ verdict: holding(40) }));
    const record = (await readLedger(api, place)).at(-1);
    expect(record).toMatchObject({ kind: "refused", verdict: { outcome: "hold" }, to: { blue: 50, green: 50 } });
    expect(record?.reason).toContain("candidateTraffic 10 -> 50 is held: too early");
  });

  it("names the override that a step has spent, which a refused step has not", async () => {
    const ledger = ledgerOf({ ...step, override: "blue loses orders" });
    await ledger.written(assessment());
    expect((await readLedger(api, place)).at(-1)?.kind).toBe("override");
    await ledger.refused("the gate says rollback", assessment());
    expect((await readLedger(api, place)).at(-1)?.kind).toBe("refused");
  });

  it("fails no run when it cannot be written down: the route is as it is, and whoever runs it is told", async () => {
    await ledgerOf(step, silentApi).written(undefined);
    expect(warnings).toEqual([
      expect.stringMatching(/^the ledger could not be written \(the next run finds what it misses\): asked: GET /),
    ]);
  });
});
