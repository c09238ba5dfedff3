import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ApiException } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { explained, Unreachable } from "../../cli/database/cluster.ts";
import { confirmReplacement } from "../../cli/database/confirm.ts";
import { readLog } from "../../cli/database/log.ts";
import { planOf } from "../../cli/database/plan.ts";
import { ownerOf, recordAfterRestore, restoredOf } from "../../cli/database/record.ts";
import { resultText } from "../../cli/database/result-text.ts";
import { clusterOf, readStack } from "../../cli/database/stack.ts";
import { afterRestore, database } from "../../cli/database.ts";
import type { Progress } from "../../cli/progress.ts";
import { Session } from "../../cli/session.ts";
import { workspaceAt } from "../../cli/workspace.ts";
import { failureOf } from "../support/failure.ts";

const silent: Progress = { note: () => {}, stage: (_, work) => work(silent) };

describe("the command line of golive database", () => {
  const hour = 3600;
  const plain = { args: [], stack: "local", json: false, yes: false, replacement: undefined, seconds: hour };

  it.each([
    ["status", { ...plain, word: "status" }],
    ["verify --stack staging --json", { ...plain, word: "verify", stack: "staging", json: true }],
    ["migrate --dry-run", { ...plain, word: "migrate", args: ["--dry-run"] }],
    ["backup --timeout 5", { ...plain, word: "backup", seconds: 300 }],
    ["restore", { ...plain, word: "restore", replacement: "its newest backup" }],
    [
      "restore a.dump --yes",
      { ...plain, word: "restore", args: ["a.dump"], yes: true, replacement: "the backup a.dump" },
    ],
    ["restore --list", { ...plain, word: "restore", args: ["--list"] }],
    ["drill", { ...plain, word: "drill" }],
    ["seed", { ...plain, word: "seed" }],
    ["seed --tasks 200000", { ...plain, word: "seed", args: ["--tasks", "200000"] }],
    [
      "seed --from-dump a.dump",
      { ...plain, word: "seed", args: ["--from-dump", "a.dump"], replacement: "the masked rows of the backup a.dump" },
    ],
  ])("%s is understood", (line, plan) => {
    expect(planOf(line.split(" "))).toEqual(plan);
  });

  const help = "See: golive database --help";
  it.each([
    ["", `golive database: got nothing; allowed: status, verify, migrate, backup, restore, drill, seed. ${help}`],
    ["statsu", `golive database: got "statsu"; did you mean status?. ${help}`],
    ["status now", `golive database status: got "now"; allowed: options only. ${help}`],
    ["status --yes", `golive database status: got --yes; allowed: --stack, --json, --timeout. ${help}`],
    [
      "migrate",
      `golive database migrate: only --dry-run is allowed here: migrations run in pulumi up, after a verified backup. ${help}`,
    ],
    ["restore a b", `golive database restore: got "a b"; allowed: the name of one backup. ${help}`],
    ["restore --list a", `golive database restore: --list goes alone: it restores nothing. ${help}`],
    [
      "restore ../a",
      `golive database restore: got "../a"; allowed: the name of a backup, as golive database restore --list prints it. ${help}`,
    ],
    ["seed --yes", `golive database seed: --yes: nothing is asked without --from-dump. ${help}`],
    [
      "seed --from-dump a --tasks 300",
      `golive database seed: got --from-dump and --tasks; allowed: one of them. ${help}`,
    ],
    ["seed --tasks none", `golive database seed: --tasks: got "none"; allowed: 1 to 2000000. ${help}`],
    ["status --timeout 0", `golive database status: --timeout: got "0"; allowed: 1 to 1440. ${help}`],
  ])("%j is refused with what is allowed", (line, message) => {
    expect(failureOf(() => planOf(line === "" ? [] : line.split(" ")))).toEqual({ message, exitCode: 2 });
  });
});

