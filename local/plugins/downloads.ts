import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import type { Progress } from "../../cli/progress.ts";
import { places } from "../places.ts";
import { outcomeOf } from "../run.ts";
import { resourcePlugins, unlinkStandIns } from "./launchers.ts";

/** The Pulumi CLI that is downloaded or built, and the oldest that is taken from the machine. */
export const engineVersion = "3.259.0";

/** What became of the downloads on this machine: a refusal by the network is not asked for again on every run. */
interface Outcomes {
  readonly command?: "downloaded" | string;
  readonly plugins?: "downloaded" | string;
}

/** Remembers them. */
export const downloadsFile = join(places.pulumiHome, "downloads.json");
const again = `remove ${downloadsFile} to try again`;
const limitSeconds = 120;

async function remembered(): Promise<Outcomes> {
  try {
    return JSON.parse(await readFile(downloadsFile, "utf8")) as Outcomes;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw error;
  }
}

async function remember(outcome: Outcomes): Promise<void> {
  await mkdir(dirname(downloadsFile), { recursive: true });
  await writeFile(downloadsFile, `${JSON.stringify({ ...(await remembered()), ...outcome }, null, 2)}\n`);
}

/** The vendor's own CLI and plugins, where this machine may download them. */
export const realEngine = {
  /** The path of the downloaded CLI; undefined where it cannot be had. */
  async command(progress: Progress): Promise<string | undefined> {
    const path = join(places.pulumiHome, "versions", engineVersion, "bin", "pulumi");
    const { command } = await remembered();
    if (command !== undefined) return command === "downloaded" && existsSync(path) ? path : undefined;
    const npx = join(dirname(process.execPath), "npx");
    return progress.stage("download the Pulumi CLI (once)", async (stage) => {
      const said = await attempt(existsSync(npx) ? npx : "npx", ["--yes", `pulumi@${engineVersion}`, "version"]);
      const got = said === undefined && existsSync(path);
      await remember({ command: got ? "downloaded" : (said ?? "nothing was downloaded") });
      if (!got) stage.note(`it cannot be had here: ${said ?? "nothing was downloaded"} (${again})`);
      return got ? path : undefined;
    });
  },

  /** Whether the real resource plugins are installed, now or before. */
  async plugins(pulumi: string, progress: Progress): Promise<boolean> {
    const { plugins } = await remembered();
    if (plugins !== undefined) return plugins === "downloaded";
    return progress.stage("download the Pulumi plugins (once)", async (stage) => {
      // With a stand-in in its place the CLI would take the plugin for installed.
      await unlinkStandIns(places.pulumiHome);
      for (const { name, version } of resourcePlugins) {
        const said = await attempt(pulumi, ["plugin", "install", "resource", name, `v${version}`]);
        if (said === undefined) continue;
        await remember({ plugins: said });
        stage.note(`they cannot be had here: ${said} (${again})`);
        return false;
      }
      await remember({ plugins: "downloaded" });
      return true;
    });
  },
};

/** Runs a download; undefined when it succeeded, else the last that it said. */
async function attempt(command: string, args: readonly string[]): Promise<string | undefined> {
  const { code, stdout, stderr } = await outcomeOf("timeout", [String(limitSeconds), command, ...args], {
    env: { PULUMI_HOME: places.pulumiHome, PULUMI_SKIP_UPDATE_CHECK: "true" },
  });
  if (code === 0) return undefined;
  return code === 124
    ? `no end within ${limitSeconds} s`
    : (`${stdout}\n${stderr}`.trim().split("\n").at(-1) ?? `exit code ${code}`);
}
