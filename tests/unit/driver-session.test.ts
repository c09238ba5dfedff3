import { describe, expect, it, vi } from "vitest";
import { lineOf } from "../../cli/rollout/line.ts";
import { note } from "../../cli/rollout/pause.ts";
import { walkFrom } from "../../cli/rollout/start.ts";
import { readLedger } from "../../rollout/ledger/read.ts";
import { nextAction } from "../../rollout/walk/walk.ts";
import { place } from "../support/ledger-api.ts";
import { MortalWorld } from "../support/mortal-driver.ts";
import { fails, passes } from "../support/walk.ts";

vi.mock("../../rollout/ledger/origin.ts", () => ({
  originOf: async () => ({ who: "ada", commit: "1357ab8" }),
  whoOf: async () => "ada",
}));

describe("a walk that was paused, and whose driver is gone,", () => {
  it("goes on by resume, and the ledger keeps why it was paused", async () => {
    const it = new MortalWorld();
    await note(it.stack, "pause", "the load test runs");
    await it.live((driver) => walkFrom(driver, lineOf("resume", []), "resume"));
    const records = await readLedger(it.ledger, place);
    expect(records.find(({ kind }) => kind === "resume")?.reason).toBe(
      "walk to 100 %; was paused by ada (the load test runs)",
    );
    expect(it.percent).toBe(100);
  });

  it("is not begun by start, which says what is in its way", async () => {
    const it = new MortalWorld();
    await note(it.stack, "pause", "the load test runs");
    await expect(it.live((driver) => walkFrom(driver, lineOf("start", []), "start"))).rejects.toThrow(
      "golive rollout start: paused by ada (the load test runs). Next: golive rollout resume --stack local",
    );
    expect(it.percent).toBe(0);
  });
});

describe("a ledger that cannot be read", () => {
  const unreadable = (it: MortalWorld) => {
    const { ledger } = it;
    const ask = ledger.ask.bind(ledger);
    ledger.ask = (request) =>
      request.method === "GET"
        ? Promise.resolve({ status: 403, body: '{"message":"configmaps is forbidden"}', at: ledger.now })
        : ask(request);
  };

  it("keeps no release that fails: the way down needs none", async () => {
    const it = new MortalWorld();
    const warnings: string[] = [];
    it.warn = (text) => void warnings.push(text);
    it.gate = (live) => {
      if (live < 50) return passes;
      unreadable(it);
      return fails;
    };
    await it.live((driver) => walkFrom(driver, lineOf("start", []), "start"));
    expect(it.percent).toBe(0);
    expect(warnings.join()).toContain("the ledger could not be written (the next run finds what it misses)");
  });

  it("lets nothing climb, and says so", async () => {
    const it = new MortalWorld();
    unreadable(it);
    const state = await it.driver().read();
    expect(nextAction(state)).toMatchObject({
      kind: "wait",
      reason: expect.stringMatching(/^paused by a ledger that cannot be read: .*configmaps is forbidden/),
    });
  });
});