describe("the stack whose database it is", () => {
  let directory: string;
  const write = (name: string, text: string) => writeFile(join(directory, `Pulumi.${name}.yaml`), text);
  const read = (name: string) => readStack(name, workspaceAt(join(directory, "work"), directory));
  const config = (lines: readonly string[]) => ["config:", ...lines.map((line) => `  ${line}`)].join("\n");
  const usual = ["golive:application: taskflow", "golive:environment: staging"];

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "golive-stack-"));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it("is read from its file: its namespace is its environment's", async () => {
    await write("staging", config([...usual, "golive:cluster: {context: golive-staging, kubeconfig: /etc/kube}"]));
    expect(await read("staging")).toEqual({
      name: "staging",
      application: "taskflow",
      environment: "staging",
      namespace: "staging",
      cluster: { context: "golive-staging", kubeconfig: "/etc/kube" },
    });
  });

  it.each([
    [
      "an unknown environment",
      [usual[0] ?? "", "golive:environment: test"],
      'golive:environment: got "test"; allowed: local, staging, production',
    ],
    ["no application", [], "golive:application: got nothing; allowed: the name of an application"],
    ["no context", usual, "golive:cluster.context: got nothing; allowed: the name of a kubeconfig context"],
    [
      "a kubeconfig that is no path",
      [...usual, "golive:cluster: {context: a, kubeconfig: 1}"],
      "golive:cluster.kubeconfig: got 1; allowed: a path",
    ],
  ])("is refused with %s", async (_, lines, message) => {
    await write("broken", config(lines));
    expect(await failureOf(() => read("broken"))).toEqual({ message: `Pulumi.broken.yaml: ${message}`, exitCode: 2 });
  });

  it("is named when there is none of that name", async () => {
    const { message } = await failureOf(() => read("stagnig"));
    expect(message).toContain('no stack "stagnig"');
  });

  const stack = (kubeconfig: string) => ({
    name: "staging",
    application: "taskflow",
    environment: "staging" as const,
    namespace: "staging",
    cluster: { context: "golive-staging", kubeconfig },
  });

  it("is refused when its context is not in its kubeconfig, with those that are", async () => {
    const kubeconfig = join(directory, "kubeconfig");
    const user = {
      clusters: [{ name: "c", cluster: { server: "https://one:6443" } }],
      users: [{ name: "u", user: {} }],
    };
    const contexts = [{ name: "other", context: { cluster: "c", user: "u" } }];
    await writeFile(kubeconfig, JSON.stringify({ ...user, contexts, "current-context": "other" }));
    expect(await failureOf(() => clusterOf(stack(kubeconfig), silent))).toEqual({
      message: `stack staging: its context golive-staging is not in ${kubeconfig}; contexts there: other`,
      exitCode: 2,
    });
    const found = await clusterOf({ ...stack(kubeconfig), cluster: { context: "other", kubeconfig } }, silent);
    expect(found.getCurrentCluster()?.server).toBe("https://one:6443");
  });

  it("is refused when its kubeconfig cannot be read", async () => {
    const { message } = await failureOf(() => clusterOf(stack("/nowhere/kubeconfig"), silent));
    expect(message).toMatch(/^the kubeconfig \/nowhere\/kubeconfig cannot be read: /);
  });
});

describe("seeding", () => {
  it("is refused in production before the cluster is asked", async () => {
    const session = new Session(silent);
    expect(await failureOf(() => database.run(["seed", "--stack", "production"], session))).toEqual({
      message: "golive database seed: stack production is a production environment; seeding is for local and staging",
      exitCode: 2,
    });
  });
});

describe("what the cluster answers", () => {
  const ask = (error: unknown) =>
    failureOf(() => explained("list pods in namespace local", "https://one:6443", () => Promise.reject(error)));

  it("is told as a refusal with its reason", async () => {
    const body = JSON.stringify({ message: 'pods is forbidden: User "ci" cannot list resource "pods"' });
    expect(await ask(new ApiException(403, "Forbidden", body, {}))).toEqual({
      message:
        'the cluster at https://one:6443 refused to list pods in namespace local (403): pods is forbidden: User "ci" cannot list resource "pods"',
      exitCode: 1,
    });
  });

  it("is told as silence when it is out of reach, and that passes", async () => {
    const cause = Object.assign(new Error("connect ECONNREFUSED 10.0.0.1:6443"), { code: "ECONNREFUSED" });
    const failed = Object.assign(new TypeError("fetch failed"), { cause });
    expect(await ask(failed)).toEqual({
      message: "the cluster at https://one:6443 does not answer: connect ECONNREFUSED 10.0.0.1:6443",
      exitCode: 2,
    });
    await expect(explained("ask", "s", () => Promise.reject(failed))).rejects.toBeInstanceOf(Unreachable);
  });

  it("is not made nicer when it is a mistake of ours", async () => {
    const mistake = new TypeError("undefined is not a function");
    await expect(explained("ask", "s", () => Promise.reject(mistake))).rejects.toBe(mistake);
  });
});

describe("the log of a command", () => {
  it("is progress for people, and one line of JSON the result, wherever it stands", () => {
    const read = { lines: ["dumping", "verified"], result: { file: "a.dump" } };
    expect(readLog('dumping\nverified\n{"file":"a.dump"}\n', true)).toEqual(read);
    expect(readLog('dumping\n{"file":"a.dump"}\nverified\n', true)).toEqual(read);
  });

  it("keeps a line without an end for the next time, unless there is none", () => {
    expect(readLog("dumping\nveri", false)).toEqual({ lines: ["dumping"], result: undefined });
    expect(readLog("dumping\nveri", true)).toEqual({ lines: ["dumping", "veri"], result: undefined });
  });

  it("takes a brace in a line for what it is", () => {
    expect(readLog("{not json\n", true)).toEqual({ lines: ["{not json"], result: undefined });
  });
});

