import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { Progress } from "../../cli/progress.ts";
import { type PulumiOptions, type PulumiResult, pulumi } from "../../cli/pulumi.ts";
import { changeableStack, ownWorkspace, resetStackFile, type Workspace, workspaceAt } from "../../cli/workspace.ts";
import { until } from "./until.ts";

const silent: Progress = { note: () => {}, stage: (_, work) => work(silent) };

/** A stack of the checkout's program with a backend of its own, driven through the real engine as a person would. */
export class LiveStack {
  readonly name: string;
  readonly workspace: Workspace;
  readonly #forget: (stack: LiveStack) => Promise<void>;

  private constructor(name: string, workspace: Workspace, forget: (stack: LiveStack) => Promise<void>) {
    this.name = name;
    this.workspace = workspace;
    this.#forget = forget;
  }

  /** `source`: root of a copy of the checkout, for a test that changes its files. */
  static async open(name: string, source?: string): Promise<LiveStack> {
    const directory = await mkdtemp(join(tmpdir(), "golive-live-"));
    return new LiveStack(name, workspaceAt(directory, source), () => rm(directory, { recursive: true, force: true }));
  }

  /** The one that `golive pulumi` and `golive rollout` of this checkout work on: for what only these commands do. */
  static async own(): Promise<LiveStack> {
    const stack = new LiveStack(changeableStack, ownWorkspace, async (it) => {
      await it.#succeed(["stack", "rm", "--yes"]);
    });
    await stack.run(["config", "get", "golive:candidateTraffic"]);
    await resetStackFile(ownWorkspace, changeableStack);
    return stack;
  }

  /** Forgets the backend; what is on the cluster must have been destroyed before. */
  async close(): Promise<void> {
    await this.#forget(this);
  }

  run(args: readonly string[], options: PulumiOptions = {}): Promise<PulumiResult> {
    return pulumi([...args, "--stack", this.name], {
      workspace: this.workspace,
      capture: true,
      progress: silent,
      ...options,
    });
  }

  /** Sets keys of the stack's config; a path such as `green.version` sets a part of an object. */
  async set(values: Readonly<Record<string, string | number | boolean>>): Promise<void> {
    for (const [key, value] of Object.entries(values))
      await this.#succeed(["config", "set", "--path", `golive:${key}`, String(value)]);
  }

  async unset(key: string): Promise<void> {
    await this.#succeed(["config", "rm", "--path", `golive:${key}`]);
  }

  preview(...args: readonly string[]): Promise<PulumiResult> {
    return this.run(["preview", ...args]);
  }

  /** An `up` without the preview before it: what it refuses, it refuses by itself. */
  up(...args: readonly string[]): Promise<PulumiResult> {
    return this.run(["up", "--yes", "--skip-preview", ...args]);
  }

  /** An `up` that must succeed. @throws Error with what it printed. */
  async succeedUp(...args: readonly string[]): Promise<PulumiResult> {
    return this.#succeed(["up", "--yes", "--skip-preview", ...args]);
  }

  /** Steps to a percentage. */
  async step(candidateTraffic: number): Promise<PulumiResult> {
    await this.set({ candidateTraffic });
    return this.succeedUp();
  }

  /** Starts an `up` and ends its whole process group with SIGKILL as soon as a condition holds, asked every `everyMs`. */
  async killUpWhen(condition: () => Promise<boolean>, everyMs = 20): Promise<void> {
    let pid = 0;
    const run = this.run(["up", "--yes", "--skip-preview"], { onStart: (started) => (pid = started) });
    await until("the moment to kill", condition, 60, everyMs);
    process.kill(-pid, "SIGKILL");
    const { exitCode } = await run;
    if (exitCode !== 137) throw new Error(`the up had ended by itself, with ${exitCode}`);
  }

  destroy(): Promise<PulumiResult> {
    return this.#succeed(["destroy", "--yes", "--skip-preview"]);
  }

  /** Whether an engine holds this stack's lock at this moment. */
  async isLocked(): Promise<boolean> {
    const locks = join(this.workspace.state, ".pulumi", "locks");
    const files = await readdir(locks, { recursive: true }).catch(() => []);
    return files.some((file) => file.endsWith(".json"));
  }

  /** The state as `pulumi stack export` gives it to anybody who may read it without the passphrase. */
  async exported(): Promise<string> {
    return (await this.#succeed(["stack", "export"])).stdout;
  }

  /** Value of a stack output, secrets shown. */
  async output(name: string): Promise<unknown> {
    return JSON.parse((await this.#succeed(["stack", "output", name, "--json", "--show-secrets"])).stdout);
  }

  async #succeed(args: readonly string[]): Promise<PulumiResult> {
    const result = await this.run(args);
    if (result.exitCode !== 0)
      throw new Error(`pulumi ${args.join(" ")} ended with ${result.exitCode}:\n${textOf(result)}`);
    return result;
  }
}

/** All that a run printed. */
export const textOf = ({ stdout, stderr }: PulumiResult) => `${stdout}${stderr}`;

/** The URNs of a preview, without the stack's own prefix, sorted: the contract of design section 10. */
export async function previewedUrns(stack: LiveStack): Promise<readonly string[]> {
  const result = await stack.preview("--json");
  if (result.exitCode !== 0) throw new Error(textOf(result));
  const plan: { steps: readonly { urn: string }[] } = JSON.parse(result.stdout);
  return plan.steps.map(({ urn }) => withoutDigest(urn.split("::").slice(2).join("::"))).sort();
}

/** What changes with its content has a digest behind its name. */
const withoutDigest = (urn: string) => urn.replace(/-[0-9a-f]{10}$/, "");

export const goldenPath = (stack: string) => join(import.meta.dirname, "..", "golden", `urns.${stack}.golden.txt`);

export const goldenUrns = async (stack: string): Promise<readonly string[]> =>
  (await readFile(goldenPath(stack), "utf8")).trim().split("\n");
