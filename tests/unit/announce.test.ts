import * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { announce, announceStep, asRefusal, previewStep, refusal } from "../../rollout/announce.ts";
import type { Allowed } from "../../rollout/decide.ts";
import type { KubeApi } from "../../rollout/kube/api.ts";
import { planHash } from "../../rollout/ledger/drafts.ts";
import { refuseMigrations } from "../../rollout/schema/migrations.ts";
import type { Settings } from "../../settings.ts";
import { assessment } from "../support/assessment.ts";
import { settingsWith } from "../support/config.ts";
import { observed, schemaRecord, told } from "../support/live.ts";
import { silentApi } from "../support/platform.ts";

const step: Allowed = {
  allowed: true,
  move: "up",
  weights: { blue: 50, green: 50 },
  told: told({ candidateTraffic: 50 }),
  mustBeReady: "green",
  notes: [],
};

const nothing = { pending: [], held: [], problems: [] };

describe("a refused run", () => {
  it("says why, what to do next, and that nothing was touched", () => {
    const error = refusal({ allowed: false, reason: "candidateTraffic 10 -> 100 skips a rung", next: "set 50" });
    expect(error).toBeInstanceOf(pulumi.RunError);
    expect(error.message).toBe("candidateTraffic 10 -> 100 skips a rung\nNext: set 50\nNothing was touched.");
  });

  it("says what was wrong with what it read, without a stack", async () => {
    const broken = Promise.reject(new Error("in migrations/taskflow: 1_x.sql: no migration")).catch(asRefusal);
    await expect(broken).rejects.toThrow(
      new pulumi.RunError("in migrations/taskflow: 1_x.sql: no migration\nNothing was touched."),
    );
    await expect(broken).rejects.toBeInstanceOf(pulumi.RunError);
  });

  it("names every migration file that does not fit, and what to do", () => {
    const problems = [
      "001_a.sql: edited after it was applied",
      "005_e.sql: new, but 007_g.sql was applied already; give it a number above 007",
    ];
    const refused = refuseMigrations("taskflow", { ...nothing, problems });
    expect(refused && refusal(refused).message).toBe(
      "migrations/taskflow and golive:contract do not fit the schema as it was last applied:\n" +
        "  001_a.sql: edited after it was applied\n" +
        "  005_e.sql: new, but 007_g.sql was applied already; give it a number above 007\n" +
        "Next: put that right; an applied file never changes, a change of the schema is a new file with the next number\n" +
        "Nothing was touched.",
    );
    expect(refuseMigrations("taskflow", nothing)).toBe(undefined);
  });
});

describe("a step up is judged for its preview", () => {
  const live = observed({ told: told({ candidateTraffic: 10 }) });
  // Of the cluster only the guard answers.
  const api: KubeApi = {
    ask: (request) =>
      request.path.endsWith("/deployments/guard")
        ? Promise.resolve({ status: 200, body: JSON.stringify({ status: { readyReplicas: 2 } }), at: new Date(0) })
        : silentApi.ask(request),
  };
  const asking = (settings: Settings, decision: Allowed) => previewStep(settings, { api }, live, decision);
  const gated = settingsWith({ gate: { mode: "on" } });

  it("where the gate is on, by what the run has read", async () => {
    const judged = await asking(gated, step);
    expect(judged).toMatchObject({ observed: live, from: 10, soakSeconds: 60, verdict: { outcome: "hold" } });
    expect(judged?.unmeasured).toContain("asked: GET /api/v1/namespaces/monitoring/services/prometheus:9090/proxy");
  });

  it("and no other run asks anybody", async () => {
    expect(await asking(settingsWith(), step)).toBe(undefined);
    expect(await asking(gated, { ...step, move: "down" })).toBe(undefined);
    expect(await asking(gated, { ...step, rescue: "blue has no pods" })).toBe(undefined);
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
    announce(observed({ told: told({ candidateTraffic: 10 }) }), step, nothing);
    expect(said).toEqual([
      "info: up: candidateTraffic 10 -> 50 (green); blue 50 %, green 50 %",
      `info: plan ${planHash(step)}`,
    ]);
  });

  it("says where a new route starts", () => {
    const create: Allowed = { ...step, move: "create", weights: { blue: 100, green: 0 }, told: told() };
    announce(observed({ noRoute: true }), create, nothing);
    expect(said).toEqual([
      "info: create: candidateTraffic starts at 0 (green); blue 100 %, green 0 %",
      `info: plan ${planHash(create)}`,
    ]);
  });

  it("says nothing when it does nothing", () => {
    announce(observed(), { ...step, move: "stay" }, nothing);
    expect(said).toEqual([]);
  });

  it("warns of everything a reviewer must know, also when no traffic moves", () => {
    const notes = ["changes blue in place: CVE", "overwrites a hand edit: x"];
    announce(observed(), { ...step, move: "stay", notes }, nothing);
    expect(said).toEqual(["warn: changes blue in place: CVE", "warn: overwrites a hand edit: x"]);
  });

  it("lists the migrations that it applies by name and phase, and in one line those that wait", () => {
    const pending = [
      { name: "013_m.sql", phase: "expand" },
      { name: "014_n.sql", phase: "contract" },
    ] as const;
    const held = [
      { name: "015_o.sql", phase: "contract" },
      { name: "016_p.sql", phase: "contract" },
    ] as const;
    const full = { told: told({ candidateTraffic: 100 }) };
    const contract = { move: "contract", weights: { blue: 0, green: 100 }, notes: ["point of no return"] } as const;
    const decision: Allowed = { ...step, ...full, ...contract };
    announce(observed(full), decision, { ...nothing, pending, held });
    expect(said).toEqual([
      "info: contract: candidateTraffic 100 -> 100 (green); blue 0 %, green 100 %",
      `info: plan ${planHash(decision)}`,
      "info: pending: 013_m.sql (expand)",
      "info: pending: 014_n.sql (contract)",
      "info: held: 015_o.sql (contract), 016_p.sql (contract): set golive:contract to the last one that should run, when one colour has 100 and the other is retired",
      "warn: point of no return",
    ]);
  });

  it("says what a step up is judged by, and warns of what would hold it", () => {
    announceStep(assessment({ soakLeftSeconds: 60 }), step, settingsWith());
    expect(said).toContain("info: gate: pass: all is well");
    expect(said).toContain("info: soak: 1 min 0 s of 15 min 0 s left");
    expect(said.filter((text) => text.startsWith("warn: "))).toEqual([
      expect.stringMatching(/^warn: an `up` would refuse this now: candidateTraffic 10 -> 50 is held: /),
    ]);
    said.length = 0;
    announceStep(undefined, step, settingsWith());
    expect(said).toEqual([]);
  });

  it.each([
    [
      "since a restore, until a run has migrated it",
      undefined,
      ["info: the database was restored (20261121T120000Z.dump): this run migrates it again"],
    ],
    ["not any more after that run", "taskflow-migrate-0123456789", []],
  ])("says that the database was restored: %s", (_, job, expected) => {
    const schema = schemaRecord({ restored: "20261121T120000Z.dump", job });
    announce(observed({ schema }), { ...step, move: "stay" }, nothing);
    expect(said).toEqual(expected);
  });
});
