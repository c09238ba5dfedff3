import { randomBytes } from "node:crypto";
import { accessSync, constants, existsSync, realpathSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { Failure } from "../cli/failure.ts";
import type { Progress } from "../cli/progress.ts";
import { goBuild } from "./go/build.ts";
import { places } from "./places.ts";
import { downloadsFile, engineVersion, realEngine } from "./plugins/downloads.ts";
import { linkStandIns, pluginPath, resourcePlugins, standInNames } from "./plugins/launchers.ts";
import { outcomeOf } from "./run.ts";

/** The Pulumi command line, and the environment in which it works on this machine alone. */
export interface Engine {
  readonly command: string;
  readonly env: NodeJS.ProcessEnv;
  /** Whether our stand-ins take the place of the real resource plugins. */
  readonly standIns: boolean;
}

/**
 * Finds the Pulumi CLI and its plugins, or makes them: the user's own (GOLIVE_PULUMI, PATH; GOLIVE_PLUGINS), else downloaded ones,
 * else the CLI built from its module and our stand-ins for the plugins. What could not be downloaded once is not tried again.
 */
export async function engine(progress: Progress): Promise<Engine> {
  await Promise.all([places.pulumiHome, places.state].map((path) => mkdir(path, { recursive: true })));
  await makePassphrase();
  const command = await findCommand(progress);
  const plugins = await findPlugins(command, progress);
  if (plugins.standIns) {
    progress.note(
      `stand-ins for the plugins ${standInNames.join(", ")} are in use (the real ones could not be downloaded: remove ${downloadsFile} to try again, or name a directory of them in GOLIVE_PLUGINS)`,
    );
  }
  return { command, env: environment(plugins.path, plugins.standIns), standIns: plugins.standIns };
}

function environment(path: readonly string[], standIns: boolean): NodeJS.ProcessEnv {
  const { PULUMI_CONFIG_PASSPHRASE: _, ...inherited } = process.env;
  return {
    ...inherited,
    PATH: [...path, dirname(process.execPath), inherited.PATH ?? ""].join(delimiter),
    PULUMI_HOME: places.pulumiHome,
    PULUMI_BACKEND_URL: `file://${places.state}`,
    PULUMI_CONFIG_PASSPHRASE_FILE: places.passphrase,
    KUBECONFIG: places.kubeconfig,
    PULUMI_SKIP_UPDATE_CHECK: "true",
    // The engine keeps an (encrypted) log of a megabyte for every run, by default up to half a gigabyte.
    PULUMI_LOG_ROTATION_MAX_TOTAL_MB: "50",
    // Node keeps what it compiled of the SDK, the program and our plugins: each of them starts in half the time.
    NODE_COMPILE_CACHE: join(places.pulumiHome, "compiled"),
    ...(standIns ? { PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true" } : {}),
  };
}

async function makePassphrase(): Promise<void> {
  if (existsSync(places.passphrase)) return;
  // Two runs may come here at once: the file of the first one stays.
  await writeFile(places.passphrase, `${randomBytes(24).toString("base64url")}\n`, { mode: 0o600, flag: "wx" }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    },
  );
}

async function findCommand(progress: Progress): Promise<string> {
  const named = process.env.GOLIVE_PULUMI;
  if (named !== undefined && named !== "") {
    const version = await versionOf(named);
    if (isRecent(version)) return named;
    throw new Failure(
      `GOLIVE_PULUMI: ${named} is Pulumi ${version ?? "of no known version"}; ${engineVersion} or later is needed`,
      2,
    );
  }
  const ambient = onPath("pulumi");
  if (ambient !== undefined && isRecent(await versionOf(ambient))) return ambient;
  const downloaded = await realEngine.command(progress);
  if (downloaded !== undefined) return downloaded;
  await goBuild("pulumi", progress);
  return join(places.bin, "pulumi");
}

async function versionOf(command: string): Promise<string | undefined> {
  const env = { PULUMI_HOME: places.pulumiHome, PULUMI_SKIP_UPDATE_CHECK: "true" };
  const outcome = await outcomeOf(command, ["version"], { env });
  return /^v?(\d+\.\d+\.\d+)/.exec(outcome.stdout.trim())?.[1];
}

function isRecent(version: string | undefined): boolean {
  if (version === undefined) return false;
  return version.localeCompare(engineVersion, undefined, { numeric: true }) >= 0;
}

function onPath(name: string): string | undefined {
  return (process.env.PATH ?? "")
    .split(delimiter)
    .map((directory) => join(directory, name))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function findPlugins(
  command: string,
  progress: Progress,
): Promise<{ path: readonly string[]; standIns: boolean }> {
  // The CLI comes with its language host beside it, unless it was built.
  const ownCommand = command === join(places.bin, "pulumi");
  const launchers = await pluginPath();
  const language =
    ownCommand || isExecutable(join(dirname(realpathSync(command)), "pulumi-language-nodejs")) ? [] : [launchers];
  const named = process.env.GOLIVE_PLUGINS;
  if (ownCommand) await linkStandIns(places.bin, ["language"]);
  if (named !== undefined && named !== "") {
    const missing = resourcePlugins.filter(({ executable }) => !isExecutable(join(named, executable)));
    if (missing.length === 0) return { path: [named, ...language], standIns: false };
    const names = missing.map(({ executable }) => executable).join(" and ");
    throw new Failure(`GOLIVE_PLUGINS: ${named} has no executable ${names}; put the real plugins there or unset it`, 2);
  }
  if (await realEngine.plugins(command, progress)) return { path: language, standIns: false };
  await linkStandIns(places.pulumiHome, ["resource"]);
  return { path: language, standIns: true };
}
