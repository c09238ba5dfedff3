import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface Page {
  readonly metrics: () => Promise<string>;
  /** Why the program is not well any more; undefined: it is. Default: it always is. */
  readonly problem?: () => string | undefined;
}

export interface Web {
  /** The one that it was given, or any free one instead of 0. */
  readonly port: number;
  /** Ends open connections, too. */
  stop(): void;
}

/** Serves /metrics and /health, to GET alone. */
export async function serve(port: number, { metrics, problem = () => undefined }: Page): Promise<Web> {
  const server = createServer((request, response) => {
    const answer = (status: number, type: string, text: string) =>
      response.writeHead(status, { "content-type": type, "cache-control": "no-store" }).end(text);
    const path = request.url?.split("?")[0];
    if (request.method !== "GET") answer(405, "text/plain", "only GET\n");
    else if (path === "/health") {
      const wrong = problem();
      answer(wrong === undefined ? 200 : 503, "text/plain", `${wrong ?? "ok"}\n`);
    } else if (path === "/metrics") {
      void metrics().then((text) => answer(200, "text/plain; version=0.0.4; charset=utf-8", text));
    } else answer(404, "text/plain", "there are /metrics and /health\n");
  });
  server.listen(port);
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}
