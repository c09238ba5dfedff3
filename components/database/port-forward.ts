import { createServer, type Server, Socket } from "node:net";
import { CoreV1Api, type KubeConfig, PortForward } from "@kubernetes/client-node";

/** Where a server in the cluster is, and the loopback port that leads to it. */
export interface Forwarded {
  readonly namespace: string;
  /** Name of the pod, or labels (`a=b,c=d`) of the pod that is to be found anew for each connection. */
  readonly pod: string | { readonly labels: string };
  /** Port of the container. */
  readonly port: number;
  /** Loopback port; 0: any that is free. */
  readonly localPort: number;
}

/**
 * A loopback port that leads to a pod. The cluster is asked only when somebody connects, so a run that changes nothing in
 * the database needs neither the pod nor the right to reach it. It keeps no process alive.
 * `tell` hears why a connection could not be led there: its client only sees that it ends at once.
 * @throws Error with code EADDRINUSE when the port is taken.
 */
export async function openPortForward(
  config: KubeConfig,
  target: Forwarded,
  tell: (problem: string) => void = () => {},
): Promise<Server> {
  const server = createServer((socket) => void lead(config, target, socket, tell));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(target.localPort, "127.0.0.1", () => {
      server.off("error", reject);
      resolve();
    });
  });
  server.unref();
  return server;
}

async function lead(
  config: KubeConfig,
  target: Forwarded,
  socket: Socket,
  tell: (problem: string) => void,
): Promise<void> {
  socket.on("error", () => socket.destroy());
  // A provider keeps its connection until the engine ends, and the engine waits for this program: neither would ever end.
  socket.unref();
  try {
    const pod = await podOf(config, target);
    const opened = await new PortForward(config).portForward(
      target.namespace,
      pod,
      [target.port],
      socket,
      null,
      socket,
    );
    const upstream = typeof opened === "function" ? opened() : opened;
    unref(upstream);
    socket.once("close", () => upstream?.close());
    upstream?.once("close", () => socket.destroy());
  } catch (error) {
    tell(reasonOf(error));
    socket.destroy();
  }
}

/** A WebSocket fails with an event, which has a message and is no Error. */
function reasonOf(error: unknown): string {
  const message: unknown = typeof error === "object" && error !== null ? Reflect.get(error, "message") : undefined;
  return typeof message === "string" && message !== "" ? message : String(error);
}

/** A WebSocket has no such method; its socket has. */
function unref(upstream: object | null): void {
  const socket: unknown = upstream === null ? undefined : Reflect.get(upstream, "_socket");
  if (socket instanceof Socket) socket.unref();
}

async function podOf(config: KubeConfig, { namespace, pod }: Forwarded): Promise<string> {
  if (typeof pod === "string") return pod;
  const { items } = await config
    .makeApiClient(CoreV1Api)
    .listNamespacedPod({ namespace, labelSelector: pod.labels, fieldSelector: "status.phase=Running" });
  const name = items[0]?.metadata?.name;
  if (name === undefined) throw new Error(`no pod with the labels ${pod.labels} runs in namespace ${namespace}`);
  return name;
}
