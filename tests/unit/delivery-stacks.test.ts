import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { latest } from "../../cli/delivery/latest.ts";
import {
  changedFiles,
  concernedStacks,
  deliveredStacks,
  isShared,
  stacks,
  touchedFiles,
} from "../../cli/delivery/stacks.ts";
import { lineProgress } from "../../cli/progress.ts";
import { Session } from "../../cli/session.ts";
import { places } from "../../local/places.ts";

const all = [
  { name: "staging", application: "taskflow" },
  { name: "production", application: "taskflow" },
  { name: "rag-production", application: "rag" },
];
const every = ["production", "rag-production", "staging"];

describe("the stacks that a change concerns", () => {
  it.each([
    ["a stack's own file", ["Pulumi.production.yaml"], ["production"]],
    ["migrations of an application", ["migrations/rag/001_base.sql"], ["rag-production"]],
    ["the program", ["components/platform.ts"], every],
    ["what it is made with", ["package-lock.json"], every],
    ["the policies that judge it", ["policies/rules.ts"], every],
    ["a folder that nobody thought of", ["somewhere/new.ts"], every],
    ["documents and tests", ["docs/delivery.md", "README.md", "tests/unit/ladder.test.ts", "local/go/build.ts"], []],
    ["the stack of a person's own machine", ["Pulumi.local.yaml"], []],
    ["both of two files", ["Pulumi.staging.yaml", "migrations/rag/001_base.sql"], ["rag-production", "staging"]],
    ["nothing", [], []],
    ["nobody knows what", undefined, every],
  ])("%s", (_, files, stacks) => {
    expect(concernedStacks(files, all)).toEqual(stacks);
  });

  it.each([
    ["of one file that both are made from", ["components/platform.ts"], true],
    ["of migrations that two stacks have", ["migrations/taskflow/002_x.sql"], true],
    ["not of two files, one for each", ["Pulumi.staging.yaml", "Pulumi.production.yaml"], false],
    ["of nobody knows what", undefined, true],
  ])("share something: %s", (_, files, shared) => {
    expect(isShared(files, all)).toBe(shared);
  });

  it("are those that the checkout describes", async () => {
    const found = (await deliveredStacks(places.root)).map(({ name }) => name).sort();
    expect(found).toEqual(["production", "staging"]);
  });
});

const gitIn = (directory: string, args: readonly string[]) =>
  execFileSync("git", ["-C", directory, "-c", "user.name=a", "-c", "user.email=a@example.com", ...args], {
    encoding: "utf8",
  }).trim();

describe("the files of a change", () => {
  let directory: string;
  const git = (...args: readonly string[]) => gitIn(directory, args);
  const commit = (file: string, text: string) => {
    writeFileSync(join(directory, file), text);
    git("add", "--all");
    git("commit", "--quiet", "--message", file);
  };

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "golive-stacks-"));
    git("init", "--quiet", "--initial-branch", "main");
    commit("base", "a line that is long enough to be told apart");
    git("branch", "change");
    commit("elsewhere", "on main meanwhile");
    git("checkout", "--quiet", "change");
    git("mv", "base", "moved");
    commit("new", "in the change");
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  it("are its own, not what its base got meanwhile; of one that moved, both names", async () => {
    expect((await changedFiles(directory, "main", "change"))?.toSorted()).toEqual(["base", "moved", "new"]);
  });

  it.each([
    ["", "nobody said"],
    ["0".repeat(40), "the branch is new"],
    ["1".repeat(40), "git has no such commit"],
  ])('are not known where the base is "%s": %s', async (base) => {
    expect(await changedFiles(directory, base, "change")).toBeUndefined();
  });

  it("are never asked for by what git would take for an option", async () => {
    await expect(changedFiles(directory, "--output=x", "change")).rejects.toThrow(
      'got "--output=x"; allowed: a commit, a branch or a tag',
    );
  });
});

