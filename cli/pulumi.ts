import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { type Engine, engine } from "../local/engine.ts";
import { places } from "../local/places.ts";
import { type ChildResult, runChild } from "./child.ts";
import { answeringCluster, type ClusterAddress, changeOf, isOwnCluster } from "./cluster-address.ts";
import type { Command } from "./command.ts";
import { Failure } from "./failure.ts";
import { policyCircumstances } from "./policy-circumstances.ts";
import { lineProgress, type Progress } from "./progress.ts";
import { type PulumiArgs, readPulumiArgs } from "./pulumi-args.ts";
import type { Session } from "./session.ts";
import { removeDeadLocks } from "./stack-lock.ts";
import {
  changeableStack,
  ownWorkspace,
  setUpProject,
  stackExists,
  stackIsDescribed,
  unknownStack,
  type Workspace,
} from "./workspace.ts";

export const pulumiCommand: Command = {
  help: `
golive pulumi: Pulumi, with its backend, passphrase, kubeconfig and plugins in its environment.

Usage: golive pulumi ARGUMENTS-OF-PULUMI

Without PULUMI_BACKEND_URL the state lives in .golive/state, and Pulumi works on copies of the stack files in
.golive/project: "config set" on stack local changes the copy, never the checkout. Stacks are made when first used.
Without --stack: the selected stack, or local.
With PULUMI_BACKEND_URL it works on the checkout itself, as Pulumi alone would, with your own KUBECONFIG, PULUMI_HOME and
passphrase; it then needs the real plugins, not our stand-ins for them.

Examples:
  golive pulumi preview --stack local
  golive pulumi config set --stack local golive:candidateTraffic 10
  golive pulumi up --stack local
  golive pulumi stack rm local          forget the stack and the copy of its file (after: destroy)
  golive pulumi up --help               what Pulumi itself has to say
`,
  async run(args, session) {
    const result = await pulumi(args, { session, progress: session.progress });
    return result.exitCode;
  },
};

export interface PulumiOptions {
  /** Where stacks and their state are. Default: `golive pulumi`'s own, or the backend in PULUMI_BACKEND_URL. */
  readonly workspace?: Workspace;
  /** The stack when the arguments name none. Default: the selected one, or `local`. */
  readonly stack?: string;
  /** Added to the engine's environment. Default: nothing. */
  readonly env?: NodeJS.ProcessEnv;
  /** Keep what it prints instead of printing it. Default: false. */
  readonly capture?: boolean;
  /** Interrupts the engine when aborted. Default: nothing does. */
  readonly signal?: AbortSignal;
  /** Interrupts the engine when the command is stopped. Default: nothing does. */
  readonly session?: Session;
  /** Told what is being prepared. Default: standard error. */
  readonly progress?: Progress;
  /** Told the engine's process number; it leads a process group of its own, unless it runs at a terminal. */
  readonly onStart?: (pid: number) => void;
}

/** Exit code, output (when captured) and seconds of the engine alone, whatever they are. Only preparation throws. */
export type PulumiResult = ChildResult;

// Commands that read or write one stack, so that it must exist; of those, the ones that talk to the cluster.
const clusterCommands = ["preview", "pre", "up", "update", "refresh", "destroy", "down", "dn"];
const stackCommands = [...clusterCommands, "config", "import", "watch", "state"];
const configWrites = ["set", "set-all", "rm", "remove", "rm-all", "remove-all", "cp", "copy", "refresh"];
// `stack rm`, `stack output` and the like act on the selected stack; these choose or list stacks by themselves.
const stackChoices = ["init", "select", "unselect", "ls", "new"];

/** Runs Pulumi with everything that it needs in its environment, after preparing the stack that it will work on. */
export async function pulumi(args: readonly string[], options: PulumiOptions = {}): Promise<PulumiResult> {
  const progress = options.progress ?? lineProgress();
  const read = readPulumiArgs(args, process.cwd());
  const backend = process.env.PULUMI_BACKEND_URL;
  if (options.workspace === undefined && backend !== undefined && backend !== "") {
    const resolved = await resolvedEngine(read, progress);
    const told = await toldToPacks(read, places.root, read.stack ?? options.stack ?? process.env.PULUMI_STACK);
    const env = { ...ownersEnvironment(resolved, process.env), ...told, ...options.env };
    return start(resolved, { args, cwd: places.root, env }, options);
  }
  const workspace = options.workspace ?? ownWorkspace;
  // What can be refused without an engine is refused first: the engine may have to be built.
  refuseOtherDirectory(read, workspace);
  if (read.stack !== undefined) refuseConfigWrite(read, read.stack);
  const cluster = talksToCluster(read) ? await answeringCluster(progress) : undefined;
  const resolved = await resolvedEngine(read, progress);
  const env = { ...resolved.env, PULUMI_BACKEND_URL: `file://${workspace.state}`, ...options.env };
  const prepared = await prepare({ read, workspace, env, resolved, options, progress, cluster });
  return start(resolved, { args: read.args, cwd: workspace.project, env: prepared }, options);
}

