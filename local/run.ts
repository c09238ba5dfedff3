import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { Failure } from "../cli/failure.ts";

export interface RunOptions {
  readonly cwd?: string;
  /** Added to our own environment. Default: nothing. */
  readonly env?: Readonly<Record<string, string>>;
  /** What the command reads. Default: nothing. */
  readonly input?: string | Uint8Array;
  /** Told each line of standard error as it comes. */
  readonly onLine?: (line: string) => void;
}

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const live = new Set<ChildProcess>();

/** Ends the commands that run. */
export function endCommands(): void {
  for (const child of live) child.kill("SIGTERM");
}

// Whoever waits for them is gone: a build would go on for minutes, for nobody.
process.on("exit", endCommands);

/** Runs a command to its end and gives what it said, whatever its exit code. A command that is missing is a Failure. */
export function outcomeOf(command: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    live.add(child);
    let stdout = "";
    let stderr = "";
    let partial = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      stdout += chunk;
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      stderr += chunk;
      const lines = `${partial}${chunk}`.split("\n");
      partial = lines.pop() ?? "";
      for (const line of lines) options.onLine?.(line);
    });
    child.on("error", (error: NodeJS.ErrnoException) => {
      live.delete(child);
      if (error.code !== "ENOENT") reject(error);
      else
        reject(new Failure(`${command} is missing on this machine. Install it and start again.`, 2, { cause: error }));
    });
    // A command that ends without reading its input (it printed an error) is judged by its exit code.
    child.stdin.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") reject(error);
    });
    child.stdin.end(options.input);
    child.on("close", (code, signal) => {
      live.delete(child);
      resolve({ code: code ?? (signal === null ? 1 : 128), stdout, stderr });
    });
  });
}

/** Runs a command and gives its standard output; when it fails, a Failure ends with what it said. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const outcome = await outcomeOf(command, args, options);
  if (outcome.code === 0) return outcome.stdout;
  const said = (outcome.stderr.trim() || outcome.stdout.trim()).split("\n").slice(-15).join("\n");
  const name = command.slice(command.lastIndexOf("/") + 1);
  throw new Failure(`${name} ${args.slice(0, 6).join(" ")} ended with exit code ${outcome.code}:\n${said}`);
}
