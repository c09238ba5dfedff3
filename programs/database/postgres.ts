import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { getCACertificates } from "node:tls";
import { afterwards } from "./afterwards.ts";
import { Problem } from "./problem.ts";
import type { ProgramSettings } from "./settings.ts";

/** PostgreSQL's own programs that these programs start. */
export type ToolName = "initdb" | "postgres" | "pg_dump" | "pg_restore";

/** Where a tool works, as libpq reads it from its environment; a password stands there and never among the arguments. */
export type Access = Readonly<Record<`PG${string}`, string>>;

export interface ToolRun {
  /** What it does, for an error: `pg_dump of taskflow on postgres:5432`. */
  readonly what: string;
  readonly access?: Access;
  /** Fed to its standard input. Default: nothing. */
  readonly input?: Readable;
  /** Reads its standard output to the end. Default: it is collected. */
  readonly output?: (stdout: Readable) => Promise<void>;
}

/** A tool ended with an exit code other than 0, or by a signal. */
export class ToolProblem extends Problem {
  /** The end of what it said, trimmed. */
  readonly stderr: string;

  constructor(what: string, outcome: string, stderr: string) {
    super(`${what} failed (${outcome})${stderr === "" ? "" : `:\n${stderr}`}`);
    this.stderr = stderr;
  }
}

/** Much more than one error with its context; a tool may repeat itself for every row. */
const keptStderr = 8_000;

/** How libpq reaches the application's server as this login: by default in the application's database. */
export async function accessTo(settings: ProgramSettings, login: string, database?: string): Promise<Access> {
  const { host, port, tls } = settings.server;
  return {
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: login,
    PGPASSWORD: (await readFile(join(settings.passwords, login), "utf8")).trim(),
    PGDATABASE: database ?? settings.database,
    PGAPPNAME: "golive",
    PGCONNECT_TIMEOUT: "10",
    // A killed tool leaves no statement running, and no lock (research/database.md 1.2, row 7).
    PGOPTIONS: "-c client_connection_check_interval=1s",
    ...(tls.mode === "off"
      ? { PGSSLMODE: "disable" }
      : { PGSSLMODE: "verify-full", PGSSLROOTCERT: tls.ca ?? (await systemAuthorities(settings)) }),
  };
}

// libpq below 16 knows no "system" store and the PostgreSQL image has no certificates: the ones that Node trusts, as a file.
async function systemAuthorities(settings: ProgramSettings): Promise<string> {
  const path = join(settings.work, "authorities.crt");
  await writeFile(path, getCACertificates("default").join("\n"));
  return path;
}

/**
 * Runs a tool to its end; it is ended when this process is told to stop.
 * @returns what it printed, unless `output` read that.
 * @throws ToolProblem; what `input` or `output` threw; Problem when there is no such tool.
 */
export async function runTool(
  settings: ProgramSettings,
  tool: ToolName,
  args: readonly string[],
  run: ToolRun,
): Promise<string> {
  const child = startTool(settings, tool, args, run.access);
  return await afterwards(
    () => stopChild(child, "SIGTERM"),
    async () => {
      let printed = "";
      const collect = async (stdout: Readable) => {
        for await (const chunk of stdout.setEncoding("utf8")) printed += chunk;
      };
      const { stdin, stdout } = child.process;
      const [fed, read, outcome] = await Promise.all([
        settled(run.input ? pipeline(run.input, stdin) : Promise.resolve(stdin.end()), child),
        settled((run.output ?? collect)(stdout), child),
        child.ended,
      ]);
      for (const failed of [read, fed]) if (failed !== undefined && !isClosedPipe(failed)) throw failed;
      if (outcome.ending !== "exit code 0") throw new ToolProblem(run.what, outcome.ending, outcome.stderr);
      return printed;
    },
  );
}

/** A child whose end is awaited. */
export interface Child {
  readonly process: ChildProcessWithoutNullStreams;
  /** Never rejects but when the program is missing. */
  readonly ended: Promise<Outcome>;
}

interface Outcome {
  /** `exit code 1`, `SIGKILL`. */
  readonly ending: string;
  readonly stderr: string;
}

/** Starts a tool and returns at once. Its environment is PATH, a plain locale and `access`: nothing else gets in. */
export function startTool(
  settings: ProgramSettings,
  tool: ToolName,
  args: readonly string[],
  access: Access = {},
): Child {
  const { PATH = "" } = process.env;
  const child = spawn(settings.binaries === undefined ? tool : join(settings.binaries, tool), [...args], {
    env: { PATH, LC_ALL: "C", ...access },
  });
  // A tool that ends early closes its end; its exit code tells why.
  child.stdin.on("error", () => undefined);
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-keptStderr);
  });
  const ended = new Promise<Outcome>((resolve, reject) => {
    child.once("error", (error: NodeJS.ErrnoException) =>
      reject(
        new Problem(
          `cannot start ${tool} (${error.code ?? error.message}), looked for ${settings.binaries === undefined ? "on PATH" : `in ${settings.binaries}`}; this program runs in an image of PostgreSQL, which has it`,
          { cause: error },
        ),
      ),
    );
    child.once("close", (code, signal) =>
      resolve({ ending: code === null ? String(signal) : `exit code ${code}`, stderr: stderr.trim() }),
    );
  });
  // Whoever awaits it gets the error; nobody may have come to that yet.
  ended.catch(() => undefined);
  return { process: child, ended };
}

/** Ends a child that still runs, and waits until it is gone; by SIGKILL when it does not go within ten seconds. */
export async function stopChild(child: Child, signal: NodeJS.Signals): Promise<void> {
  if (child.process.pid === undefined) return;
  if (child.process.exitCode === null && child.process.signalCode === null) child.process.kill(signal);
  const force = setTimeout(() => child.process.kill("SIGKILL"), 10_000);
  await child.ended;
  clearTimeout(force);
}

/** What went wrong with one end of a pipe, after which the child has no reason to go on. */
async function settled(work: Promise<unknown>, child: Child): Promise<unknown> {
  try {
    await work;
    return undefined;
  } catch (error) {
    if (!isClosedPipe(error)) child.process.kill("SIGTERM");
    return error;
  }
}

function isClosedPipe(error: unknown): boolean {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code === "EPIPE" || code === "ERR_STREAM_PREMATURE_CLOSE" || code === "ECONNRESET";
}

/**
 * The major version of a tool, such as 15.
 * @throws Problem when it is missing or says something else.
 */
export async function toolMajor(settings: ProgramSettings, tool: ToolName): Promise<number> {
  const printed = await runTool(settings, tool, ["--version"], { what: `${tool} --version` });
  const major = /\s(\d+)(?:\.\d+|\w*)/.exec(printed)?.[1];
  if (major === undefined) throw new Problem(`${tool} --version says ${JSON.stringify(printed.trim())}, no version`);
  return Number(major);
}
