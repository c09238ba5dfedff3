/**
 * Runs in a pod of the throw-away cluster: gives each claim of the `golive` StorageClass an empty directory of the node
 * as its volume, and takes the directory away when the claim is deleted. A claim of the bounded class gets a file system
 * of its own size in memory: the `emptyDir` of a pod that does nothing but hold it, since only the kubelet may mount.
 * It is copied into its image as it stands, so it imports nothing but Node.
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

interface Pod {
  readonly metadata: Metadata;
  readonly status?: { readonly phase?: string };
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
const boundedClass = setting("BOUNDED_STORAGE_CLASS");
const holderImage = setting("HOLDER_IMAGE");
const namespace = setting("NAMESPACE");

async function call<T>(method: string, path: string, body?: unknown): Promise<T | undefined> {
  const token = await readFile(`${accountDirectory}/token`, "utf8");
  const response = await fetch(`${api}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  // Made, or gone, already: a tick that was cut off is done again.
  if ((method === "POST" && response.status === 409) || (method !== "POST" && response.status === 404))
    return undefined;
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 300)}`);
  return JSON.parse(text) as T;
}

const list = async <T>(path: string) => (await call<{ items: T[] }>("GET", path))?.items ?? [];

/** Where a claim's volume is on the node; undefined while it is still being made. */
async function place(name: string, claim: Claim, node: string): Promise<string | undefined> {
  if (claim.spec.storageClassName === boundedClass)
    return await held(name, claim.spec.resources.requests.storage, node);
  await mkdir(`${here}/${name}`, { recursive: true });
  return `${onNode}/${name}`;
}

/** The volume of a claim, and the pod that holds it. */
const nameOf = (claim: Claim) => `golive-${claim.metadata.uid}`;

const holders = "volume-holder";
const pods = `/api/v1/namespaces/${namespace}/pods`;

async function held(name: string, size: string, node: string): Promise<string | undefined> {
  const holder = await call<Pod>("GET", `${pods}/${name}`);
  if (holder === undefined) await call("POST", pods, holderOf(name, size, node));
  if (holder?.status?.phase !== "Running") return undefined;
  return `/var/lib/kubelet/pods/${holder.metadata.uid}/volumes/kubernetes.io~empty-dir/volume`;
}

function holderOf(name: string, size: string, nodeName: string) {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace, labels: { app: holders } },
    spec: {
      nodeName,
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
      containers: [{ name: "holder", image: holderImage, volumeMounts: [{ name: "volume", mountPath: "/volume" }] }],
      volumes: [{ name: "volume", emptyDir: { medium: "Memory", sizeLimit: size } }],
    },
  };
}

async function provide(claim: Claim, node: string): Promise<void> {
  const name = nameOf(claim);
  const path = await place(name, claim, node);
  if (path === undefined) return;
  const { namespace, uid } = claim.metadata;
  await call("POST", "/api/v1/persistentvolumes", {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name, annotations: { [provisionedBy]: provisioner } },
    spec: {
      capacity: { storage: claim.spec.resources.requests.storage },
      accessModes: claim.spec.accessModes,
      persistentVolumeReclaimPolicy: "Delete",
      storageClassName: claim.spec.storageClassName,
      claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", name: claim.metadata.name, namespace, uid },
      local: { path },
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
  const claims = await list<Claim>("/api/v1/persistentvolumeclaims");
  for (const claim of claims) {
    const node = claim.metadata.annotations?.[selectedNode];
    const isOurs = [storageClass, boundedClass].includes(claim.spec.storageClassName ?? "");
    if (isOurs && claim.spec.volumeName === undefined && node !== undefined) await provide(claim, node);
  }
  const volumes = await list<Volume>("/api/v1/persistentvolumes");
  for (const volume of volumes) {
    const ours = volume.metadata.annotations?.[provisionedBy] === provisioner;
    if (ours && volume.status?.phase === "Released") await takeAway(volume);
  }
  const needed = new Set([...claims.map(nameOf), ...volumes.map(({ metadata }) => metadata.name)]);
  for (const { metadata } of await list<Pod>(`${pods}?labelSelector=app%3D${holders}`)) {
    if (!needed.has(metadata.name)) await call("DELETE", `${pods}/${metadata.name}`);
  }
}

process.on("SIGTERM", () => process.exit(0));
console.log(`gives volumes of the StorageClass ${storageClass} from ${onNode}, of ${boundedClass} in memory`);
for (;;) {
  // The API server may be away for a moment: what was asked of it is asked again.
  await tick().catch((error: unknown) => console.error(error));
  await sleep(everyMilliseconds);
}
