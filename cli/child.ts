import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import process from "node:process";
import { Failure } from "./failure.ts";
import type { Session } from "./session.ts";

export interface ChildOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Keep what it prints instead of letting it print to our own streams, and give it nothing to read. */
  readonly capture: boolean;
  /** Interrupts the child when this command is stopped. Default: nobody does. */
  readonly session?: Session | undefined;
  /** Interrupts the child when aborted. Default: nobody does. */
  readonly signal?: AbortSignal | undefined;
  /** Told the number of the child's process as soon as it runs. */
  readonly onStart?: ((pid: number) => void) | undefined;
  /** Told each whole line of its standard error while it runs, when that is captured. */
  readonly onNote?: ((line: string) => void) | undefined;
}

export interface ChildResult {
  /** 128 + n when it was ended by signal n, as a shell has it. */
  readonly exitCode: number;
  /** Empty unless captured. */
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

// An interrupted engine finishes the operation it is in; a second interrupt tells it to leave that, too.
const graceSeconds = 45;
const forceSeconds = 15;

/** Runs a command to its end, whatever its exit code; being stopped on the way interrupts it once and waits for it. */
export async function runChild(command: string, args: readonly string[], options: ChildOptions): Promise<ChildResult> {
  // At a terminal the child must stay in the foreground group to read the keyboard, and Ctrl-C reaches it by itself.
  // Elsewhere it gets a group of its own, so that an interrupt reaches it exactly once: from us.
  const atTerminal = !options.capture && process.stdin.isTTY === true;
  const started = performance.now();
  const child = spawn(command, [...args], {
    cwd: options.cwd,
    env: options.env,
    detached: !atTerminal,
    stdio: options.capture ? ["ignore", "pipe", "pipe"] : "inherit",
  });
  const closed = outcome(command, child, options.onNote);
  if (child.pid !== undefined) options.onStart?.(child.pid);

  let stopping: Promise<void> | undefined;
  const stop = (alreadyTold: boolean) => {
    stopping ??= interrupt(child, { alreadyTold, group: !atTerminal });
    return stopping;
  };
  const word = args.find((argument) => !argument.startsWith("-")) ?? "";
  const forget = options.session?.atEnd(`wait for ${commandName(command)} ${word} to end`, () =>
    stop(atTerminal && options.session?.endedBy === "SIGINT"),
  );
  const abort = () => void stop(false);
  options.signal?.addEventListener("abort", abort, { once: true });
  if (options.signal?.aborted) abort();
  try {
    const { exitCode, stdout, stderr } = await closed;
    return { exitCode, stdout, stderr, seconds: (performance.now() - started) / 1000 };
  } finally {
    options.signal?.removeEventListener("abort", abort);
    forget?.();
  }
}

const commandName = (path: string) => path.slice(path.lastIndexOf("/") + 1);

function outcome(
  command: string,
  child: ChildProcess,
  onNote: (line: string) => void = () => {},
): Promise<Omit<ChildResult, "seconds">> {
  return new Promise((resolve, reject) => {
    let stdout = "";
    let stderr = "";
    let noted = 0;
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
      for (let end = stderr.indexOf("\n", noted); end >= 0; end = stderr.indexOf("\n", noted)) {
        onNote(stderr.slice(noted, end));
        noted = end + 1;
      }
    });
    child.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") reject(error);
      else reject(new Failure(`${command} is missing. Start again: set-up puts it there.`, 2, { cause: error }));
    });
    child.once("close", (code, signal) => {
      resolve({ exitCode: code ?? (signal === null ? 1 : 128 + constants.signals[signal]), stdout, stderr });
    });
  });
}

async function interrupt(child: ChildProcess, how: { alreadyTold: boolean; group: boolean }): Promise<void> {
  const running = () => child.pid !== undefined && child.exitCode === null && child.signalCode === null;
  if (!running()) return;
  const gone = new Promise<"gone">((resolve) => child.once("exit", () => resolve("gone")));
  const within = (seconds: number) =>
    Promise.race([gone, new Promise<"late">((resolve) => setTimeout(resolve, seconds * 1000, "late").unref())]);

  if (!how.alreadyTold) child.kill("SIGINT");
  if ((await within(graceSeconds)) === "gone") return;
  child.kill("SIGINT");
  if ((await within(forceSeconds)) === "gone") return;
  if (!running() || child.pid === undefined) return;
  // This does not reach the engine's language host and plugins: they have groups of their own, and end when their
  // standard input does, which is the engine's to hold open.
  if (how.group) process.kill(-child.pid, "SIGKILL");
  else child.kill("SIGKILL");
  await gone;
}
