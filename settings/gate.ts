import { z } from "zod";
import type { PrometheusPlace } from "../rollout/gate/prometheus.ts";
import type { EnvironmentDefaults } from "./environments.ts";
import { name, object } from "./forms.ts";
import type { MonitoringSettings } from "./monitoring.ts";

/** Whether a step up waits for its soak and for what was measured, and who measured it. */
export interface GateSettings {
  /** `off`: who steps decides. */
  readonly mode: "on" | "off";
  /** The Prometheus that is asked, through the API server. Undefined: nothing measures this stack. */
  readonly prometheus: PrometheusPlace | undefined;
}

const service = "allowed: a Service and its port, such as prometheus-operated:9090";

/** `golive:gate` as a person writes it. */
export const gateForm = object({
  mode: z.enum(["on", "off"], "allowed: on, off").optional(),
  prometheus: object({
    namespace: name,
    service: z.string(service).regex(/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?:[0-9]{1,5}$/, service),
  }).optional(),
});

export const gateKeys: Readonly<Record<string, readonly string[]>> = {
  gate: Object.keys(gateForm.shape),
  "gate.prometheus": Object.keys(gateForm.shape.prometheus.unwrap().shape),
};

type Given = z.infer<typeof gateForm>;

/** What holds a step back: as given, else by its environment. A Prometheus of the stack's own is known. */
export function gateOf(
  given: Given = {},
  { gate: standard }: EnvironmentDefaults,
  { kind, namespace }: Pick<MonitoringSettings, "kind" | "namespace">,
): GateSettings {
  const own = kind === "stack" ? { namespace, service: "prometheus:9090" } : undefined;
  return { mode: given.mode ?? standard.mode, prometheus: own ?? given.prometheus };
}
