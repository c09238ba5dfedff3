import { describe, expect, it } from "vitest";
import type {
  DatabaseEvidence,
  MonitoringEvidence,
  PreflightReaders,
  PreflightSubject,
  Signature,
} from "../../rollout/preflight/evidence.ts";
import { itemIds, preflight, signatureReason, signaturesOf } from "../../rollout/preflight/preflight.ts";
import type { SmokeReport } from "../../rollout/preflight/smoke.ts";
import { sha256 } from "../support/config.ts";
import { blue, green, usual } from "../support/decision.ts";
import { observed, pods, told } from "../support/live.ts";

const commit = "4f1c9a7e";
const now = new Date("2026-11-21T12:00:00Z");
const hoursAgo = (hours: number) => new Date(now.getTime() - hours * 3_600_000);
const releases = { blue, green };

const subject: PreflightSubject = {
  stack: "production",
  environment: "production",
  desired: usual,
  images: { backend: `backend:2${sha256("3")}`, frontend: `frontend:2${sha256("4")}` },
  rotation: 0,
  database: { kind: "cloudnative-pg", tls: "verify-full" },
  oldest: { backup: 26 * 3600, drill: 8 * 24 * 3600 },
};

const database = (changes: Partial<DatabaseEvidence> = {}): DatabaseEvidence => ({
  pending: [],
  problems: [],
  invalidIndexes: [],
  backupAt: hoursAgo(5),
  drillAt: hoursAgo(80),
  verified: [{ check: "policies", found: "30", ok: true }],
  ...changes,
});

const monitoring = (changes: Partial<MonitoringEvidence> = {}): MonitoringEvidence => ({
  targets: 12,
  down: [],
  critical: [],
  watchdog: true,
  ...changes,
});

const smokeReport = (changes: Partial<SmokeReport> = {}): SmokeReport => ({
  colour: "green",
  version: "2.0.0",
  passed: true,
  milliseconds: 1200,
  tests: [
    {
      name: "the page loads",
      outcome: "passed",
      asked: "GET / of frontend",
      expected: "200",
      got: "200",
      milliseconds: 9,
    },
  ],
  ...changes,
});

const live =
  (...options: Parameters<typeof observed>) =>
  async () => ({ ...observed(...options), rotations: [0, 0] });

/** Evidence of a stack in which nothing is wrong and nothing was signed. */
const good: PreflightReaders = {
  now: async () => now,
  live: live(),
  database: async () => database(),
  monitoring: async () => monitoring(),
  smoke: async () => smokeReport(),
  commit: async () => commit,
  tests: async () => ({ commit, passed: 900, failed: 0, skipped: 0 }),
  documents: async () => ({ alerts: 50, withoutRunbook: [], objectives: 4, offTheBoard: [] }),
  policies: async () => ({ violations: [], undecidable: [] }),
  signatures: async () => [],
};

const signature = (item: string, changes: Partial<Signature> = {}): Signature => ({
  item,
  who: "Ada",
  why: "seen",
  at: "2026-11-21T11:00:00Z",
  releases,
  ...changes,
});

const people = [
  "security-audit",
  "benchmarks",
  "staging",
  "connections",
  "rollback-plan",
  "incident-response",
  "team-trained",
  "go",
];

const reportOf = (readers: Partial<PreflightReaders> = {}, changes: Partial<PreflightSubject> = {}) =>
  preflight({ ...subject, ...changes }, { ...good, ...readers });

async function itemOf(id: string, readers: Partial<PreflightReaders> = {}, changes: Partial<PreflightSubject> = {}) {
  const { items } = await reportOf(readers, changes);
  const found = items.find((item) => item.id === id);
  if (!found) throw new Error(`no item ${id}`);
  return found;
}

const missingIn = async (readers: Partial<PreflightReaders>, changes: Partial<PreflightSubject> = {}) =>
  (await reportOf(readers, changes)).items.filter(({ state }) => state === "missing").map(({ id }) => id);

