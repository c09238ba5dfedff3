import { readFile } from "node:fs/promises";
import { stringify } from "yaml";
import { writeWhole } from "../files.ts";
import { places } from "../places.ts";
import { clusterDirs, ports } from "./layout.ts";
import { type IdentityName, pki } from "./pki.ts";

/** One context per environment, so that a stack's configuration names a context and never depends on the current one. */
export const contexts = ["golive-local", "golive-staging", "golive-production"] as const;

/** The entries of a cluster and of a user as a kubeconfig has them. */
export interface Access {
  readonly cluster: Readonly<Record<string, unknown>>;
  readonly user: Readonly<Record<string, unknown>>;
}

export function kubeconfigOf({ cluster, user }: Access): Record<string, unknown> {
  return {
    apiVersion: "v1",
    kind: "Config",
    "current-context": contexts[0],
    clusters: [{ name: "golive", cluster }],
    users: [{ name: "golive", user }],
    contexts: contexts.map((name) => ({ name, context: { cluster: "golive", user: "golive" } })),
  };
}

/** The access of one identity of our own cluster, with the certificates inside: the file works from anywhere. */
export async function accessAs(name: IdentityName): Promise<Access> {
  const base64 = async (path: string) => (await readFile(path)).toString("base64");
  return {
    cluster: {
      server: `https://127.0.0.1:${ports.api}`,
      "certificate-authority-data": await base64(pki.authority),
    },
    user: {
      "client-certificate-data": await base64(pki.certificate(name)),
      "client-key-data": await base64(pki.key(name)),
    },
  };
}

export function writeKubeconfig(path: string, access: Access): Promise<void> {
  return writeWhole(path, stringify(kubeconfigOf(access)), 0o600);
}

/** The kubeconfig of a component of the cluster. */
export const componentKubeconfig = (name: IdentityName) => `${clusterDirs.config}/${name}.kubeconfig`;

export async function writeKubeconfigs(): Promise<void> {
  for (const name of ["controller-manager", "scheduler", "proxy", "kubelet"] as const) {
    await writeKubeconfig(componentKubeconfig(name), await accessAs(name));
  }
  await writeKubeconfig(places.kubeconfig, await accessAs("admin"));
}
