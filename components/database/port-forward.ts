import { createServer, type Server, type Socket } from "node:net";
import type { KubeConfig } from "@kubernetes/client-node";
import { PortForward } from "@kubernetes/client-node";

/** Where a server in the cluster is, and the loopback port that leads to it. */
export interface Forwarded {
  readonly namespace: string;
  readonly pod: string;
  /** Port of the container. */
  readonly port: number;
  /** Loopback port; 0: any that is free. */
  readonly localPort: number;
}

/**
 * A loopback port that leads to a pod. The cluster is asked only when somebody connects, so a run that changes nothing in
 * the database needs neither the pod nor the right to reach it. It keeps no process alive.
 * @throws Error with code EADDRINUSE when the port is taken.
 */
export async function openPortForward(config: KubeConfig, target: Forwarded): Promise<Server> {
  const server = createServer((socket) => void lead(config, target, socket));
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

async function lead(config: KubeConfig, { namespace, pod, port }: Forwarded, socket: Socket): Promise<void> {
  socket.on("error", () => socket.destroy());
  try {
    const opened = await new PortForward(config).portForward(namespace, pod, [port], socket, null, socket);
    const upstream = typeof opened === "function" ? opened() : opened;
    socket.once("close", () => upstream?.close());
    upstream?.once("close", () => socket.destroy());
  } catch (error) {
    // The client sees a connection that ends at once; it says so in words of its own.
    socket.destroy(error instanceof Error ? error : new Error(String(error)));
  }
}
