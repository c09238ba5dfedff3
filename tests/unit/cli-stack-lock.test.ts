import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  isDead,
  type LockHolder,
  type Machine,
  removeDeadLocks,
  stackLocks,
  thisMachine,
} from "../../cli/stack-lock.ts";
import { type Workspace, workspaceAt } from "../../cli/workspace.ts";

const holder: LockHolder = { pid: 42, username: "dev", hostname: "here", timestamp: "2026-11-21T01:00:00Z" };
const taken = Date.parse(holder.timestamp);
const running = (startedAt: number | undefined): Machine => ({ hostname: "here", startedAt: () => startedAt });

describe("the holder of a stack's lock", () => {
  it.each([
    ["its process is gone", holder, running(undefined), true],
    ["its number went to a process that started later", holder, running(taken + 60_000), true],
    ["it still runs, whatever it is called", holder, running(taken - 500), false],
    ["the clock was set a little since", holder, running(taken + 2_000), false],
    ["its time cannot be read", { ...holder, timestamp: "yesterday" }, running(taken), false],
    ["it is on another machine", { ...holder, hostname: "there" }, running(undefined), false],
  ])("%s", (_, who, machine, dead) => {
    expect(isDead(who, machine)).toBe(dead);
  });

  it("is a live process of this machine, when that started before the lock was taken", () => {
    const started = Date.now() - process.uptime() * 1000;
    expect(Math.abs((thisMachine.startedAt(process.pid) ?? 0) - started)).toBeLessThan(5_000);
    const self = { ...holder, hostname: thisMachine.hostname, pid: process.pid };
    expect(isDead({ ...self, timestamp: new Date().toISOString() }, thisMachine)).toBe(false);
    expect(isDead({ ...self, timestamp: "2020-01-01T00:00:00.123456789Z" }, thisMachine)).toBe(true);
  });
});

describe("removing the locks of dead processes", () => {
  let directory: string;
  let workspace: Workspace;
  let locks: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "golive-locks-"));
    workspace = workspaceAt(directory);
    locks = join(workspace.state, ".pulumi", "locks", "organization", "golive", "local");
    await mkdir(locks, { recursive: true });
  });
  afterEach(() => rm(directory, { recursive: true }));

  it("removes a dead one, and leaves another machine's and one that is still being written", async () => {
    const child = spawn(process.execPath, ["--version"], { stdio: "ignore" });
    await once(child, "exit");
    const dead: LockHolder = { ...holder, hostname: hostname(), pid: child.pid ?? 0 };
    await writeFile(join(locks, "a.json"), JSON.stringify(dead));
    await writeFile(join(locks, "b.json"), JSON.stringify({ ...dead, hostname: "there" }));
    await writeFile(join(locks, "c.json"), "");
    expect(await removeDeadLocks(workspace, "golive", "local")).toEqual([dead]);
    const left = await stackLocks(workspace, "golive", "local");
    expect(left.map(({ file }) => file)).toEqual([join(locks, "b.json"), join(locks, "c.json")]);
  });

  it("finds nothing to do where no lock was ever taken", async () => {
    expect(await removeDeadLocks(workspace, "golive", "staging")).toEqual([]);
  });
});
