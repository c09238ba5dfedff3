import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { PolicyFinding, Preview } from "../../cli/preview/model.ts";
import { preflightPlan, preflightText } from "../../cli/rollout/preflight.ts";
import { documentEvidence, policyEvidence, subjectOf } from "../../cli/rollout/preflight-readers.ts";
import { keepTestReport, lastTestReport } from "../../cli/test-report.ts";
import { places } from "../../local/places.ts";
import { commitOf } from "../../rollout/ledger/origin.ts";
import { itemIds, type PreflightReport } from "../../rollout/preflight/preflight.ts";
import { usual } from "../support/decision.ts";
import { external, stackSettings } from "../support/platform.ts";

const item = { requirements: ["S3-43"], next: "" };
const report: PreflightReport = {
  stack: "production",
  releases: { blue: "1.0.0-aaaa", green: "2.0.0-bbbb" },
  candidate: "green",
  passed: false,
  items: [
    { ...item, id: "smoke", says: "The smoke tests pass", state: "ok", evidence: "15 passed" },
    { ...item, id: "go", says: "Somebody says go", state: "missing", evidence: "nobody did", next: "sign it" },
  ],
};

describe("golive rollout preflight", () => {
  it("shows every item with its evidence, and of what is missing what to do", () => {
    expect(preflightText(report)).toBe(
      [
        "state    item   evidence",
        "ok       smoke  15 passed",
        "MISSING  go     nobody did",
        "",
        "go: Somebody says go (S3-43)",
        "  next: sign it",
        "",
        "preflight of green 2.0.0-bbbb on stack production: 1 of 2 items missing",
      ].join("\n"),
    );
    const passed = preflightText({ ...report, passed: true, items: report.items.slice(0, 1) });
    expect(passed).toMatch(/: passed$/);
  });

  it("fills the checklist unless somebody signs, and then needs a name, a reason and items", () => {
    expect(preflightPlan(["--stack", "staging", "--json"])).toEqual({ stack: "staging", json: true, sign: undefined });
    expect(preflightPlan(["--sign", " Ada ", "--reason", "seen", "go", "go", "team-trained"])).toEqual({
      stack: "local",
      json: false,
      sign: { who: "Ada", why: "seen", items: ["go", "team-trained"] },
    });
  });

  it.each([
    [["--reason", "seen"], "got --reason without --sign NAME: who says so?"],
    [["go"], 'got "go"; items are for --sign NAME --reason WHY'],
    [["--sign", " ", "--reason", "seen", "go"], "--sign: got no name"],
    [["--sign", "Ada", "go"], "--sign needs --reason WHY: what does that person rely on?"],
    [["--sign", "Ada", "--reason", "  ", "go"], "--sign needs --reason WHY"],
    [["--sign", "Ada", "--reason", "seen"], "--sign: got no item; allowed: tests, git, "],
    [["--sign", "Ada", "--reason", "seen", "bakcup"], 'got item "bakcup"; did you mean backup?'],
    [["--sign", "Ada", "--reason", "seen", "--json", "go"], "--json shows the checklist; --sign does not"],
  ])("refuses %j", (args, says) => {
    expect(() => preflightPlan(args)).toThrow(`golive rollout preflight: ${says}`);
  });
});

describe("docs/operations/preflight.md", () => {
  it("says of every item of the checklist who fills it, and of no other", async () => {
    const page = await readFile(join(places.root, "docs", "operations", "preflight.md"), "utf8");
    const rows = page.split("\n").filter((line) => line.startsWith("| `"));
    const told = rows.flatMap((line) => [...(line.split("|")[1] ?? "").matchAll(/`([a-z-]+)`/g)].map(([, id]) => id));
    expect(told.sort()).toEqual([...itemIds].sort());
  });
});

