import { readFile } from "node:fs/promises";
import { constants } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { places } from "../local/places.ts";
import { nearest } from "../settings/nearest.ts";
import type { Command } from "./command.ts";
import { Failure } from "./failure.ts";
import { lineProgress } from "./progress.ts";
import { Session } from "./session.ts";

// Each command is loaded only when asked for: `golive pulumi` is typed once per rung, and must not pay for the rest.
const commands: Readonly<Record<string, { readonly summary: string; readonly load: () => Promise<Command> }>> = {
  demo: {
    summary: "take the sample application from 0 to 100 percent and back, on a real cluster, under load",
    load: async () => (await import("./demo.ts")).demo,
  },
  test: {
    summary: "run the tests: all of them, or the levels that are named",
    load: async () => (await import("./test.ts")).test,
  },
  check: {
    summary: "format, lint, types, lock file",
    load: async () => (await import("./check.ts")).check,
  },
  local: {
    summary: "the throw-away cluster on this machine: up, down, status, logs NAME",
    load: async () => (await import("./local.ts")).local,
  },
  pulumi: {
    summary: "Pulumi with the local backend, kubeconfig and plugins: golive pulumi preview --stack local",
    load: async () => (await import("./pulumi.ts")).pulumiCommand,
  },
  rollout: {
    summary: "walk a release up its ladder: start, status, watch, pause, resume, step, abort, promote, retire, record",
    load: async () => (await import("./rollout.ts")).rollout,
  },
  preview: {
    summary: "what a run would do to a stack, for a reviewer: traffic, migrations, changes, policies",
    load: async () => (await import("./preview.ts")).preview,
  },
  policy: {
    summary: "whether a stack keeps the policies, undecidable ones included: policy check --stack production",
    load: async () => (await import("./policy.ts")).policy,
  },
  database: {
    summary: "a stack's database: status, verify, migrate --dry-run, backup, restore, drill, seed",
    load: async () => (await import("./database.ts")).database,
  },
  delivery: {
    summary: "what the workflows on GitHub do: previews on pull requests, up on merge, promotion, drift, audits",
    load: async () => (await import("./delivery.ts")).delivery,
  },
  bench: {
    summary: "measure: what a step costs, what queries take, how often the gate is wrong, how long a rollback takes",
    load: async () => (await import("./bench.ts")).bench,
  },
};

function overview(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length));
  const lines = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return `golive takes an application live, and steps its traffic by one config value.

Usage: golive COMMAND [options]

${lines.join("\n")}

  golive COMMAND --help   what a command does, its options, examples
  golive --version

Everything that set-up makes is below .golive/. Start with: golive demo`;
}

async function version(): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(join(places.root, "package.json"), "utf8"));
  const number = manifest !== null && typeof manifest === "object" && "version" in manifest ? manifest.version : "?";
  return `golive ${number}`;
}

/** Runs what the command line says. Returns the exit code; throws a Failure that carries its own. */
async function run(argv: readonly string[], session: Session): Promise<number> {
  const [word, ...rest] = argv;
  if (word === undefined) {
    process.stderr.write(`${overview()}\n`);
    return 2;
  }
  if (word === "--version" || word === "-V") {
    process.stdout.write(`${await version()}\n`);
    return 0;
  }
  const asksForHelp = word === "--help" || word === "-h" || word === "help";
  const name = asksForHelp ? rest[0] : word;
  if (name === undefined) {
    process.stdout.write(`${overview()}\n`);
    return 0;
  }
  const entry = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (entry === undefined) {
    const meant = nearest(name, Object.keys(commands));
    const hint =
      meant === undefined ? `the commands are ${Object.keys(commands).join(", ")}` : `did you mean ${meant}?`;
    throw new Failure(`golive: unknown command "${name}"; ${hint}`, 2);
  }
  const command = await entry.load();
  // `golive pulumi up --help` is a question to Pulumi; only a --help that comes first is one to us.
  const help =
    name === "pulumi" ? rest.slice(0, 1) : rest.slice(0, rest.includes("--") ? rest.indexOf("--") : undefined);
  if (asksForHelp || help.includes("--help") || help.includes("-h")) {
    const asked = asksForHelp ? rest.slice(1) : rest;
    process.stdout.write(`${((await command.helpOf?.(asked)) ?? command.help).trim()}\n`);
    return 0;
  }
  return command.run(rest, session);
}

function explain(error: unknown): { text: string; exitCode: number } {
  if (error instanceof Failure) return { text: error.message, exitCode: error.exitCode };
  return { text: error instanceof Error ? (error.stack ?? error.message) : String(error), exitCode: 1 };
}

const session = new Session(lineProgress());
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    // A closed terminal takes no more words; what has to be put back is put back all the same.
    if (signal === "SIGHUP") for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
    const exitCode = 128 + constants.signals[signal];
    if (session.endedBy !== undefined) {
      const left = session.pending;
      if (left.length > 0) process.stderr.write(`golive: left at once; not done: ${left.join(", ")}\n`);
      process.exit(exitCode);
    }
    session.endedBy = signal;
    const pending = session.pending;
    if (pending.length > 0) process.stderr.write(`\ngolive: ${signal}; now: ${pending.join(", ")}\n`);
    void session.end().then((errors) => {
      for (const error of errors) process.stderr.write(`${explain(error).text}\n`);
      process.exit(exitCode);
    });
  });
}

let exitCode: number;
try {
  exitCode = await run(process.argv.slice(2), session);
} catch (error) {
  const explained = explain(error);
  exitCode = explained.exitCode;
  // After Ctrl-C whatever was under way fails because it was stopped: that says nothing to anybody.
  if (session.endedBy === undefined) process.stderr.write(`${explained.text}\n`);
}
if (session.endedBy === undefined) {
  for (const error of await session.end()) {
    process.stderr.write(`${explain(error).text}\n`);
    exitCode = exitCode === 0 ? 1 : exitCode;
  }
  process.exit(exitCode);
}
