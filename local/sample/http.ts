import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Faults } from "./faults.ts";
import { errorFields, type Log } from "./log.ts";
import type { RequestMetrics } from "./metrics.ts";
import type { Identity } from "./settings.ts";

const bodyLimit = 16 * 1024;

export interface Reply {
  readonly status: number;
  readonly body: string;
  readonly type: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export const json = (status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Reply => ({
  status,
  body: JSON.stringify(value),
  type: "application/json; charset=utf-8",
  headers: { "cache-control": "no-store", ...headers },
});

/** An answer that is not a success, thrown from wherever it is found out. Its message goes to the client. */
export class Refusal extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}, options?: ErrorOptions) {
    super(message, options);
    this.name = "Refusal";
    this.status = status;
    this.headers = headers;
  }
}

/** What a request asks for. */
export interface Address {
  readonly path: string;
  /** What stands in the path where the route has `:name`. */
  readonly named: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
}

export interface Route {
  readonly method: "GET" | "POST";
  /** The exact path, in which a segment `:name` stands for any one; or everything below it when it ends in `/`. */
  readonly path: string;
  /** Probes and metrics meet no faults: a bad release is one whose users suffer while its probes are green. */
  readonly faultless?: true;
  handle(request: IncomingMessage, address: Address): Reply | Promise<Reply>;
}

export interface Serving {
  readonly identity: Identity;
  readonly routes: readonly Route[];
  readonly log: Log;
  readonly metrics: RequestMetrics;
  readonly faults: Faults;
  /** While true, answers ask their connection to be closed, so that clients come back on another pod. */
  isDraining(): boolean;
}

/** The JSON body of a request: 415, 413 or 400 with the reason when it is not one. */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const type = request.headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json")
    throw new Refusal(415, `content-type: got "${type ?? ""}"; application/json is needed`);
  const tooLarge = () => new Refusal(413, `the body is larger than ${bodyLimit} bytes`, { connection: "close" });
  if (Number(request.headers["content-length"] ?? 0) > bodyLimit) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bodyLimit) throw tooLarge();
    chunks.push(chunk);
  }
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks)));
  } catch (error) {
    throw new Refusal(400, `the body is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** What the `:name` segments of a route are in a path; undefined when the path is not one of the route's. */
export function matchPath(pattern: string, path: string): Readonly<Record<string, string>> | undefined {
  if (pattern.endsWith("/") && pattern !== "/") return path.startsWith(pattern) ? {} : undefined;
  const [wanted, got] = [pattern.split("/"), path.split("/")];
  if (wanted.length !== got.length) return undefined;
  const named: Record<string, string> = {};
  for (const [index, segment] of wanted.entries()) {
    const found = got[index] ?? "";
    if (segment.startsWith(":") && found !== "") named[segment.slice(1)] = found;
    else if (segment !== found) return undefined;
  }
  return named;
}

function findRoute(routes: readonly Route[], method: string, path: string): Route {
  const here = routes.filter((route) => matchPath(route.path, path) !== undefined);
  if (here.length === 0) throw new Refusal(404, "not found");
  // HEAD is a GET without its body: Node leaves the body out by itself.
  const found = here.find((route) => route.method === (method === "HEAD" ? "GET" : method));
  if (!found) throw new Refusal(405, "method not allowed", { allow: here.map((route) => route.method).join(", ") });
  return found;
}

function send(response: ServerResponse, reply: Reply, draining: boolean): number {
  const body = Buffer.from(reply.body);
  response.writeHead(reply.status, {
    "content-type": reply.type,
    "content-length": body.length,
    ...reply.headers,
    ...(draining ? { connection: "close" } : {}),
  });
  response.end(body);
  return body.length;
}

function refusalReply(error: unknown, log: Log, route: string): Reply {
  const refusal = error instanceof Refusal ? error : new Refusal(500, "internal error", {}, { cause: error });
  if (refusal.status >= 500) {
    log.warn("request failed", {
      route,
      status: refusal.status,
      reason: refusal.message,
      ...(refusal.cause ? errorFields(refusal.cause) : {}),
    });
  }
  return json(refusal.status, { error: refusal.message }, refusal.headers);
}

/** An HTTP server for a table of routes, with the headers, limits, faults and metrics that both services share. */
export function createService(serving: Serving): Server {
  const { identity, routes, log, metrics, faults } = serving;

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const started = performance.now();
    const method = request.method ?? "GET";
    const [path = "/", search = ""] = (request.url ?? "/").split("?");
    let name = "unmatched";
    let bytes = 0;
    response.once("close", () => {
      const status = response.writableFinished ? response.statusCode : 499;
      const seconds = (performance.now() - started) / 1000;
      metrics.observe({ method, route: name, status, seconds, bytes });
      log.debug("request", { method, route: name, status, ms: Math.round(seconds * 1000) });
    });
    response.setHeader("x-taskflow-colour", identity.colour);
    response.setHeader("x-taskflow-version", identity.version);
    response.setHeader("x-taskflow-pod", identity.pod);
    response.setHeader("x-content-type-options", "nosniff");
    let reply: Reply;
    try {
      const route = findRoute(routes, method, path);
      name = route.path;
      if (!route.faultless && (await faults.meet())) throw new Refusal(500, "a fault on demand");
      const named = matchPath(route.path, path) ?? {};
      reply = await route.handle(request, { path, named, query: new URLSearchParams(search) });
    } catch (error) {
      reply = refusalReply(error, log, name);
    }
    bytes = send(response, reply, serving.isDraining());
  };

  const server = createServer(
    {
      headersTimeout: 10_000,
      requestTimeout: 20_000,
      // Longer than a proxy keeps an idle connection (Traefik: 90 s). Were it shorter, the proxy would now and then send
      // a request into a connection that this side is just closing, and its user would see a 502.
      keepAliveTimeout: 95_000,
      maxHeaderSize: 16 * 1024,
    },
    (request, response) => {
      answer(request, response).catch((error: unknown) => {
        log.error("answering failed", errorFields(error));
        response.destroy();
      });
    },
  );
  return server;
}
