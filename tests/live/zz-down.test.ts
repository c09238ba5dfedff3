import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lineProgress } from "../../cli/progress.ts";
import { clusterDown, clusterLeftovers, clusterStatus, clusterUp } from "../../local/cluster/cluster.ts";
import { runDir } from "../../local/cluster/layout.ts";
import { clusterProcesses } from "../../local/cluster/leftovers.ts";
import { isAlive, processNames, running } from "../../local/cluster/processes.ts";
import { gateway } from "../../local/gateway.ts";
import { places } from "../../local/places.ts";
import { cloneElsewhere, golive } from "../support/clone.ts";

// These tests take the cluster away, so they come last; they leave one behind, as they found it.
const silent = lineProgress(() => {});
const forward = () => readFile("/proc/sys/net/ipv4/ip_forward", "utf8");
const runs = async () => (await clusterStatus()).every(({ state }) => state === "running");

/** As when a session ends: no chance to clean up, and containers that outlive their runtime. */
async function killComponents(names: readonly string[] = processNames): Promise<void> {
  const identities = await Promise.all(names.map((name) => running(name)));
  const killed = identities.filter((identity) => identity !== undefined);
  for (const { pid } of killed) process.kill(pid, "SIGKILL");
  // A large process takes a moment to die, and until then it is there: a start would take it for alive.
  const deadline = performance.now() + 30_000;
  while (killed.some(isAlive)) {
    if (performance.now() > deadline) throw new Error("killed processes are still there after 30 s");
    await sleep(20);
  }
}

/** Waits until a start has brought a process up; one that ends before, or takes minutes, is told with what it said. */
async function untilRunning(name: string, start: ChildProcessByStdio<null, null, Readable>): Promise<void> {
  let said = "";
  start.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const ended = once(start.stderr, "end");
  const deadline = performance.now() + 5 * 60_000;
  while ((await running(name)) === undefined) {
    if (start.exitCode !== null || start.signalCode !== null) {
      await ended;
      throw new Error(`the start ended (${start.exitCode ?? start.signalCode}) before ${name} ran:\n${said}`);
    }
    if (performance.now() > deadline) throw new Error(`${name} does not run after 5 minutes:\n${said}`);
    // Short: the start is to be killed as soon as the process runs.
    await sleep(5);
  }
}

beforeAll(() => clusterUp(silent));
afterAll(() => clusterUp(silent));

describe("stopping the cluster", () => {
  it("leaves no process, mount, interface, rule, control group or file of it, and can be said twice", async () => {
    expect(await clusterLeftovers()).not.toEqual([]);
    await clusterDown(silent);
    expect(await clusterLeftovers()).toEqual([]);
    expect(existsSync(places.cluster)).toBe(false);
    expect(existsSync(runDir)).toBe(false);
    await clusterDown(silent);
    expect(await clusterLeftovers()).toEqual([]);
    const { code, stdout } = await golive(places.root, ["local", "status"]);
    expect(code).toBe(1);
    expect(stdout).not.toContain("left over");
  });

  it("gives the machine's settings back", async () => {
    const before = await forward();
    await clusterUp(silent);
    expect(await forward()).toBe("1\n");
    await clusterDown(silent);
    expect(await forward()).toBe(before);
  });
});

describe("a port that is in use", () => {
  it("is named with its holder before anything is touched", async () => {
    const server = createServer().listen(gateway.publicPort, gateway.host);
    await once(server, "listening");
    const { code, stderr } = await golive(places.root, ["local", "up"]);
    server.close();
    expect(code).toBe(2);
    expect(stderr).toContain(`port ${gateway.publicPort} (gateway, public) is in use by `);
    expect(stderr).toContain(`(pid ${process.pid}); stop it`);
    expect(await clusterLeftovers()).toEqual([]);
  });
});

describe("a start that was killed", () => {
  it.each(["etcd", "containerd", "kubelet"])("once %s ran, is completed by the next", async (name) => {
    const child = spawn(process.execPath, [join(places.root, "cli", "main.ts"), "local", "up"], {
      env: { ...process.env, GOLIVE_KUBECONFIG: "" },
      stdio: ["ignore", "ignore", "pipe"],
    });
    const exited = once(child, "exit");
    try {
      await untilRunning(name, child);
    } finally {
      child.kill("SIGKILL");
      await exited;
    }
    await clusterUp(silent);
    expect(await runs()).toBe(true);
    await clusterDown(silent);
    expect(await clusterLeftovers()).toEqual([]);
  });
});

describe("a cluster whose processes were killed", () => {
  it("is replaced by a new one", async () => {
    await clusterUp(silent);
    await killComponents();
    expect(clusterProcesses()).not.toEqual([]);
    await clusterUp(silent);
    expect(await runs()).toBe(true);
  });

  it("has what is missing started again when its node is still there", async () => {
    await killComponents(["kube-apiserver", "kubelet", "kube-proxy"]);
    await clusterUp(silent);
    expect(await runs()).toBe(true);
  });
});

describe("what a killed cluster of another clone left", () => {
  const other = cloneElsewhere();
  afterAll(() => other.remove());

  it("is cleaned up by the next start here", async () => {
    await clusterDown(silent);
    other.shareBuilt();
    const up = await golive(other.root, ["local", "up"]);
    expect(up.code, up.stderr).toBe(0);
    await expect(clusterUp(silent)).rejects.toThrow(`the cluster of another clone is in the way: ${other.root}\n`);
    for (const name of ["kube-apiserver", "containerd"]) {
      const { pid } = JSON.parse(
        await readFile(join(other.root, ".golive", "cluster", "pids", `${name}.json`), "utf8"),
      );
      process.kill(pid, "SIGKILL");
    }
    await clusterUp(silent);
    expect(await runs()).toBe(true);
  });
});
