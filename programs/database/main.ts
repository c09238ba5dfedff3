import process from "node:process";
import { type ParseArgsOptionsConfig, parseArgs } from "node:util";
import { cleanUp } from "./afterwards.ts";
import { backup } from "./backup/backup.ts";
import { handedOver, handOver } from "./backup/handover.ts";
import { drill } from "./drill.ts";
import { metrics } from "./metrics.ts";
import { check } from "./migrations/check.ts";
import { migrate } from "./migrations/migrate.ts";
import { Problem } from "./problem.ts";
import { problemReport, resultReport, writeReport } from "./report.ts";
import { listBackups, restore } from "./restore.ts";
import { seed } from "./seed/seed.ts";
import type { ProgramSettings } from "./settings.ts";
import { readSettings } from "./settings-file.ts";
import { status } from "./status.ts";
import { verify } from "./verify.ts";

type Log = (line: string) => void;

interface Command {
  /** How it is called, after its name. */
  readonly usage: string;
  /** Beside --json. Default: none. */
  readonly options?: ParseArgsOptionsConfig;
  /** Most operands. Default: 0. */
  readonly operands?: number;
  readonly run: (settings: ProgramSettings, log: Log, given: Given) => Promise<object>;
}

interface Given {
  readonly operands: readonly string[];
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
}

const commands: Readonly<Record<string, Command>> = {
  check: { usage: "", run: (settings, log) => check(settings, log) },
  backup: {
    usage: "",
    async run(settings, log) {
      const result = await backup(settings, log);
      await handOver(settings, result);
      return result;
    },
  },
  migrate: {
    usage: " [--dry-run]",
    options: { "dry-run": { type: "boolean" } },
    async run(settings, log, { options }) {
      const result = await migrate(settings, log, { dryRun: options["dry-run"] === true });
      const made = await handedOver(settings);
      return made === undefined ? result : { ...result, backup: made };
    },
  },
  drill: { usage: "", run: (settings, log) => drill(settings, log) },
  restore: {
    usage: " [NAME | --list]",
    options: { list: { type: "boolean" } },
    operands: 1,
    run: (settings, log, { operands: [name], options: { list } }) =>
      list === true ? listBackups(settings) : restore(settings, log, { name }),
  },
  status: { usage: "", run: (settings, log) => status(settings, log) },
  verify: { usage: "", run: (settings, log) => verify(settings, log) },
  seed: {
    usage: " [--from-dump NAME | --tasks N]",
    options: { "from-dump": { type: "string" }, tasks: { type: "string" } },
    run: (settings, log, { options: { "from-dump": fromDump, tasks } }) =>
      seed(settings, log, {
        ...(typeof fromDump === "string" ? { fromDump } : {}),
        ...(typeof tasks === "string" ? { tasks: Number(tasks) } : {}),
      }),
  },
  metrics: { usage: "", run: (settings, log) => metrics(settings, log) },
};

/** Runs one command to its end. Exit codes: 0 done; 1 refused, failed or found wanting; 143 or 130 told to stop. */
async function main(args: readonly string[]): Promise<void> {
  let settings: ProgramSettings | undefined;
  try {
    const { name, command, given, json } = parse(args);
    settings = await readSettings();
    // With --json standard output is the result and nothing else.
    const log = (line: string) => void (json ? process.stderr : process.stdout).write(`${line}\n`);
    log(`${name}: ${settings.database} on ${settings.server.host}:${settings.server.port}`);
    const result = await command.run(settings, log, given);
    await writeReport(settings.report, resultReport(result));
    if (json) process.stdout.write(`${JSON.stringify(result)}\n`);
    // What was looked up and found wanting is a result, and no success.
    if ("ok" in result && result.ok === false) process.exitCode = 1;
  } catch (error) {
    if (stopped) return;
    process.exitCode = 1;
    const text =
      error instanceof Problem ? error.message : error instanceof Error ? String(error.stack) : String(error);
    process.stderr.write(`${text}\n`);
    await writeReport(settings?.report, problemReport(text));
  }
}

function parse(args: readonly string[]) {
  const [name = "", ...rest] = args;
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    const known = Object.entries(commands).map(([each, { usage }]) => `  ${each}${usage} [--json]`);
    throw new Problem([`got the command ${JSON.stringify(name)}; there are:`, ...known].join("\n"));
  }
  const { json, ...given } = optionsOf(name, command, rest);
  return { name, command, given, json };
}

function optionsOf(name: string, { usage, options = {}, operands = 0 }: Command, args: readonly string[]) {
  const usageOf = `usage: ${name}${usage} [--json]`;
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { ...options, json: { type: "boolean" } },
    });
    if (positionals.length > operands) throw new Problem(`got ${positionals.join(" ")}; ${usageOf}`);
    const { json, ...own } = values as Given["options"];
    return { operands: positionals, options: own, json: json === true };
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem(`${error instanceof Error ? error.message : String(error)}; ${usageOf}`, { cause: error });
  }
}

let stopped = false;

/** A pod is being deleted, or somebody pressed Ctrl-C: nothing half-made stays behind. */
async function stop(signal: "SIGTERM" | "SIGINT"): Promise<void> {
  if (stopped) return;
  stopped = true;
  process.stderr.write(`stopped by ${signal}: putting back what is half done\n`);
  for (const error of await cleanUp()) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  }
  process.exit(signal === "SIGTERM" ? 143 : 130);
}

process.on("SIGTERM", () => void stop("SIGTERM"));
process.on("SIGINT", () => void stop("SIGINT"));
await main(process.argv.slice(2));
