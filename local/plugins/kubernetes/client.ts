import type { IncomingMessage } from "node:http";
import { request as plainRequest } from "node:http";
import { Agent, type RequestOptions, request as secureRequest } from "node:https";
import type { Value } from "../rpc/properties.ts";
import { listAt, textAt } from "./json.ts";
import type { Connection } from "./kubeconfig.ts";

/** The API server's refusal of a request. */
export class ApiError extends Error {
  readonly status: number;
  /** The machine-readable reason: NotFound, AlreadyExists, Conflict, Invalid, Forbidden, … */
  readonly reason: string;
  readonly body: Value;

  constructor(status: number, body: Value, request: string) {
    const message = textAt(body, "message");
    super(message === "" ? `the API server answered ${request} with ${status}` : message);
    this.name = "ApiError";
    this.status = status;
    this.reason = textAt(body, "reason");
    this.body = body;
  }

  /** Whether it is a namespace that does not exist, and not the object. */
  get namespaceMissing(): boolean {
    return this.status === 404 && textAt(this.body, "details", "kind") === "namespaces";
  }
}

/** No answer: the address, the certificate or the machine is not right. */
export class Unreachable extends Error {
  constructor(connection: Connection, cause: Error) {
    super(
      `the configured Kubernetes cluster is unreachable: ${connection.server} (context ${connection.context}): ${cause.message}. ` +
        "Check that it runs and that the kubeconfig names it",
      { cause },
    );
    this.name = "Unreachable";
  }
}

export interface Call {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Value;
  /** The body's media type: JSON unless said otherwise. */
  readonly contentType?: string;
  readonly signal?: AbortSignal;
}

/** An event of a watch. */
export interface WatchEvent {
  readonly type: string;
  readonly object: Value;
}

const connectMilliseconds = 5_000;
const answerMilliseconds = 60_000;

/** One cluster's API, over connections that are kept open: a request costs a round trip and no handshake. */
export class Client {
  readonly #connection: Connection;
  readonly #agent: Agent;
  /** A watch keeps its connection for minutes: many of them must not keep requests from theirs. */
  readonly #watching: Agent;

  constructor(connection: Connection) {
    this.#connection = connection;
    const secure = {
      ca: connection.ca,
      cert: connection.cert,
      key: connection.key,
      rejectUnauthorized: !connection.insecure,
      servername: connection.serverName,
    };
    this.#agent = new Agent({ ...secure, keepAlive: true, maxSockets: 16 });
    this.#watching = new Agent(secure);
  }

  /** Sends one request and reads its JSON answer. */
  async send(call: Call): Promise<Value> {
    const response = await this.#open(call, answerMilliseconds);
    const text = await readAll(response);
    const status = response.statusCode ?? 0;
    const body = parseBody(text);
    if (status >= 200 && status < 300) return body;
    throw new ApiError(status, body, `${call.method} ${call.path}`);
  }

  /** Follows the changes of a list from a version on, until the server ends the watch or the signal aborts. */
  async *watch(path: string, query: Readonly<Record<string, string>>, signal: AbortSignal): AsyncGenerator<WatchEvent> {
    const response = await this.#open({ method: "GET", path, query: { ...query, watch: "true" }, signal });
    if (response.statusCode !== 200) {
      throw new ApiError(response.statusCode ?? 0, parseBody(await readAll(response)), `WATCH ${path}`);
    }
    let rest = "";
    for await (const piece of response.setEncoding("utf8")) {
      const lines = (rest + String(piece)).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (line !== "") yield JSON.parse(line) as WatchEvent;
      }
    }
  }

  #open(call: Call, answerWithin?: number): Promise<IncomingMessage> {
    const { server, token, context } = this.#connection;
    const url = new URL(server + call.path);
    for (const [name, value] of Object.entries(call.query ?? {})) url.searchParams.set(name, value);
    const payload = call.body === undefined ? undefined : Buffer.from(JSON.stringify(call.body));
    const options: RequestOptions = {
      method: call.method,
      headers: {
        accept: "application/json",
        "user-agent": `golive (${context})`,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(payload === undefined
          ? {}
          : { "content-type": call.contentType ?? "application/json", "content-length": String(payload.length) }),
      },
      ...(call.signal === undefined ? {} : { signal: call.signal }),
    };
    const agent = answerWithin === undefined ? this.#watching : this.#agent;
    return new Promise((resolve, reject) => {
      const request = url.protocol === "http:" ? plainRequest(url, options) : secureRequest(url, { ...options, agent });
      request.on("response", resolve);
      request.on("error", (error) => reject(call.signal?.aborted ? error : new Unreachable(this.#connection, error)));
      request.on("socket", (socket) => {
        if (!socket.connecting) return;
        const connecting = setTimeout(
          () => request.destroy(new Error(`no connection within ${connectMilliseconds / 1000} s`)),
          connectMilliseconds,
        );
        const connected = () => clearTimeout(connecting);
        socket.once(url.protocol === "http:" ? "connect" : "secureConnect", connected).once("close", connected);
      });
      if (answerWithin !== undefined) {
        request.setTimeout(answerWithin, () => request.destroy(new Error(`no answer within ${answerWithin / 1000} s`)));
      }
      request.end(payload);
    });
  }
}

async function readAll(response: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString("utf8");
}

function parseBody(text: string): Value {
  try {
    return JSON.parse(text) as Value;
  } catch {
    // A proxy in between answers in prose.
    return { message: text.slice(0, 500) };
  }
}

/** The managers and fields of a conflict, as the API server names them. */
export function conflictCauses(error: ApiError): readonly string[] {
  return listAt(error.body, "details", "causes")
    .filter((cause) => textAt(cause, "reason") === "FieldManagerConflict")
    .map((cause) => `${textAt(cause, "field")} (${textAt(cause, "message")})`);
}