/** What a policy pack that judges this run is told of the stack; nothing when none does, or when only the engine knows which stack. */
async function toldToPacks(read: PulumiArgs, project: string, stack: string | undefined): Promise<NodeJS.ProcessEnv> {
  if (stack === undefined || !read.args.some((argument) => argument.startsWith("--policy-pack="))) return {};
  return policyCircumstances(project, stack);
}

const talksToCluster = ({ command = "", asksForHelp }: PulumiArgs) => clusterCommands.includes(command) && !asksForHelp;

// The engine is resolved once per process: demo and tests run it dozens of times.
let resolving: Promise<Engine> | undefined;
let engineNotes: string[] = [];

/** Resolves the engine. Which plugins it has is said once, and only to somebody whose command uses them. */
async function resolvedEngine(read: PulumiArgs, progress: Progress): Promise<Engine> {
  resolving ??= engine({ stage: progress.stage, note: (text) => void engineNotes.push(text) });
  const resolved = await resolving;
  if (talksToCluster(read)) {
    for (const note of engineNotes) progress.note(note);
    engineNotes = [];
  }
  return resolved;
}

/**
 * The environment on a backend of the user's own. Whatever says which state, secrets, login and cluster is theirs, also when it
 * is unset (undefined unsets it in the engine's): a real state must meet neither our passphrase nor the throw-away cluster.
 */
export function ownersEnvironment({ env, standIns }: Engine, own: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  if (standIns) {
    throw new Failure(
      "golive pulumi: PULUMI_BACKEND_URL names a real backend, but there are only stand-ins for the kubernetes, postgresql and random plugins here. " +
        "Install pulumi and its plugins, or name a directory of them in GOLIVE_PLUGINS; without PULUMI_BACKEND_URL the state is a local one",
      2,
    );
  }
  return {
    ...env,
    PULUMI_BACKEND_URL: own.PULUMI_BACKEND_URL,
    PULUMI_CONFIG_PASSPHRASE: own.PULUMI_CONFIG_PASSPHRASE,
    PULUMI_CONFIG_PASSPHRASE_FILE: own.PULUMI_CONFIG_PASSPHRASE_FILE,
    PULUMI_HOME: own.PULUMI_HOME,
    KUBECONFIG: own.KUBECONFIG,
  };
}

/** The candidate traffic that stack `local` had at its last `up`; undefined when it is not up. */
export async function candidateTraffic(options: PulumiOptions): Promise<number | undefined> {
  const workspace = options.workspace ?? ownWorkspace;
  const { name } = await setUpProject(workspace, undefined);
  if (!(await stackExists(workspace, name, changeableStack))) return undefined;
  const args = ["stack", "output", "--json", "--color", "never"];
  const { exitCode, stdout, stderr } = await pulumi(args, { ...options, stack: changeableStack, capture: true });
  if (exitCode !== 0) throw new Failure(`pulumi stack output ended with exit code ${exitCode}:\n${stdout}${stderr}`);
  const outputs = JSON.parse(stdout) as { readonly candidateTraffic?: number };
  return outputs.candidateTraffic;
}

interface Run {
  readonly args: readonly string[];
  readonly cwd: string;
  /** All of it: what the engine's environment leaves out of ours must not come back in. */
  readonly env: NodeJS.ProcessEnv;
}

function start({ command }: Engine, { args, cwd, env }: Run, options: PulumiOptions): Promise<PulumiResult> {
  const capture = options.capture ?? false;
  const asks = !capture && process.stdin.isTTY === true;
  return runChild(command, asks ? args : ["--non-interactive", ...args], {
    cwd,
    env,
    capture,
    session: options.session,
    signal: options.signal,
    onStart: options.onStart,
  });
}

interface Preparation {
  readonly read: PulumiArgs;
  readonly workspace: Workspace;
  readonly env: NodeJS.ProcessEnv;
  readonly resolved: Engine;
  readonly options: PulumiOptions;
  readonly progress: Progress;
  /** Where the engine will work; undefined when the command has nothing to do with a cluster. */
  readonly cluster: ClusterAddress | undefined;
}

