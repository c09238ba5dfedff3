import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import process from "node:process";
import type { RunRequest } from "@pulumi/pulumi/proto/language_pb.js";

/** How a program ended: `bail` when it failed and has told the user why itself. */
export interface Outcome {
  readonly error: string;
  readonly bail: boolean;
}

/** The exit code with which the SDK says that the user has been told already (cmd/run of the SDK). */
const alreadyTold = 32;

/** Runs a Pulumi program in a Node of its own until it ends. */
export class Program {
  #child: ChildProcess | undefined;

  run(request: RunRequest, engineAddress: string): Promise<Outcome> {
    const info = request.getInfo();
    if (info === undefined) throw new Error("the engine did not say which program to run: it is older than 3.100");
    refuseOptions(info.getOptions()?.toJavaScript() ?? {});
    const child = spawn(process.execPath, programArguments(request, engineAddress), {
      env: programEnvironment(request),
      // The program's output goes straight to the engine, which shows it; its input is not ours to give.
      stdio: ["ignore", "inherit", "inherit"],
    });
    this.#child = child;
    return new Promise((resolve) => {
      child.on("error", (error) =>
        resolve({ error: `the program could not be started: ${error.message}`, bail: false }),
      );
      child.on("exit", (code, signal) => resolve(outcome(code, signal)));
    });
  }

  /** Ends the program as Ctrl-C would; one that does not end is killed after five seconds. */
  interrupt(): void {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGINT");
    setTimeout(() => child.kill("SIGKILL"), 5_000).unref();
  }
}

/** What the program's end means to the engine. Pure, so that it can be tested. */
export function outcome(code: number | null, signal: NodeJS.Signals | null): Outcome {
  if (code === 0) return { error: "", bail: false };
  if (code === alreadyTold) return { error: "", bail: true };
  const how = code === null ? `was ended by ${signal ?? "a signal"}` : `ended with exit code ${code}`;
  return { error: `the program ${how}`, bail: false };
}

/** Options of `runtime` in Pulumi.yaml that this host would have to act on, and does not, are refused: it must not guess. */
function refuseOptions(options: Record<string, unknown>): void {
  const { typescript, nodeargs } = options;
  if (typescript !== false) {
    throw new Error(
      "Pulumi.yaml: runtime.options.typescript must be false: Node runs TypeScript itself, and the stand-in for the " +
        "nodejs plugin compiles nothing",
    );
  }
  if (nodeargs !== undefined) {
    throw new Error("Pulumi.yaml: runtime.options.nodeargs is not supported by the stand-in for the nodejs plugin");
  }
}

function programArguments(request: RunRequest, engineAddress: string): readonly string[] {
  const info = request.getInfo();
  const directory = info?.getProgramDirectory() ?? request.getPwd();
  const launcher = createRequire(join(directory, "package.json")).resolve("@pulumi/pulumi/cmd/run");
  const named = {
    monitor: request.getMonitorAddress(),
    engine: engineAddress,
    organization: request.getOrganization(),
    project: request.getProject(),
    stack: request.getStack(),
    "root-directory": info?.getRootDirectory() ?? "",
    pwd: directory,
    parallel: String(request.getParallel()),
  };
  return [
    launcher,
    ...Object.entries(named).flatMap(([name, value]) => (value === "" ? [] : [`--${name}`, value])),
    ...(request.getDryrun() ? ["--dry-run"] : []),
    info?.getEntryPoint() ?? ".",
    ...request.getArgsList(),
  ];
}

function programEnvironment(request: RunRequest): NodeJS.ProcessEnv {
  return {
    ...process.env,
    PULUMI_CONFIG: JSON.stringify(Object.fromEntries(request.getConfigMap().getEntryList() as [string, string][])),
    PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
  };
}
