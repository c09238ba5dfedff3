import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { commitOf, originOf, whoOf } from "../../rollout/ledger/origin.ts";

let checkout: string;
const git = (...args: readonly string[]) => execFileSync("git", ["-C", checkout, ...args], { encoding: "utf8" }).trim();

beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), "golive-origin-"));
  // Nobody's own git configuration decides.
  vi.stubEnv("GIT_CONFIG_GLOBAL", "/dev/null");
  vi.stubEnv("GIT_CONFIG_SYSTEM", "/dev/null");
  git("init", "--quiet");
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(checkout, { recursive: true });
});

function commit(): string {
  writeFileSync(join(checkout, "a"), "1");
  git("add", "a");
  git("-c", "user.name=x", "-c", "user.email=x@x", "commit", "--quiet", "-m", "a");
  return git("rev-parse", "HEAD");
}

describe("whoever runs it", () => {
  it("is the one that a pipeline names, else git's user, else the system's", async () => {
    expect(await whoOf(checkout, {})).toBe(userInfo().username);
    git("config", "user.email", "ada@example.com");
    expect(await whoOf(checkout, {})).toBe("<ada@example.com>");
    git("config", "user.name", "Ada");
    expect(await whoOf(checkout, { GOLIVE_WHO: " " })).toBe("Ada <ada@example.com>");
    expect(await whoOf(checkout, { GOLIVE_WHO: "release bot" })).toBe("release bot");
  });
});

describe("the commit that ran", () => {
  it("is the checkout's, and is called dirty when the files are others", async () => {
    const id = commit();
    expect(await originOf(checkout, { GOLIVE_WHO: "Ada" })).toEqual({ who: "Ada", commit: id });
    writeFileSync(join(checkout, "b"), "1");
    expect(await commitOf(checkout)).toBe(`${id} dirty`);
  });

  it("is unknown outside of a checkout, without a commit and without git, and says why", async () => {
    expect(await commitOf(checkout)).toMatch(/^unknown \(fatal: ambiguous argument 'HEAD'/);
    expect(await commitOf(tmpdir())).toMatch(/^unknown \(fatal: not a git repository/);
    vi.stubEnv("PATH", checkout);
    expect(await commitOf(checkout)).toBe("unknown (there is no git)");
  });
});
