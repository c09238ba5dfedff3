import type { KubeConfig } from "@kubernetes/client-node";
import type { Application, Colour } from "../../applications/application.ts";
import { type SmokeReport, smokeTest } from "../../rollout/preflight/smoke.ts";
import { openColour } from "./colour-tunnel.ts";

export interface SmokedColour {
  readonly namespace: string;
  readonly application: Application;
  readonly colour: Colour;
  /** The version that its pods must say they are. */
  readonly version: string;
}

/** Runs an application's smoke tests against one colour alone, past the public route. */
export async function smokeColour(config: KubeConfig, smoked: SmokedColour): Promise<SmokeReport> {
  const { namespace, application, colour } = smoked;
  const tunnel = openColour(config, { namespace, application: application.name, colour });
  try {
    return await smokeTest(tunnel.ask, smoked);
  } finally {
    await tunnel.close();
  }
}
