import type { types } from "@pulumi/kubernetes";
import type { ServerSettings } from "../../programs/database/settings.ts";
import type { Settings } from "../../settings.ts";

/** Name of the server in the namespace: of its StatefulSet or Cluster, and the beginning of all that belongs to it. */
export const serverName = "postgres";

const port = 5432;
const authorityDirectory = "/etc/golive/ca";
export const authorityKey = "ca.crt";

/**
 * Where the pods of a stack reach its server, and how they know that it is the right one. A server outside of the
 * namespace, and one that has certificates of its own, must prove its name (S4-22).
 */
export function serverAddress({ database, namespace }: Settings): ServerSettings {
  const within = (service: string) => `${service}.${namespace}.svc.cluster.local`;
  const authority = { mode: "verify-full", ca: `${authorityDirectory}/${authorityKey}` } as const;
  switch (database.kind) {
    case "statefulset":
      return { host: within(serverName), port, tls: { mode: "off" } };
    case "cloudnative-pg":
      return { host: within(`${serverName}-rw`), port, tls: authority };
    case "external": {
      const tls = database.ca === undefined ? { ...authority, ca: undefined } : authority;
      return { host: database.host, port: database.port, tls };
    }
  }
}

/** Name of the ConfigMap with the certificate authorities of an external server. */
export const authorityName = (application: string) => `${application}-database-ca`;

/** The volume with the authorities that vouch for the server, and its mount; empty where the system's own do, or none. */
export function authorityVolume({ database, application }: Settings): {
  readonly volumes: types.input.core.v1.Volume[];
  readonly volumeMounts: types.input.core.v1.VolumeMount[];
} {
  const items = [{ key: authorityKey, path: authorityKey }];
  const mount = { name: "database-ca", mountPath: authorityDirectory, readOnly: true };
  if (database.kind === "external" && database.ca !== undefined) {
    const configMap = { name: authorityName(application.name), items };
    return { volumes: [{ name: mount.name, configMap }], volumeMounts: [mount] };
  }
  if (database.kind === "cloudnative-pg") {
    // The operator keeps its authority's private key in the same Secret: only the certificate is mounted.
    const secret = { secretName: `${serverName}-ca`, items };
    return { volumes: [{ name: mount.name, secret }], volumeMounts: [mount] };
  }
  return { volumes: [], volumeMounts: [] };
}

/** A login's connection URL as the application takes it; letters and digits of the password stand as they are. */
export function connectionUrl(
  { host, port, tls }: ServerSettings,
  { login, password, database }: { readonly login: string; readonly password: string; readonly database: string },
): string {
  const query = tls.mode === "off" ? "" : `?sslmode=verify-full${tls.ca === undefined ? "" : `&sslrootcert=${tls.ca}`}`;
  return `postgresql://${login}:${encodeURIComponent(password)}@${host}:${port}/${database}${query}`;
}
