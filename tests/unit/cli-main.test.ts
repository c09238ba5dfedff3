import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { lockFileProblem } from "../../cli/check.ts";
import { addressOf, changeOf } from "../../cli/cluster-address.ts";
import { editDistance, nearest } from "../../settings/nearest.ts";

const main = join(import.meta.dirname, "..", "..", "cli", "main.ts");

async function golive(...args: string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [main, ...args]);
    return { exitCode: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { exitCode: code, stdout, stderr };
  }
}

describe("the command line", () => {
  it("says what it can do, and which version it is", async () => {
    expect(await golive("--help")).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("golive COMMAND") });
    expect(await golive("--version")).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^golive \d+\./) });
    expect(await golive()).toMatchObject({ exitCode: 2, stdout: "" });
  });

  it.each(["demo", "test", "check", "local", "pulumi", "database", "bench"])("explains %s", async (command) => {
    const { exitCode, stdout } = await golive(command, "--help");
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringMatching(/Usage:\s/) });
  });

  it.each([
    [["chekc"], 'golive: unknown command "chekc"; did you mean check?\n'],
    [
      ["deploy"],
      'golive: unknown command "deploy"; the commands are demo, test, check, local, pulumi, rollout, preview, policy, database, delivery, bench\n',
    ],
    [["check", "--fiks"], "golive check: Unknown option '--fiks'; allowed: --fix. See: golive check --help\n"],
    [["check", "cli"], 'golive check: got "cli"; it takes options only. See: golive check --help\n'],
    [["test", "unti"], 'golive test: unknown level "unti"; did you mean unit?'],
  ])("answers %j with one message and exit code 2", async (args, message) => {
    const { exitCode, stdout, stderr } = await golive(...args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr.startsWith(message)).toBe(true);
  });
});

describe("a word that is not known", () => {
  it("is taken for the nearest one that is", () => {
    expect(nearest("dmeo", ["demo", "test"])).toBe("demo");
    expect(nearest("pul", ["demo", "pulumi"])).toBe("pulumi");
    expect(nearest("kubernetes", ["demo", "test"])).toBeUndefined();
  });

  it("is as far as its typing errors, a swap being one", () => {
    expect([editDistance("demo", "demo"), editDistance("dmeo", "demo"), editDistance("", "demo")]).toEqual([0, 1, 4]);
  });
});

describe("the cluster that a stack was on", () => {
  const before = { server: "https://one:6443", fingerprint: "a" };
  it.each([
    ["is the same", before, true, "none"],
    ["is gone when another one of ours answers", { ...before, fingerprint: "b" }, true, "gone"],
    ["may have renewed its authority when it is not ours", { ...before, fingerprint: "b" }, false, "unknown"],
    ["is another one", { server: "https://two:6443", fingerprint: "a" }, true, "moved"],
  ])("%s", (_, now, own, change) => {
    expect(changeOf(before, now, own)).toBe(change);
  });
});

describe("the lock file", () => {
  it("is refused when it ties packages to one registry", () => {
    const packages = { "": {}, "node_modules/pg": { version: "8.0.0", resolved: "https://registry.test/pg.tgz" } };
    expect(lockFileProblem(JSON.stringify({ packages }))).toContain("node_modules/pg");
    expect(lockFileProblem(JSON.stringify({ packages: { "": {}, "node_modules/pg": { version: "8.0.0" } } }))).toBe(
      undefined,
    );
  });
});

describe("the cluster of a kubeconfig", () => {
  const kubeconfig = {
    "current-context": "b",
    contexts: [
      { name: "a", context: { cluster: "one" } },
      { name: "b", context: { cluster: "two" } },
    ],
    clusters: [
      { name: "one", cluster: { server: "https://one:6443", "certificate-authority-data": "QQ==" } },
      { name: "two", cluster: { server: "https://two:6443", "certificate-authority-data": "Qg==" } },
    ],
  };

  it("is the current context's, and another one when its authority is another", () => {
    const now = addressOf(kubeconfig, "/home/dev");
    expect(now?.server).toBe("https://two:6443");
    const clusters = [{ name: "two", cluster: { server: "https://two:6443", "certificate-authority-data": "Qw==" } }];
    expect(addressOf({ ...kubeconfig, clusters }, "/home/dev")?.fingerprint).not.toBe(now?.fingerprint);
  });

  it("is the same wherever a relative path in it is read from", () => {
    const clusterWith = (file: string) => [{ name: "two", cluster: { server: "s", "certificate-authority": file } }];
    const relative = addressOf({ ...kubeconfig, clusters: clusterWith("ca.crt") }, "/home/dev");
    expect(addressOf({ ...kubeconfig, clusters: clusterWith("/home/dev/ca.crt") }, "/tmp")).toEqual(relative);
  });

  it("is none when the current context does not exist", () => {
    expect(addressOf({ ...kubeconfig, "current-context": "c" }, "/home/dev")).toBeUndefined();
    expect(addressOf(null, "/home/dev")).toBeUndefined();
  });
});