describe("the evidence of a checkout", () => {
  it.each(["local", "staging", "production"] as const)(
    "has a runbook for each alert of %s, and each objective on a board",
    async (stack) => {
      const found = await documentEvidence(stackSettings(stack));
      expect(found).toEqual({ alerts: expect.any(Number), withoutRunbook: [], objectives: 4, offTheBoard: [] });
      expect(found.alerts).toBeGreaterThan(30);
    },
  );

  it("misses an objective that no panel names", async () => {
    const settings = stackSettings("production");
    const { application } = settings;
    const silent = { ...application, objectives: { ...application.objectives, pagesAnHourSeconds: 7 } };
    expect((await documentEvidence({ ...settings, application: silent })).offTheBoard).toEqual(["pagesAnHourSeconds"]);
  });

  it("is none where the stack declares no monitoring", async () => {
    const settings = stackSettings("local");
    const none = { ...settings, monitoring: { ...settings.monitoring, kind: "none" } } as const;
    await expect(documentEvidence(none)).rejects.toThrow("golive:monitoring.kind is none: nothing is declared");
  });

  it("says how the database of each stack is reached", () => {
    const of = (...given: Parameters<typeof stackSettings>) => subjectOf(stackSettings(...given), usual).database;
    expect(of("local")).toEqual({ kind: "statefulset", tls: "off" });
    expect(of("production")).toEqual({ kind: "cloudnative-pg", tls: "verify-full" });
    expect(of("staging", { database: external })).toEqual({ kind: "external", tls: "verify-full" });
  });
});

describe("what the policies say of a stack", () => {
  const finding = (rule: string, level: PolicyFinding["level"] = "mandatory"): PolicyFinding => ({
    ...{ rule, level, resource: "Deployment web", message: "no limit is set" },
  });
  const preview = (changes: Partial<Preview> = {}): Preview => ({
    ...{ stack: "production", verdict: "clear", objections: [], refusal: undefined, traffic: undefined },
    ...{ migrations: { pending: [], held: undefined }, warnings: [], changes: [], plan: undefined },
    policies: { packs: ["golive 1.0.0"], violations: [], undecidable: [], exemptions: [] },
    ...changes,
  });
  const judged = (violations: readonly PolicyFinding[], undecidable: readonly PolicyFinding[] = []) => ({
    policies: { packs: ["golive 1.0.0"], violations, undecidable, exemptions: [] },
  });

  it("is where mandatory rules object or cannot say, and no advice", () => {
    expect(policyEvidence(preview())).toEqual({ violations: [], undecidable: [] });
    const found = judged([finding("limits"), finding("labels", "advisory")], [finding("images")]);
    expect(policyEvidence(preview({ ...found, verdict: "refused" }))).toEqual({
      violations: ["limits, Deployment web"],
      undecidable: ["images, Deployment web"],
    });
  });

  it.each<readonly [string, Partial<Preview>]>([
    ["the engine failed", { verdict: "unknown", objections: ["no such plugin"], ...judged([]) }],
    ["the program refused", { verdict: "refused", objections: ["no such plugin"], refusal: { reason: "", next: "" } }],
    ["no pack judged", { verdict: "clear", objections: ["no such plugin"], policies: undefined }],
  ])("is nothing where %s: that passes for no judgement", (_, changes) => {
    expect(() => policyEvidence(preview(changes))).toThrow("no such plugin");
  });
});

describe("the report of the tests", async () => {
  const directory = await mkdtemp(join(tmpdir(), "golive-report-"));
  afterAll(() => rm(directory, { recursive: true }));

  it("is of the commit that it ran on", async () => {
    const file = join(directory, "kept", "report.json");
    expect(await lastTestReport(file)).toBeUndefined();
    await keepTestReport({ passed: 9, failed: 1, skipped: 0, skippedNames: [] }, file);
    const commit = await commitOf(places.root);
    expect(await lastTestReport(file)).toEqual({ commit, passed: 9, failed: 1, skipped: 0 });
  });

  it("is refused when it is none", async () => {
    const file = join(directory, "other.json");
    await writeFile(file, '{"passed": 1}');
    await expect(lastTestReport(file)).rejects.toThrow("is no report of golive test: commit, failed, skipped");
  });
});
