import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EngineEvent } from "@pulumi/pulumi/automation/index.js";
import { type PulumiOptions, pulumi } from "../pulumi.ts";
import type { PreviewedRun } from "./read.ts";

/** Runs the engine's preview of a stack, judged by a policy pack if one is named, and hands back all its events. */
export async function runPreview(
  stack: string,
  pack: string | undefined,
  options: Omit<PulumiOptions, "capture" | "env" | "stack">,
): Promise<PreviewedRun> {
  const directory = await mkdtemp(join(tmpdir(), "golive-preview-"));
  try {
    const log = join(directory, "events.json");
    const judged = pack === undefined ? [] : ["--policy-pack", pack];
    const args = ["preview", "--stack", stack, "--color", "never", "--event-log", log, ...judged];
    // The engine keeps its log of events from people who did not ask for it.
    const env = { PULUMI_DEBUG_COMMANDS: "true" };
    const { exitCode, stdout, stderr } = await pulumi(args, { ...options, capture: true, env });
    const text = await readFile(log, "utf8").catch(absent);
    return { stack, events: eventsIn(text), exitCode, printed: `${stderr}${stdout}`, toBeJudged: pack !== undefined };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** An engine that failed before its first event has written no log. */
const absent = (error: NodeJS.ErrnoException): string => {
  if (error.code === "ENOENT") return "";
  throw error;
};

/** The events of a log, one on each line. */
export const eventsIn = (log: string): readonly EngineEvent[] =>
  log
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => JSON.parse(line) as EngineEvent);
