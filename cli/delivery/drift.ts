import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { EngineEvent } from "@pulumi/pulumi/automation/index.js";
import type { Command } from "../command.ts";
import { Failure } from "../failure.ts";
import { pulumi } from "../pulumi.ts";
import { errorsIn } from "../rollout/engine.ts";
import { jobOf, keepReport } from "./job.ts";
import { stackOf } from "./line.ts";
import { keepIdentity } from "./login.ts";

/** The database is reached by a way that the program opens, so it runs along; it declares nothing. */
export const lookOnly = ["--preview-only", "--run-program", "--expect-no-changes"] as const;

export const drift: Command = {
  help: `
golive delivery drift: what is live and not as the stack last left it. Changes nothing, on the cluster or in the state.

Usage: golive delivery drift --stack STACK

It reads every resource back and names the fields that differ, never their values. A guard that took a release back is drift, too, and
tells so until "golive rollout" or the next pulumi up has acknowledged it. Exit codes: 0 none, 1 drift, 2 it could not be read.
`,
  async run(args, session) {
    const stack = stackOf("drift", args);
    const env = { ...(await keepIdentity(session, process.env)), PULUMI_DEBUG_COMMANDS: "true" };
    const directory = await mkdtemp(join(tmpdir(), "golive-drift-"));
    try {
      const log = join(directory, "events.json");
      const words = ["refresh", ...lookOnly, "--stack", stack, "--event-log", log];
      const { progress } = session;
      const { exitCode, stdout, stderr } = await pulumi(words, { session, progress, capture: true, env });
      const text = await readFile(log, "utf8").catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return "";
        throw error;
      });
      const found = driftIn(text);
      if (exitCode !== 0 && found.length === 0)
        throw new Failure(
          `the drift of stack ${stack} could not be read: ${errorsIn(text).join("\n") || `${stdout}${stderr}`.trim()}`,
          2,
        );
      const report = driftText(stack, found);
      await keepReport("drift", stack, report);
      await jobOf().summary(report);
      process.stdout.write(report === "" ? `stack ${stack}: what is live is as the stack left it\n` : report);
      return found.length === 0 ? 0 : 1;
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  },
};

/** One resource that is not as the stack left it. */
export interface Drift {
  /** `Deployment taskflow-backend-green`. */
  readonly resource: string;
  readonly gone: boolean;
  /** Paths of the fields that differ. */
  readonly fields: readonly string[];
}

/** What the engine's events of a refresh tell of, in the order of names. */
export function driftIn(log: string): readonly Drift[] {
  const events = log.split("\n").filter((line) => line.trim() !== "");
  return events
    .flatMap((line): readonly Drift[] => {
      const step = (JSON.parse(line) as EngineEvent).resOutputsEvent?.metadata;
      if (step === undefined || (step.op !== "update" && step.op !== "delete")) return [];
      // Components, providers and the stack itself are the program's own; nobody can touch them.
      if (step.type.startsWith("pulumi:") || (step.old ?? step.new)?.custom !== true) return [];
      const [, , types = "", ...name] = step.urn.split("::");
      const kind = types.slice(Math.max(types.lastIndexOf(":"), types.lastIndexOf("$")) + 1);
      const fields = Object.keys(step.detailedDiff ?? {}).sort();
      return [{ resource: `${kind} ${name.join("::")}`, gone: step.op === "delete", fields }];
    })
    .sort((one, other) => (one.resource < other.resource ? -1 : 1));
}

/** The report; empty when there is nothing to report. */
export function driftText(stack: string, found: readonly Drift[]): string {
  if (found.length === 0) return "";
  const lines = found.map(({ resource, gone, fields }) =>
    gone
      ? `- **${resource} is gone**`
      : `- ${resource}: ${fields.map((field) => `\`${field}\``).join(", ") || "differs"}`,
  );
  return `### Stack \`${stack}\` is not as it was left

${lines.join("\n")}

The next \`pulumi up\` puts back what its program sets. What should stay belongs into the program or \`Pulumi.${stack}.yaml\` first.
Was it a guard or \`golive rollout abort --now\`? \`./golive rollout status --stack ${stack}\` says so, and what is next.
`;
}
