import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { lineProgress } from "../../cli/progress.ts";
import { RolloutEngine } from "../../cli/rollout/engine.ts";
import { Session } from "../../cli/session.ts";
import { failureOf } from "../support/failure.ts";

const file = "Pulumi.production.yaml";
let checkout: string;

const git = (...args: readonly string[]) =>
  execFileSync("git", ["-C", checkout, "-c", "user.name=Ada", "-c", "user.email=ada@example.com", ...args], {
    encoding: "utf8",
  }).trim();
const write = (name: string, text: string) => writeFileSync(join(checkout, name), text);
const engine = () => new RolloutEngine("production", new Session(lineProgress(() => {})), checkout);
const messages = () => git("log", "--format=%s").split("\n");

beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), "golive-commit-"));
  vi.stubEnv("PULUMI_BACKEND_URL", "s3://state");
  for (const who of ["AUTHOR", "COMMITTER"]) {
    vi.stubEnv(`GIT_${who}_NAME`, "Ada");
    vi.stubEnv(`GIT_${who}_EMAIL`, "ada@example.com");
  }
  git("init", "--quiet");
  write(file, "candidateTraffic: 0\n");
  write("index.ts", "// the program\n");
  git("add", ".");
  git("commit", "--quiet", "--message", "begin");
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(checkout, { recursive: true });
});

describe("--commit", () => {
  it("commits the stack's file alone, and leaves what somebody is working on as it is", async () => {
    write(file, "candidateTraffic: 10\n");
    write("index.ts", "// half way\n");
    write("notes.md", "mine\n");
    git("add", "notes.md");
    await engine().commit("golive: production candidateTraffic 10\n\nstep 0 -> 10: 0 of 900 failed");
    expect(messages()).toEqual(["golive: production candidateTraffic 10", "begin"]);
    expect(git("show", "--format=%b", "--name-only").split("\n").filter(Boolean)).toEqual([
      "step 0 -> 10: 0 of 900 failed",
      file,
    ]);
    expect(git("status", "--porcelain").split("\n")).toEqual(["M index.ts", "A  notes.md"]);
  });

  it("makes no empty commit where the file says it already", async () => {
    await engine().commit("golive: again");
    expect(messages()).toEqual(["begin"]);
  });

  it("commits a file that git did not know yet", async () => {
    git("rm", "--quiet", "--cached", file);
    git("commit", "--quiet", "--message", "forget");
    await engine().commit("golive: production candidateTraffic 0");
    expect(messages()[0]).toBe("golive: production candidateTraffic 0");
    expect(git("status", "--porcelain")).toBe("");
  });

  it("runs nothing where git refuses, and says what git said", async () => {
    write(file, "candidateTraffic: 10\n");
    write(".git/hooks/pre-commit", "#!/bin/sh\necho 'main is protected' >&2\nexit 1\n");
    chmodSync(join(checkout, ".git/hooks/pre-commit"), 0o755);
    expect(await failureOf(() => engine().commit("golive: step"))).toMatchObject({
      message: `git could not commit ${file}, so nothing was run:\nmain is protected\n`,
    });
    expect(messages()).toEqual(["begin"]);
  });

  it("is refused on a stack that is a copy below .golive/, which no git knows", async () => {
    vi.stubEnv("PULUMI_BACKEND_URL", "");
    expect(await failureOf(() => engine().commit("golive: step"))).toMatchObject({
      message: expect.stringContaining("got --commit, but stack production is worked on as a copy below .golive/"),
      exitCode: 2,
    });
  });
});
