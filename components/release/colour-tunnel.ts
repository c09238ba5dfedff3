import { type IncomingMessage, request } from "node:http";
import type { AddressInfo, Server } from "node:net";
import { DiscoveryV1Api, type KubeConfig } from "@kubernetes/client-node";
import type { Colour } from "../../applications/application.ts";
import type { AskColour, SmokeAnswer, SmokeRequest } from "../../rollout/preflight/smoke.ts";
import { openPortForward } from "../database/port-forward.ts";
import { workloadName } from "./names.ts";

/** The services of one colour, whatever its weight, for whoever has a kubeconfig. */
export interface ColourTunnel {
  readonly ask: AskColour;
  close(): Promise<void>;
}

export interface ColourTarget {
  readonly namespace: string;
  /** Its name. */
  readonly application: string;
  readonly colour: Colour;
}

/** More than that is no answer to a test. */
const longestBody = 1024 * 1024;

/**
 * Leads to a ready pod behind each Service of a colour. By port-forward, as the API server's proxy takes the header
 * `Authorization` for its own and drops it: nobody could log in. The pod is looked up once for each service.
 */
export function openColour(config: KubeConfig, { namespace, application, colour }: ColourTarget): ColourTunnel {
  const opened = new Map<string, Promise<Forward>>();
  return {
    async ask(service, asked, signal) {
      const name = workloadName(application, service, colour);
      const forward = opened.get(name) ?? openForward(config, namespace, name);
      opened.set(name, forward);
      const { server, problem } = await forward.catch((error: unknown) => {
        // The next request may find a pod.
        opened.delete(name);
        throw error;
      });
      return await exchange(server, `${name}.${namespace}.svc`, asked, signal).catch((error: unknown) => {
        throw problem() === undefined ? error : new Error(`port-forward: ${problem()}`, { cause: error });
      });
    },
    async close() {
      // Connections end by themselves, with their clients; nobody waits for a pod to say goodbye.
      for (const each of await Promise.allSettled(opened.values())) {
        if (each.status === "fulfilled") each.value.server.close();
      }
    },
  };
}

interface Forward {
  readonly server: Server;
  /** Why a connection could not be led to the pod; undefined: all could. */
  problem(): string | undefined;
}

async function openForward(config: KubeConfig, namespace: string, service: string): Promise<Forward> {
  const { pod, port } = await readyPod(config, namespace, service);
  let told: string | undefined;
  const server = await openPortForward(config, { namespace, pod, port, localPort: 0 }, (problem) => {
    told = problem;
  });
  // A port-forward keeps no process alive, but a command that waits for an answer has nothing else that does.
  server.ref();
  return { server, problem: () => told };
}

/** The Service's own view: a wrong selector or port shows here as it would to the gateway. */
async function readyPod(config: KubeConfig, namespace: string, service: string) {
  const { items } = await config
    .makeApiClient(DiscoveryV1Api)
    .listNamespacedEndpointSlice({ namespace, labelSelector: `kubernetes.io/service-name=${service}` });
  for (const { endpoints, ports } of items) {
    const ready = endpoints?.find(
      ({ conditions, targetRef }) => conditions?.ready === true && targetRef?.kind === "Pod",
    );
    const port = ports?.[0]?.port;
    if (ready?.targetRef?.name !== undefined && port !== undefined) return { pod: ready.targetRef.name, port };
  }
  throw new Error(`Service ${service} in namespace ${namespace} has no ready pod`);
}

function exchange(
  server: Server,
  host: string,
  { method, path, headers, body }: SmokeRequest,
  signal: AbortSignal,
): Promise<SmokeAnswer> {
  const { port } = server.address() as AddressInfo;
  const length = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
  const options = {
    host: "127.0.0.1",
    port,
    method,
    path,
    signal,
    agent: false,
    headers: { ...headers, ...length, host },
  };
  return new Promise((resolve, reject) => {
    const asked = request(options, (response) => void read(response).then(resolve, reject));
    asked.on("error", reject);
    asked.end(body);
  });
}

async function read(response: IncomingMessage): Promise<SmokeAnswer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > longestBody) throw new Error(`the answer is longer than ${longestBody} bytes`);
    chunks.push(chunk);
  }
  return { status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") };
}
