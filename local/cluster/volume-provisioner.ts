/**
 * Runs in a pod of the throw-away cluster: gives each claim of the `golive` StorageClass an empty directory of the node
 * as its volume, and takes the directory away when the claim is deleted. It is copied into its image as it stands, so it
 * imports nothing but Node.
 */
import { mkdir, readFile, rm } from "node:fs/promises";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";

const provisioner = "golive.local/volumes";
const selectedNode = "volume.kubernetes.io/selected-node";
const provisionedBy = "pv.kubernetes.io/provisioned-by";
const accountDirectory = "/var/run/secrets/kubernetes.io/serviceaccount";
const everyMilliseconds = 250;

interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Claim {
  readonly metadata: Metadata;
  readonly spec: {
    readonly storageClassName?: string;
    readonly volumeName?: string;
    readonly accessModes: readonly string[];
    readonly resources: { readonly requests: { readonly storage: string } };
  };
}

interface Volume {
  readonly metadata: Metadata;
  readonly status?: { readonly phase?: string };
}

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

const api = `https://${setting("KUBERNETES_SERVICE_HOST")}:${setting("KUBERNETES_SERVICE_PORT")}`;
/** The volumes' directory as the node sees it, and as this pod does. */
const onNode = setting("NODE_DIRECTORY");
const here = setting("DIRECTORY");
const storageClass = setting("STORAGE_CLASS");

async function call<T>(method: string, path: string, body?: unknown): Promise<T | undefined> {
  const token = await readFile(`${accountDirectory}/token`, "utf8");
  const response = await fetch(`${api}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  // Made, or gone, already: a tick that was cut off is done again.
  if ((method === "POST" && response.status === 409) || (method === "DELETE" && response.status === 404))
    return undefined;
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 300)}`);
  return JSON.parse(text) as T;
}

const list = async <T>(path: string) => (await call<{ items: T[] }>("GET", path))?.items ?? [];

async function provide(claim: Claim, node: string): Promise<void> {
  const name = `golive-${claim.metadata.uid}`;
  await mkdir(`${here}/${name}`, { recursive: true });
  const { namespace, uid } = claim.metadata;
  await call("POST", "/api/v1/persistentvolumes", {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name, annotations: { [provisionedBy]: provisioner } },
    spec: {
      capacity: { storage: claim.spec.resources.requests.storage },
      accessModes: claim.spec.accessModes,
      persistentVolumeReclaimPolicy: "Delete",
      storageClassName: storageClass,
      claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", name: claim.metadata.name, namespace, uid },
      local: { path: `${onNode}/${name}` },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: [node] }] },
          ],
        },
      },
    },
  });
  console.log(`${name}: for ${namespace}/${claim.metadata.name}`);
}

async function takeAway(volume: Volume): Promise<void> {
  const { name } = volume.metadata;
  await rm(`${here}/${name}`, { recursive: true, force: true });
  await call("DELETE", `/api/v1/persistentvolumes/${name}`);
  console.log(`${name}: released, taken away`);
}

async function tick(): Promise<void> {
  for (const claim of await list<Claim>("/api/v1/persistentvolumeclaims")) {
    const node = claim.metadata.annotations?.[selectedNode];
    const waits = claim.spec.storageClassName === storageClass && claim.spec.volumeName === undefined;
    if (waits && node !== undefined) await provide(claim, node);
  }
  for (const volume of await list<Volume>("/api/v1/persistentvolumes")) {
    const ours = volume.metadata.annotations?.[provisionedBy] === provisioner;
    if (ours && volume.status?.phase === "Released") await takeAway(volume);
  }
}

process.on("SIGTERM", () => process.exit(0));
console.log(`gives volumes of the StorageClass ${storageClass} from ${onNode}`);
for (;;) {
  // The API server may be away for a moment: what was asked of it is asked again.
  await tick().catch((error: unknown) => console.error(error));
  await sleep(everyMilliseconds);
}
