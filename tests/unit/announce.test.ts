import * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { announce, refusal } from "../../rollout/announce.ts";
import type { Allowed } from "../../rollout/decide.ts";
import { observed, told } from "../support/live.ts";

const step: Allowed = {
  allowed: true,
  move: "up",
  weights: { blue: 50, green: 50 },
  told: told({ candidateTraffic: 50 }),
  mustBeReady: "green",
  notes: [],
};

describe("a refused run", () => {
  it("says why, what to do next, and that nothing was touched", () => {
    const error = refusal({ allowed: false, reason: "candidateTraffic 10 -> 100 skips a rung", next: "set 50" });
    expect(error).toBeInstanceOf(pulumi.RunError);
    expect(error.message).toBe("candidateTraffic 10 -> 100 skips a rung\nNext: set 50\nNothing was touched.");
  });
});

describe("the preview of an allowed run", () => {
  const said: string[] = [];
  beforeEach(() => {
    said.length = 0;
    vi.spyOn(pulumi.log, "info").mockImplementation(async (text) => void said.push(`info: ${text}`));
    vi.spyOn(pulumi.log, "warn").mockImplementation(async (text) => void said.push(`warn: ${text}`));
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it("says what it does to traffic", () => {
    announce(observed({ told: told({ candidateTraffic: 10 }) }), step);
    expect(said).toEqual(["info: up: candidateTraffic 10 -> 50 (green); blue 50 %, green 50 %"]);
  });

  it("says where a new route starts", () => {
    announce(observed({ noRoute: true }), { ...step, move: "create", weights: { blue: 100, green: 0 }, told: told() });
    expect(said).toEqual(["info: create: candidateTraffic starts at 0 (green); blue 100 %, green 0 %"]);
  });

  it("says nothing when it does nothing", () => {
    announce(observed(), { ...step, move: "stay" });
    expect(said).toEqual([]);
  });

  it("warns of everything a reviewer must know, also when no traffic moves", () => {
    announce(observed(), { ...step, move: "stay", notes: ["changes blue in place: CVE", "overwrites a hand edit: x"] });
    expect(said).toEqual(["warn: changes blue in place: CVE", "warn: overwrites a hand edit: x"]);
  });
});