describe("the preflight", () => {
  it("passes when all that can be measured is well and people signed the rest, and not before", async () => {
    expect(await missingIn({})).toEqual(people);
    expect((await reportOf()).passed).toBe(false);
    const report = await reportOf({ signatures: async () => people.map((item) => signature(item)) });
    expect(report).toMatchObject({ stack: "production", candidate: "green", releases, passed: true });
    expect(report.items.filter(({ state }) => state === "signed")).toHaveLength(people.length);
    expect(report.items.map(({ id }) => id)).toEqual(itemIds);
  });

  it("asks a rehearsal on one machine for what a machine can say, and for no signature", async () => {
    const local = { stack: "local", environment: "local", database: { kind: "statefulset", tls: "off" } } as const;
    const report = await reportOf({ commit: async () => `${commit} dirty`, tests: async () => undefined }, local);
    expect(report.items.filter(({ state }) => state === "missing")).toEqual([]);
    expect(report.passed).toBe(true);
    expect(await missingIn({ database: async () => database({ backupAt: undefined }) }, local)).toEqual(["backup"]);
  });

  it("says who signed, when and why", async () => {
    const signatures = async () => [signature("go", { who: "Bob", why: "too early" }), signature("go")];
    expect(await itemOf("go", { signatures })).toEqual({
      id: "go",
      requirements: ["S3-43"],
      says: "Somebody looked at all of this and says go",
      state: "signed",
      evidence: "Ada, 2026-11-21T11:00:00Z: seen",
      next: "",
    });
    expect(await itemOf("go")).toMatchObject({
      state: "missing",
      evidence: "only a person can say",
      next: "golive rollout preflight --stack production --sign NAME --reason WHY go",
    });
  });

  it.each([
    ["another candidate", { blue, green: "2.0.1-cccc" }],
    ["another release to go back to", { blue: "0.9.0-dddd", green }],
    ["no release at all", {}],
  ])("takes no signature that was given for %s", async (_, named) => {
    const signatures = async () => people.map((item) => signature(item, { releases: named }));
    expect(await missingIn({ signatures })).toEqual(people);
  });

  it("does not let anybody sign away what was measured", async () => {
    const signatures = async () => itemIds.map((item) => signature(item));
    const bad: Partial<PreflightReaders> = {
      signatures,
      live: live({ trip: "green: error ratio 12 %" }),
      database: async () => database({ backupAt: hoursAgo(27), drillAt: undefined, pending: ["016_more.sql"] }),
      monitoring: async () => monitoring({ critical: ["DatabaseDown (production)"] }),
      smoke: async () => smokeReport({ passed: false, tests: [] }),
      tests: async () => ({ commit, passed: 900, failed: 1, skipped: 0 }),
    };
    expect(await missingIn(bad)).toEqual(["tests", "migrations", "backup", "restore-drill", "monitoring", "no-trip"]);
  });

  it("says of each item that could not be measured why, and lets a person answer for it", async () => {
    const broken = async () => {
      throw new Error("the cluster at https://10.0.0.1 does not answer:\n  timeout");
    };
    const item = await itemOf("backup", { database: broken });
    expect(item).toMatchObject({
      state: "missing",
      evidence: "cannot be measured: the cluster at https://10.0.0.1 does not answer: timeout",
      next: expect.stringMatching(/--sign NAME --reason WHY backup$/),
    });
    const signatures = async () => [signature("backup")];
    expect(await itemOf("backup", { database: broken, signatures })).toMatchObject({ state: "signed" });
    const nothing = Object.fromEntries(Object.keys(good).map((name) => [name, broken]));
    const report = await reportOf(nothing);
    expect(report.passed).toBe(false);
    expect(report.items.filter(({ state }) => state === "ok").map(({ id }) => id)).toEqual(["images", "tls"]);
  });
});

