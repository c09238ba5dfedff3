import { randomBytes } from "node:crypto";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { CoreV1Api, KubeConfig, type V1Pod } from "@kubernetes/client-node";
import { plannerArguments } from "../../components/database/planner.ts";
import { openPortForward } from "../../components/database/port-forward.ts";
import { places } from "../places.ts";
import { runLabels } from "./scratch-namespaces.ts";

/** Where a server listens, and its superuser's way in. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** A PostgreSQL in the throw-away cluster, in a namespace of its own, without a volume. */
export interface ClusterServer {
  readonly namespace: string;
  /** Through a port-forward, as anybody reaches it. */
  readonly admin: ServerAddress;
  /** The pod itself, when this machine is on the cluster's network. */
  direct(): Promise<ServerAddress | undefined>;
  /** Deletes the namespace and all in it. */
  stop(): Promise<void>;
}

const image = "golive.local/postgres:15";
const pod = "postgres-0";
const port = 5432;
const readySeconds = 120;

/** Starts one. `prefix` says in its namespace's name what it is for. @throws Error when its pod is not ready in time. */
export async function startClusterServer(prefix: string): Promise<ClusterServer> {
  const config = new KubeConfig();
  config.loadFromFile(places.kubeconfig);
  const core = config.makeApiClient(CoreV1Api);
  const namespace = `${prefix}-${randomBytes(3).toString("hex")}`;
  const password = randomBytes(16).toString("hex");
  await core.createNamespace({ body: { metadata: { name: namespace, labels: { ...runLabels() } } } });
  const forward = await openPortForward(config, { namespace, pod, port, localPort: 0 });
  const stop = async () => {
    forward.close();
    await core.deleteNamespace({ name: namespace, gracePeriodSeconds: 0 });
  };
  try {
    await core.createNamespacedPod({ namespace, body: serverPod(password) });
    const podIP = await waitUntilReady(core, namespace);
    const access = { user: "postgres", password, database: "postgres" };
    return {
      namespace,
      admin: { host: "127.0.0.1", port: (forward.address() as AddressInfo).port, ...access },
      direct: async () => ((await answers(podIP)) ? { host: podIP, port, ...access } : undefined),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function serverPod(password: string): V1Pod {
  const isReady = { exec: { command: ["pg_isready", "--host=127.0.0.1", "--username=postgres"] } };
  return {
    metadata: { name: pod },
    spec: {
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: "postgres",
          image,
          imagePullPolicy: "IfNotPresent",
          args: ["postgres", ...plannerArguments],
          env: [
            { name: "POSTGRES_PASSWORD", value: password },
            { name: "PGDATA", value: "/var/lib/postgresql/data/pgdata" },
          ],
          readinessProbe: { ...isReady, periodSeconds: 1 },
          securityContext: { runAsUser: 999, runAsGroup: 999 },
          volumeMounts: [
            { name: "data", mountPath: "/var/lib/postgresql/data" },
            { name: "run", mountPath: "/var/run/postgresql" },
          ],
        },
      ],
      securityContext: { fsGroup: 999 },
      volumes: ["data", "run"].map((name) => ({ name, emptyDir: {} })),
    },
  };
}

/** The pod's address, once it is ready. */
async function waitUntilReady(core: CoreV1Api, namespace: string): Promise<string> {
  const deadline = performance.now() + readySeconds * 1000;
  for (;;) {
    const { status } = await core.readNamespacedPod({ namespace, name: pod });
    const ready = status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") ?? false;
    if (ready && status?.podIP !== undefined) return status.podIP;
    if (performance.now() > deadline) throw new Error(`waited ${readySeconds} s for ${pod} in namespace ${namespace}`);
    await sleep(250);
  }
}

const answers = (host: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1000 });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => end(true));
    socket.once("timeout", () => end(false));
    socket.once("error", () => end(false));
  });
