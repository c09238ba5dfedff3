import type { Application } from "../../applications/application.ts";
import { applications } from "../../applications/catalogue.ts";
import { type ApiSettings, apiSettings, apiVariables } from "../kube-api.ts";

/** What the guard is told, in its environment. */
export interface GuardSettings {
  readonly application: Application;
  readonly namespace: string;
  /** Its own pod: there are two. */
  readonly pod: string;
  readonly port: number;
  /** Where DNS has the ports of the gateway's pods, from the underscore to the namespace: `_metrics._tcp.service.namespace`. */
  readonly gateway: string;
  /** Address of Prometheus, without a slash at the end; undefined: there is none. */
  readonly prometheus: string | undefined;
  /** Of the stack's monitoring: how many seconds of a rule pass in one second. */
  readonly speed: number;
  readonly api: ApiSettings;
}

/** Variables of the guard's own. */
export const guardVariables = ["APPLICATION", "NAMESPACE", "POD", "PORT", "GATEWAY", "SPEED"] as const;
export const prometheusVariable = "PROMETHEUS";

/**
 * Reads the environment of a pod.
 * @throws Error that names what is missing, or an application that this program does not know.
 */
export function guardSettings(environment: Readonly<Record<string, string | undefined>>): GuardSettings {
  const names = [...guardVariables, ...apiVariables] as const;
  const missing = names.filter((name) => !environment[name]);
  if (missing.length > 0) throw new Error(`not in the environment: ${missing.join(", ")}`);
  const of = (name: (typeof names)[number]) => environment[name] ?? "";
  const application = applications[of("APPLICATION")];
  if (application === undefined)
    throw new Error(`APPLICATION: got ${of("APPLICATION")}; allowed: ${Object.keys(applications).join(", ")}`);
  return {
    application,
    namespace: of("NAMESPACE"),
    pod: of("POD"),
    port: Number(of("PORT")),
    gateway: of("GATEWAY"),
    prometheus: environment[prometheusVariable] || undefined,
    speed: Number(of("SPEED")),
    api: apiSettings(of),
  };
}