describe("an item of the preflight", () => {
  const failed = {
    name: "a user registers",
    outcome: "failed",
    asked: "",
    expected: "201",
    got: "500",
    milliseconds: 5,
  };

  it.each<readonly [string, string, Partial<PreflightReaders>, Partial<PreflightSubject>, string | RegExp]>([
    [
      "tests",
      "of another commit",
      { tests: async () => ({ commit: "0000", passed: 9, failed: 0, skipped: 0 }) },
      {},
      "9 passed, 0 failed, 0 skipped on 0000; this is 4f1c9a7e",
    ],
    ["tests", "nobody ran", { tests: async () => undefined }, {}, "no run of the tests is kept here"],
    [
      "tests",
      "with one left out",
      { tests: async () => ({ commit, passed: 9, failed: 0, skipped: 1 }) },
      {},
      /1 skipped/,
    ],
    ["git", "with uncommitted files", { commit: async () => `${commit} dirty` }, {}, "commit 4f1c9a7e dirty"],
    ["images", "by tag", {}, { images: { backend: "backend:2" } }, /a digest is required here/],
    ["images", "of no release", {}, { images: {} }, "the candidate has no release"],
    [
      "policies",
      "with objections",
      { policies: async () => ({ violations: ["a, Pod x", "a, Pod y", "b, Pod x", "c, Pod z"], undecidable: [] }) },
      {},
      "objections: 4 (a, Pod x; a, Pod y; b, Pod x; …)",
    ],
    [
      "policies",
      "that cannot be decided",
      { policies: async () => ({ violations: ["a, Pod x"], undecidable: ["b, Secret y"] }) },
      {},
      "objections: 1 (a, Pod x); undecidable: 1 (b, Secret y)",
    ],
    [
      "migrations",
      "edited",
      { database: async () => database({ problems: ["003_a.sql was edited"] }) },
      {},
      "003_a.sql was edited",
    ],
    [
      "migrations",
      "pending",
      { database: async () => database({ pending: ["016_b.sql"] }) },
      {},
      "016_b.sql is pending",
    ],
    [
      "backup",
      "too old",
      { database: async () => database({ backupAt: hoursAgo(26.5) }) },
      {},
      /^the newest good backup is 26.5 h old .*; allowed: 26 h$/,
    ],
    [
      "restore-drill",
      "never done",
      { database: async () => database({ drillAt: undefined }) },
      {},
      "there never was a good restore drill",
    ],
    [
      "database-verify",
      "with a gap",
      { database: async () => database({ verified: [{ check: "policies", found: "29\nof 30", ok: false }] }) },
      {},
      "policies: 29 of 30",
    ],
    ["database-verify", "of nothing", { database: async () => database({ verified: [] }) }, {}, "nothing was verified"],
    [
      "database-verify",
      "with a broken index",
      { database: async () => database({ invalidIndexes: ["by_due"] }) },
      {},
      "index by_due is invalid",
    ],
    ["rotation", "behind", {}, { rotation: 1 }, "2 of 2 Deployments have rotation 0, not 1"],
    ["rotation", "of no pod", { live: async () => observed() }, {}, "no pod has a password yet"],
    ["tls", "in plain", {}, { database: { kind: "external", tls: "off" } }, "external, TLS off"],
    [
      "monitoring",
      "with a target down",
      { monitoring: async () => monitoring({ down: ["redis 10.0.0.7"] }) },
      {},
      "1 of 12 targets are down: redis 10.0.0.7",
    ],
    [
      "monitoring",
      "of nothing",
      { monitoring: async () => monitoring({ targets: 0 }) },
      {},
      "Prometheus has no target",
    ],
    ["monitoring", "that nobody watches", { monitoring: async () => monitoring({ watchdog: false }) }, {}, /Watchdog/],
    ["monitoring", "that nobody does", { monitoring: async () => undefined }, {}, "no Prometheus measures this stack"],
    [
      "runbooks",
      "not written",
      { documents: async () => ({ alerts: 2, withoutRunbook: ["CacheDown"], objectives: 4, offTheBoard: [] }) },
      {},
      "CacheDown has none",
    ],
    [
      "objectives",
      "off the board",
      { documents: async () => ({ alerts: 2, withoutRunbook: [], objectives: 4, offTheBoard: ["errorPercent"] }) },
      {},
      "no panel names errorPercent",
    ],
    [
      "pods",
      "not ready",
      { live: live({ pods: { green: pods({ release: green, replicas: 3, ready: 2 }) } }) },
      { desired: { ...usual, replicas: { backend: 3, frontend: 3 } } },
      /^candidate green: backend has 2 of 3 pods ready/,
    ],
    [
      "pods",
      "of another release",
      { live: live({ pods: { green: pods({ release: "1.9.0-cccc" }) } }) },
      {},
      /backend runs 1.9.0-cccc, not 2.0.0-bbbb/,
    ],
    [
      "pods",
      "with nobody to go back to",
      { live: live({ pods: { blue: pods({ release: blue, ready: 0 }) } }) },
      {},
      /^stable blue: backend has 0 of 1 pods ready/,
    ],
    [
      "smoke",
      "failed",
      { smoke: async () => smokeReport({ passed: false, tests: [failed as never] }) },
      {},
      "1 of 1 did not pass; a user registers: got 500, expected 201",
    ],
    [
      "smoke",
      "not there",
      { smoke: async () => smokeReport({ passed: false, tests: [] }) },
      {},
      "the application has no smoke tests",
    ],
    ["no-trip", "with a trip", { live: live({ trip: "green: error ratio 12 %" }) }, {}, /error ratio 12 %/],
    [
      "no-trip",
      "with a tombstone",
      { live: live({ tombstones: [green] }) },
      {},
      `release ${green} was tripped and not cleared since`,
    ],
    ["no-trip", "with an edit", { live: live({ gone: ["/old"] }) }, {}, "rule /old is gone"],
    ["no-trip", "without a route", { live: live({ noRoute: true }) }, {}, "there is no route of golive's yet"],
  ])("%s %s is missing, and says so", async (id, _, readers, changes, evidence) => {
    const item = await itemOf(id, readers, changes);
    expect(item.state).toBe("missing");
    if (typeof evidence === "string") expect(item.evidence).toBe(evidence);
    else expect(item.evidence).toMatch(evidence);
    expect(item.next).not.toBe("");
  });

  it("about the database is not asked of an application without one", async () => {
    const { items } = await reportOf({}, { database: undefined });
    const states = items.filter(({ evidence }) => evidence === "the application has no PostgreSQL");
    expect(states.map(({ id }) => id)).toEqual([
      "migrations",
      "backup",
      "restore-drill",
      "database-verify",
      "rotation",
      "tls",
    ]);
  });

  it("about a trip that was acknowledged is well again", async () => {
    const trip = "green: error ratio 12 %";
    const item = await itemOf("no-trip", { live: live({ trip, told: told({ acknowledged: trip }) }) });
    expect(item.state).toBe("ok");
  });
});

describe("a signature in the ledger", () => {
  const record = { kind: "preflight", who: "Ada", at: "2026-11-21T11:00:00Z", releases } as const;

  it("is read back as it was written, whatever its reason says", () => {
    const why = "audit 2026-11: nothing critical\nnothing high";
    expect(signaturesOf([{ ...record, reason: signatureReason("security-audit", why) }])).toEqual([
      { item: "security-audit", who: "Ada", why, at: record.at, releases },
    ]);
  });

  it("is no other record, and none without a reason", () => {
    expect(signaturesOf([{ ...record, kind: "start", reason: "go: seen" }])).toEqual([]);
    expect(signaturesOf([{ ...record, reason: "go: " }])).toEqual([]);
  });
});
