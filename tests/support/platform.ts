import { Platform } from "../../components/platform.ts";
import { renderRelease } from "../../components/release/manifests.ts";
import { type Allowed, decide } from "../../rollout/decide.ts";
import { desiredOf } from "../../rollout/desired.ts";
import type { Observed } from "../../rollout/observed.ts";
import { parseSettings, type Settings } from "../../settings.ts";
import { type Config, rawSettings, stackConfig } from "./config.ts";
import { type Declaration, declare } from "./harness.ts";
import { observed } from "./live.ts";

export type Stack = "local" | "staging" | "production";

/** Settings of a stack file with some keys changed; an external database gets a password. */
export function stackSettings(stack: Stack, changes: Config = {}): Settings {
  const secrets = stack === "production" ? { databasePassword: "p@ss/word" } : {};
  const config = { ...stackConfig(stack), ...secrets, ...changes };
  return parseSettings(rawSettings(config, { stack, secretKeys: new Set(["databasePassword", "sentryDsn"]) }));
}

export interface Run {
  readonly settings: Settings;
  readonly observed: Observed;
  readonly decision: Allowed;
}

/** A run of these settings on a cluster without a route. */
export function firstRun(settings: Settings): Run {
  const live = observed({ noRoute: true });
  const [blue, green] = [renderRelease(settings, "blue"), renderRelease(settings, "green")];
  const decision = decide(live, desiredOf(settings, { blue: blue?.id, green: green?.id }));
  if (!decision.allowed) throw new Error(decision.reason);
  return { settings, observed: live, decision };
}

/** The whole platform of a run, declared under mocks. */
export function declarePlatform({ settings, observed, decision }: Run): Promise<Declaration> {
  const releases = { blue: renderRelease(settings, "blue"), green: renderRelease(settings, "green") };
  const cluster = { observe: async () => observed };
  return declare(() => {
    new Platform({ settings, releases, cluster, observed, decision });
  }, 25);
}
