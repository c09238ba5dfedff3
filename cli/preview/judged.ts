import { join } from "node:path";
import type { EngineEvent } from "@pulumi/pulumi/automation/index.js";
import { environments } from "../../applications/application.ts";
import { places } from "../../local/places.ts";
import type { PulumiOptions } from "../pulumi.ts";
import type { Preview } from "./model.ts";
import type { LevelOf } from "./policies.ts";
import { readPreview } from "./read.ts";
import { runPreview } from "./run.ts";

/** The pack of this repository. */
export const ownPack = join(places.root, "policies");

export interface PreviewOptions extends Omit<PulumiOptions, "capture" | "env" | "stack"> {
  /** Directory of the policy pack that judges; undefined: nothing does. */
  readonly pack: string | undefined;
  /** Whether what a mandatory rule could not decide refuses the run. */
  readonly strict: boolean;
}

/** Previews a stack and reads what a reviewer must know. @throws Failure when the run could not even be prepared. */
export async function previewOf(stack: string, { pack, strict, ...options }: PreviewOptions): Promise<Preview> {
  const run = await runPreview(stack, pack, options);
  const levelOf: LevelOf = pack === ownPack ? await levelsOf(run.events) : () => undefined;
  return readPreview(run, { levelOf, strict, today: new Date().toISOString().slice(0, 10) });
}

/** The levels of our rules in the environment of the stack that was previewed. */
async function levelsOf(events: readonly EngineEvent[]): Promise<LevelOf> {
  const { rules } = await import("../../policies/rules.ts");
  const named = events
    .map(({ preludeEvent }) => preludeEvent?.config["golive:environment"])
    .find((it) => it !== undefined);
  const environment = environments.find((each) => each === named) ?? "production";
  const levels = new Map(rules.map(({ id, levels }) => [id, levels[environment]]));
  return (rule) => levels.get(rule);
}
