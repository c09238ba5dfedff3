/** What the rollout exporter is told, in its environment. */
export interface ExporterSettings {
  /** Name of the application and of its public route. */
  readonly application: string;
  readonly namespace: string;
  readonly port: number;
  readonly api: ApiSettings;
}

/** How a pod reaches the API server. */
export interface ApiSettings {
  /** Its address, without a slash at the end. */
  readonly url: string;
  /** Files that the kubelet keeps fresh: the pod's token, and the authority that signed the server's certificate. */
  readonly token: string;
  readonly authority: string;
}

const account = "/var/run/secrets/kubernetes.io/serviceaccount";

/**
 * Reads the environment of a pod.
 * @throws Error that names what is missing.
 */
export function exporterSettings(environment: Readonly<Record<string, string | undefined>>): ExporterSettings {
  const names = ["APPLICATION", "NAMESPACE", "PORT", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"] as const;
  const missing = names.filter((name) => !environment[name]);
  if (missing.length > 0) throw new Error(`not in the environment: ${missing.join(", ")}`);
  const of = (name: (typeof names)[number]) => environment[name] ?? "";
  const host = of("KUBERNETES_SERVICE_HOST");
  return {
    application: of("APPLICATION"),
    namespace: of("NAMESPACE"),
    port: Number(of("PORT")),
    api: {
      url: `https://${host.includes(":") ? `[${host}]` : host}:${of("KUBERNETES_SERVICE_PORT")}`,
      token: `${account}/token`,
      authority: `${account}/ca.crt`,
    },
  };
}
