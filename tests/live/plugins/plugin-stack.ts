import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { cp, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { lineProgress } from "../../../cli/progress.ts";
import { type Engine, engine } from "../../../local/engine.ts";
import { places } from "../../../local/places.ts";
import { type Plan, type PlannedResource, planVariable } from "./program/plan.ts";

export interface Run {
  readonly code: number;
  /** All that it printed. */
  readonly text: string;
}

/** A run that goes on. */
export interface Started {
  readonly pid: number;
  readonly done: Promise<Run>;
  readonly end: (signal: NodeJS.Signals) => void;
}

/** What a run would do or did, by urn name: `create`, `update`, `replace`, `delete`, `same`. */
export type Steps = Readonly<Record<string, string>>;

const programFiles = join(import.meta.dirname, "program");

/** The fixture program in a stack of its own, with a backend of its own, in a namespace of its own where it is in a cluster. */
export class PluginStack {
  readonly namespace: string;
  readonly #directory: string;
  readonly #engine: Engine;

  private constructor(found: Engine, directory: string, namespace: string) {
    this.#engine = found;
    this.#directory = directory;
    this.namespace = namespace;
  }

  /** Whether the engine works with our stand-ins. */
  get standIns(): boolean {
    return this.#engine.standIns;
  }

  /** `program`: the directory of another program, which reads its plan in the same way. */
  static async open(program = programFiles): Promise<PluginStack> {
    const found = await engine(lineProgress());
    const id = randomBytes(4).toString("hex");
    const directory = join(places.golive, "tests", `plugins-${id}`);
    await mkdir(join(directory, "state"), { recursive: true });
    await cp(program, join(directory, "program"), { recursive: true });
    const stack = new PluginStack(found, directory, `plugins-${id}`);
    await stack.write({ resources: [] });
    const made = await stack.run("stack", "init", "test");
    if (made.code !== 0) throw new Error(made.text);
    return stack;
  }

  /** Says what the program declares next: the namespace always, and these. */
  async plan(resources: readonly PlannedResource[], more: Partial<Plan> = {}): Promise<void> {
    const namespace: PlannedResource = {
      type: "core.v1.Namespace",
      name: "namespace",
      args: { metadata: { name: this.namespace } },
    };
    const provider = {
      context: "golive-local",
      clusterIdentifier: "local",
      enableServerSideApply: true,
      namespace: this.namespace,
      ...more.provider,
    };
    const after = (resource: PlannedResource) =>
      resource.type.startsWith("random.") || resource.get !== undefined ? resource : inside(resource);
    const plan: Plan = { ...more, provider, resources: [namespace, ...resources.map(after)] };
    await this.write(plan);
  }

  /** Says what the program declares next: this and nothing else. */
  async write(plan: Plan): Promise<void> {
    await writeFile(join(this.#directory, "plan.json"), JSON.stringify(plan));
  }

  /** Runs the engine on the stack. */
  run(...args: readonly string[]): Promise<Run> {
    const { done } = this.start(...args);
    return done;
  }

  /** Starts the engine on the stack, and leaves it to the test when to end it. */
  start(...args: readonly string[]): Started {
    const child = spawn(this.#engine.command, ["--non-interactive", "-C", join(this.#directory, "program"), ...args], {
      env: {
        ...this.#engine.env,
        PULUMI_BACKEND_URL: `file://${join(this.#directory, "state")}`,
        [planVariable]: join(this.#directory, "plan.json"),
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let text = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (piece: string) => {
        text += piece;
      });
    }
    const done = new Promise<Run>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code) => resolve({ code: code ?? 1, text }));
    });
    return { done, pid: child.pid ?? 0, end: (signal) => child.kill(signal) };
  }

  preview(...args: readonly string[]): Promise<Run> {
    return this.run("preview", "--diff", ...args);
  }

  /** What a preview says it would do, by resource name. */
  async steps(): Promise<Steps> {
    const { code, text } = await this.run("preview", "--json");
    if (code !== 0) throw new Error(text);
    const { steps } = JSON.parse(text) as { steps: { op: string; urn: string }[] };
    return Object.fromEntries(
      steps
        .filter(({ op, urn }) => op !== "same" && op !== "read" && !urn.includes("pulumi:providers:"))
        .map(({ op, urn }) => [urn.split("::").at(-1) ?? urn, op]),
    );
  }

  up(...args: readonly string[]): Promise<Run> {
    return this.run("up", "--yes", "--skip-preview", ...args);
  }

  /** An `up` that must succeed. */
  async succeed(): Promise<Run> {
    const run = await this.up();
    if (run.code !== 0) throw new Error(run.text);
    return run;
  }

  /** The stack's state in clear JSON; secrets are ciphertext in it. */
  async state(): Promise<string> {
    return (await this.run("stack", "export")).text;
  }

  async output(name: string, ...args: readonly string[]): Promise<unknown> {
    const { text } = await this.run("stack", "output", "outputs", "--json", ...args);
    return (JSON.parse(text) as Record<string, unknown>)[name];
  }

  /** Ends the stack, and leaves nothing of it behind. */
  async close(): Promise<void> {
    const run = await this.run("destroy", "--yes", "--skip-preview");
    if (run.code !== 0) throw new Error(run.text);
    await rm(this.#directory, { recursive: true });
  }
}

function inside(resource: PlannedResource): PlannedResource {
  // A literal namespace would not wait for the namespace object.
  const metadata = { namespace: { $of: "namespace.metadata.name" }, ...(resource.args.metadata as object | undefined) };
  return { ...resource, args: { ...resource.args, metadata } };
}
