import { generateKeyPairSync } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { authority, issue, type Subject } from "./certificate.ts";
import { clusterDirs, network, node } from "./layout.ts";

const validDays = 3650;

/** Every identity of the cluster: the file name, whom it speaks for, and where it answers. */
const identities: Readonly<Record<string, { subject: Subject; hosts?: readonly string[] }>> = {
  admin: { subject: { name: "golive-admin", group: "system:masters" } },
  etcd: { subject: { name: "etcd" }, hosts: ["localhost", "127.0.0.1"] },
  apiserver: {
    subject: { name: "kube-apiserver" },
    hosts: [
      "localhost",
      "127.0.0.1",
      network.node,
      network.apiService,
      "kubernetes",
      "kubernetes.default",
      "kubernetes.default.svc",
      "kubernetes.default.svc.cluster.local",
    ],
  },
  "apiserver-kubelet": { subject: { name: "kube-apiserver-kubelet-client", group: "system:masters" } },
  "controller-manager": { subject: { name: "system:kube-controller-manager" }, hosts: ["localhost", "127.0.0.1"] },
  scheduler: { subject: { name: "system:kube-scheduler" }, hosts: ["localhost", "127.0.0.1"] },
  proxy: { subject: { name: "system:kube-proxy" } },
  kubelet: { subject: { name: `system:node:${node.name}`, group: "system:nodes" }, hosts: [node.name, network.node] },
};

export type IdentityName =
  | "admin"
  | "etcd"
  | "apiserver"
  | "apiserver-kubelet"
  | "controller-manager"
  | "scheduler"
  | "proxy"
  | "kubelet";

export const pki = {
  authority: join(clusterDirs.pki, "ca.crt"),
  authorityKey: join(clusterDirs.pki, "ca.key"),
  /** Signs the tokens of service accounts. */
  accounts: join(clusterDirs.pki, "service-accounts.key"),
  certificate: (name: IdentityName) => join(clusterDirs.pki, `${name}.crt`),
  key: (name: IdentityName) => join(clusterDirs.pki, `${name}.key`),
} as const;

/** Makes all keys and certificates of one cluster, unless they exist. The directory appears complete or not at all. */
export async function ensurePki(): Promise<void> {
  if (existsSync(clusterDirs.pki)) return;
  const building = `${clusterDirs.pki}.new`;
  await rm(building, { recursive: true, force: true });
  await mkdir(building, { recursive: true, mode: 0o700 });
  const write = (name: string, text: string) => writeFile(join(building, name), text, { mode: 0o600 });

  const ca = authority("golive-throw-away", validDays);
  await write("ca.crt", ca.certificate);
  await write("ca.key", ca.key);
  const accounts = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  await write("service-accounts.key", accounts.export({ type: "pkcs8", format: "pem" }).toString());
  for (const [name, request] of Object.entries(identities)) {
    const issued = issue(ca, { ...request, validDays });
    await write(`${name}.crt`, issued.certificate);
    await write(`${name}.key`, issued.key);
  }
  await rename(building, clusterDirs.pki);
}
