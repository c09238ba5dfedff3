import { type ApiSettings, apiSettings, apiVariables } from "../kube-api.ts";

/** What the rollout exporter is told, in its environment. */
export interface ExporterSettings {
  /** Name of the application and of its public route. */
  readonly application: string;
  readonly namespace: string;
  readonly port: number;
  readonly api: ApiSettings;
}

/**
 * Reads the environment of a pod.
 * @throws Error that names what is missing.
 */
export function exporterSettings(environment: Readonly<Record<string, string | undefined>>): ExporterSettings {
  const names = ["APPLICATION", "NAMESPACE", "PORT", ...apiVariables] as const;
  const missing = names.filter((name) => !environment[name]);
  if (missing.length > 0) throw new Error(`not in the environment: ${missing.join(", ")}`);
  const of = (name: (typeof names)[number]) => environment[name] ?? "";
  return {
    application: of("APPLICATION"),
    namespace: of("NAMESPACE"),
    port: Number(of("PORT")),
    api: apiSettings(of),
  };
}
