import { Agent, type IncomingHttpHeaders, request } from "node:http";

/** What load is put on: where to connect, and the public name that is asked for there. */
export interface Site {
  readonly origin: { readonly host: string; readonly port: number };
  readonly hostname: string;
  /** A request that takes longer has failed. */
  readonly slowMs: number;
}

export interface Asked {
  readonly path: string;
  /** Default: a connection of its own, which ends with the request. */
  readonly agent?: Agent | undefined;
  /** An access token. */
  readonly token?: string | undefined;
  /** Makes it a POST of this value as JSON. */
  readonly body?: unknown;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const bodyLimit = 1024 * 1024;

/** Connections that are kept and used again, first in first out, so that none stays idle for long. */
export const keptConnections = (): Agent => new Agent({ keepAlive: true, scheduling: "fifo", maxFreeSockets: 256 });

/** One request, whole answer included; rejects on a reset, on anything unfinished, and after `slowMs`. No retry. */
export function send({ origin, hostname, slowMs }: Site, { path, agent, token, body }: Asked): Promise<Answer> {
  const content = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: origin.host,
        port: origin.port,
        path,
        method: content === undefined ? "GET" : "POST",
        agent: agent ?? false,
        headers: {
          host: `${hostname}:${origin.port}`,
          "user-agent": "golive-load",
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(content === undefined
            ? {}
            : { "content-type": "application/json", "content-length": Buffer.byteLength(content) }),
        },
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        let size = 0;
        incoming.on("data", (chunk: Buffer) => {
          size += chunk.length;
          if (size > bodyLimit) outgoing.destroy(new Error(`answer larger than ${bodyLimit} bytes`));
          else chunks.push(chunk);
        });
        incoming.on("error", reject);
        incoming.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: text });
        });
      },
    );
    const slow = setTimeout(() => outgoing.destroy(new Error(`slower than ${slowMs} ms`)), slowMs);
    outgoing.on("error", reject);
    outgoing.on("close", () => {
      clearTimeout(slow);
      reject(new Error("closed before the end of the answer"));
    });
    outgoing.end(content);
  });
}

export const isSuccess = ({ status }: Answer): boolean => status >= 200 && status < 300;

/** The fields of an answer's JSON object; none when it is something else. */
export function fieldsOf({ body }: Answer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/** Why a request has no answer, in a line. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error && typeof error.code === "string" ? `${error.code} ` : "";
  return `${code}${error.message}`;
}
