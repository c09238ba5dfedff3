import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { changedFiles, concernedStacks, deliveredStacks } from "../../cli/delivery/stacks.ts";
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

  it("are those that the checkout describes", async () => {
    const found = (await deliveredStacks(places.root)).map(({ name }) => name).sort();
    expect(found).toEqual(["production", "staging"]);
  });
});

describe("the files of a change", () => {
  let directory: string;
  const git = (...args: readonly string[]) =>
    execFileSync("git", ["-C", directory, "-c", "user.name=a", "-c", "user.email=a@example.com", ...args], {
      encoding: "utf8",
    }).trim();
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