describe("what no green run has delivered", () => {
  let directory: string;
  const git = (...args: readonly string[]) => gitIn(directory, args);
  const commit = (files: Readonly<Record<string, string>>) => {
    for (const [file, text] of Object.entries(files)) writeFileSync(join(directory, file), text);
    git("add", "--all");
    git("commit", "--quiet", "--message", "x");
    return git("rev-parse", "HEAD");
  };
  const concerned = async (base: string) => concernedStacks(await touchedFiles(directory, base, "HEAD"), all);

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "golive-undelivered-"));
    git("init", "--quiet", "--initial-branch", "main");
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it("is brought along by the next commit, whatever that one changes itself", async () => {
    const green = commit({ "README.md": "green" });
    const overtaken = commit({ "Pulumi.staging.yaml": "a", "Pulumi.production.yaml": "a" });
    commit({ "Pulumi.staging.yaml": "b" });
    expect(await concerned(green)).toEqual(["production", "staging"]);
    expect(await concerned(overtaken)).toEqual(["staging"]);
  });

  it("counts where a later commit undid it: the first of the two may stand on the stack", async () => {
    const green = commit({ "Pulumi.production.yaml": "candidateTraffic: 0" });
    commit({ "Pulumi.production.yaml": "candidateTraffic: 10" });
    commit({ "Pulumi.production.yaml": "candidateTraffic: 0" });
    commit({ "README.md": "x" });
    expect(await concerned(green)).toEqual(["production"]);
  });

  it("is what a merge brought, too", async () => {
    const green = commit({ "README.md": "green" });
    git("checkout", "--quiet", "-b", "change");
    commit({ "Pulumi.production.yaml": "a" });
    git("checkout", "--quiet", "main");
    commit({ "README.md": "meanwhile" });
    git("merge", "--quiet", "--no-ff", "--message", "merge", "change");
    expect(await concerned(green)).toEqual(["production"]);
  });

  it("is nothing after a green run of the same commit, and nobody knows what after one that is not in its history", async () => {
    commit({ "README.md": "x" });
    expect(await touchedFiles(directory, "HEAD", "HEAD")).toEqual([]);
    git("checkout", "--quiet", "--orphan", "other");
    commit({ "README.md": "y" });
    expect(await touchedFiles(directory, "main", "HEAD")).toBeUndefined();
    expect(await touchedFiles(directory, "1".repeat(40), "HEAD")).toBeUndefined();
    expect(await touchedFiles(directory, "", "HEAD")).toBeUndefined();
  });
});

describe("golive delivery stacks --undelivered", () => {
  const asked: (string | undefined)[] = [];
  let answer: unknown = {};
  const server = createServer((request, response) => {
    asked.push(request.url);
    response.end(JSON.stringify(answer));
  });
  const session = new Session(lineProgress(() => {}));
  let output: string;

  beforeAll(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
  afterAll(() => new Promise((resolve) => server.close(resolve)));
  beforeEach(() => {
    asked.length = 0;
    output = join(mkdtempSync(join(tmpdir(), "golive-output-")), "output");
    vi.stubEnv("GITHUB_API_URL", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    vi.stubEnv("GITHUB_REPOSITORY", "golive/app");
    vi.stubEnv("GITHUB_TOKEN", "job-token");
    vi.stubEnv("GITHUB_REF_NAME", "main");
    vi.stubEnv("GITHUB_SHA", "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567");
    vi.stubEnv("GITHUB_WORKFLOW_REF", "golive/app/.github/workflows/deliver.yml@refs/heads/main");
    vi.stubEnv("GITHUB_OUTPUT", output);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(join(output, ".."), { recursive: true });
  });

  it("asks for the newest green run of its own workflow on its own branch, and without one takes every stack", async () => {
    answer = { workflow_runs: [] };
    expect(await stacks.run(["--base", "HEAD", "--undelivered"], session)).toBe(0);
    expect(asked).toEqual([
      "/repos/golive/app/actions/workflows/deliver.yml/runs?branch=main&status=success&per_page=1",
    ]);
    expect(readFileSync(output, "utf8")).toBe('stacks=["production","staging"]\nshared=true\n');
  });

  it("begins at that run's commit, and not where the push began", async () => {
    answer = { workflow_runs: [{ head_sha: "1".repeat(40) }] };
    const notes: string[] = [];
    await stacks.run(["--base", "HEAD", "--undelivered"], new Session(lineProgress((text) => notes.push(text))));
    expect(notes.join("")).toContain(`got "${"1".repeat(40)}"): every stack counts`);
  });

  it("asks nobody when it was started by hand: every stack is meant", async () => {
    await stacks.run(["--base", "", "--undelivered"], session);
    expect(asked).toEqual([]);
    expect(readFileSync(output, "utf8")).toContain('stacks=["production","staging"]');
  });

  it("says what it lacks outside of a job", async () => {
    vi.stubEnv("GITHUB_WORKFLOW_REF", "");
    await expect(stacks.run(["--base", "HEAD", "--undelivered"], session)).rejects.toMatchObject({
      message:
        "golive delivery stacks: --undelivered: GITHUB_WORKFLOW_REF and GITHUB_REF_NAME must be set, as GitHub sets them for a job; elsewhere name a commit in --base",
      exitCode: 2,
    });
  });

  it("is where a commit that was overtaken goes: its refusal says so", async () => {
    answer = { files: [{ filename: "Pulumi.staging.yaml" }] };
    await expect(latest.run(["--stack", "staging"], session)).rejects.toMatchObject({
      message:
        "stack staging: main has a newer commit that concerns it, so 0a1b2c3d4e is not delivered any more. " +
        "The run of the newest commit brings it along: it takes in all that no green run has delivered",
      exitCode: 1,
    });
    expect(await latest.run(["--stack", "production"], session)).toBe(0);
  });
});