describe("replacing every row", () => {
  const asked = (answer: string, isTerminal = true) => ({ isTerminal, question: async () => answer });
  const restore = { word: "restore", stack: "staging" } as const;

  it("goes on when the stack's name was typed", async () => {
    await expect(confirmReplacement(restore, "its newest backup", asked(" staging\n"))).resolves.toBeUndefined();
  });

  it.each([
    ["another answer", asked("yes"), 'golive database restore: got "yes", not staging; nothing was touched', 1],
    [
      "nobody to ask",
      asked("", false),
      "golive database restore: replaces every row of stack staging by the backup a.dump, and nobody can be asked here; say so with --yes",
      2,
    ],
  ])("is refused on %s", async (_, who, message, exitCode) => {
    expect(await failureOf(() => confirmReplacement(restore, "the backup a.dump", who))).toEqual({ message, exitCode });
  });
});

describe("a restore", () => {
  it("says what to do next", () => {
    expect(afterRestore("staging", true)).toBe(
      "The record of the schema is the restored database's. Next: golive pulumi up --stack staging, which applies the migrations that the backup lacks; then golive database verify --stack staging",
    );
    expect(afterRestore("staging", false)).toContain("There is no record of the schema yet");
  });

  const sum = "a".repeat(64);

  it("is recorded: the restored ledger in place of the old one, and a new text, so that the next up migrates again", () => {
    const before = {
      "000_a.sql": `expand ${sum}`,
      "001_b.sql": `expand ${sum}`,
      job: "taskflow-migrate-1",
      outdated: "1.0.0-aa",
    };
    const restored = { file: "a.dump", ledger: { "000_a.sql": `expand ${sum}` } };
    expect(recordAfterRestore(before, restored, new Date("2026-11-21T12:00:00Z"))).toEqual({
      "000_a.sql": `expand ${sum}`,
      restored: "a.dump at 2026-11-21T12:00:00.000Z",
      outdated: "1.0.0-aa",
    });
  });

  it("is not recorded by guess when its program did not tell what it restored", () => {
    expect(restoredOf({ file: "a", ledger: {} })).toEqual({ file: "a", ledger: {} });
    for (const result of [undefined, {}, { file: "a", ledger: { "000_a.sql": 1 } }]) {
      expect(failureOf(() => restoredOf(result))).toMatchObject({
        message: expect.stringContaining("did not tell which migrations the restored database has"),
      });
    }
  });

  it("is recorded in the name of whoever keeps the record", () => {
    const entry = (manager: string, operation: string, fields: object) => ({ manager, operation, fieldsV1: fields });
    const managedFields = [
      entry("kubectl", "Update", { "f:data": {} }),
      entry("pulumi-kubernetes-1a2b", "Apply", { "f:data": {}, "f:metadata": {} }),
    ];
    expect(ownerOf({ metadata: { managedFields } })).toBe("pulumi-kubernetes-1a2b");
    expect(ownerOf({ metadata: { managedFields: managedFields.slice(0, 1) } })).toBeUndefined();
  });
});

describe("a result", () => {
  it("is shown as tables: single values first, then lists and maps", () => {
    const result = {
      version: "013",
      lastDrill: null,
      durationMs: 1234,
      bytes: 1500,
      applied: { "000_base.sql": 12, "001_b.sql": 3 },
      held: [],
      pending: ["014_c.sql"],
      lastBackup: { file: "a.dump", at: "2026-11-21" },
      checks: [
        { rows: 3, name: "every table has row level security", holds: true },
        { rows: 12, name: "no index is invalid", holds: false, found: ["idx_a", "idx_b"] },
      ],
    };
    expect(resultText(result)).toBe(
      [
        "version     013",
        "last drill  -",
        "duration    1,234 ms",
        "bytes       1,500 bytes",
        "held        none",
        "",
        "applied",
        "  000_base.sql  12",
        "  001_b.sql     3",
        "",
        "pending",
        "  014_c.sql",
        "",
        "last backup",
        "  file  a.dump",
        "  at    2026-11-21",
        "",
        "checks",
        "  holds  name                                found         rows",
        "  yes    every table has row level security  -                3",
        "  NO     no index is invalid                 idx_a, idx_b    12",
      ].join("\n"),
    );
  });
});