/** Makes the stack of a throw-away backend ready for what is asked of it. Returns the engine's environment. */
async function prepare(preparation: Preparation): Promise<NodeJS.ProcessEnv> {
  const { read, workspace, env, options, progress, cluster } = preparation;
  const command = read.command ?? "";
  const named = read.stack ?? options.stack ?? process.env.PULUMI_STACK;
  if (read.asksForHelp || !(stackCommands.includes(command) || command === "stack" || command === "cancel")) {
    await setUpProject(workspace, named);
    return env;
  }
  await setUpProject(workspace, undefined);
  if (command === "stack" && stackChoices.includes(read.subcommand ?? "")) return env;
  const stack = named ?? (await selectedStack(preparation)) ?? changeableStack;
  refuseConfigWrite(read, stack);
  const project = await setUpProject(workspace, stack);
  const withStack = { ...env, PULUMI_STACK: stack, ...(await toldToPacks(read, workspace.project, stack)) };
  if (project.outdated) {
    progress.note(
      `Pulumi.${stack}.yaml changed since its copy was made in ${workspace.project}; ` +
        `the copy is used. To start anew from it: golive demo, or golive pulumi destroy and stack rm ${stack}`,
    );
  }
  const ready = { ...preparation, env: withStack };
  for (const { pid, timestamp } of await removeDeadLocks(workspace, project.name, stack)) {
    progress.note(`stack ${stack}: removed the lock of process ${pid}, which is gone (taken ${timestamp})`);
  }
  if (cluster !== undefined) await keepToCluster(ready, project.name, stack, cluster);
  if (stackCommands.includes(command)) await ensureStack(ready, project.name, stack);
  return withStack;
}

function refuseOtherDirectory({ cwd }: PulumiArgs, { project }: Workspace): void {
  if (cwd === undefined) return;
  throw new Failure(`golive pulumi: got ${cwd}; the directory is ${project}, so that the checkout stays clean`, 2);
}

function refuseConfigWrite({ command, subcommand }: PulumiArgs, stack: string): void {
  if (command !== "config" || !configWrites.includes(subcommand ?? "") || stack === changeableStack) return;
  throw new Failure(
    `golive pulumi config ${subcommand}: stack ${stack} is worked on here as a copy of Pulumi.${stack}.yaml, which is renewed on ` +
      `every call. Edit Pulumi.${stack}.yaml: it is what reviewers read. Or set PULUMI_BACKEND_URL to the stack's ` +
      "real backend: golive then works on the checkout itself",
    2,
  );
}

/** Runs the engine on the side, for what must be known or true before the run that was asked for. */
const aside = ({ workspace, env, resolved, options }: Preparation, args: readonly string[]): Promise<PulumiResult> =>
  start(resolved, { args, cwd: workspace.project, env }, { ...options, capture: true, onStart: () => {} });

async function selectedStack(preparation: Preparation): Promise<string | undefined> {
  const result = await aside(preparation, ["stack", "--show-name"]);
  return result.exitCode === 0 ? result.stdout.trim() : undefined;
}

async function ensureStack(preparation: Preparation, project: string, stack: string): Promise<void> {
  const { workspace, progress } = preparation;
  if (await stackExists(workspace, project, stack)) return;
  if (!(await stackIsDescribed(workspace, stack))) throw await unknownStack(workspace, stack);
  const made = await aside(preparation, ["stack", "init", stack, "--no-select"]);
  if (made.exitCode !== 0) throw new Failure(`stack ${stack} could not be made:\n${made.stderr.trim()}`);
  progress.note(`made stack ${stack} in ${workspace.state}`);
}

/**
 * A throw-away cluster takes its objects with it, but not the state that lists them: a stack whose cluster is gone starts
 * anew. A state on any other cluster is only ever forgotten by hand: its authority may have been renewed.
 */
async function keepToCluster(
  preparation: Preparation,
  project: string,
  stack: string,
  address: ClusterAddress,
): Promise<void> {
  const { workspace, progress } = preparation;
  const record = join(workspace.project, `Pulumi.${stack}.cluster.json`);
  const text = await readFile(record, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  const before = text === undefined ? undefined : (JSON.parse(text) as ClusterAddress);
  const change = changeOf(before, address, await isOwnCluster());
  if (change === "none") return;
  if (before !== undefined && (await stackExists(workspace, project, stack))) {
    const removal = ["stack", "rm", stack, "--yes", "--preserve-config"];
    // Pulumi removes an empty stack without further ado: only what is lost is worth a word.
    const isEmpty = (await aside(preparation, removal)).exitCode === 0;
    if (!isEmpty && change !== "gone") {
      const forget = `forget what is on it: golive pulumi stack rm ${stack} --force`;
      throw new Failure(
        change === "moved"
          ? `stack ${stack} is on the cluster at ${before.server}, but the current one is ${address.server}. ` +
              `Name the first in GOLIVE_KUBECONFIG, or ${forget}`
          : `stack ${stack} is on the cluster at ${before.server}, whose certificate authority is another one now. ` +
              `If the cluster is the same one, remove ${record}; if it is gone, ${forget}`,
        2,
      );
    }
    if (!isEmpty) {
      const forced = await aside(preparation, [...removal, "--force"]);
      if (forced.exitCode !== 0) throw new Failure(`stack ${stack} could not be removed:\n${forced.stderr.trim()}`);
      progress.note(`stack ${stack}: its cluster is gone, and what was on it, too; the stack starts anew`);
    }
  }
  await writeFile(record, JSON.stringify(address));
}
