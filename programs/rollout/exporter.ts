import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fetchRoute } from "./api.ts";
import type { Log } from "./log.ts";
import { metricsText } from "./metrics.ts";
import { type Reading, readingOf } from "./reading.ts";
import type { ExporterSettings } from "./settings.ts";

const pauseMs = 2000;

export interface Exporter {
  /** The one that it was given, or any free one instead of 0. */
  readonly port: number;
  /** Ends when no request and no reading is under way any more. */
  stop(): Promise<void>;
}

/** Reads the route every few seconds, and serves /metrics and /health. Answers from before the first reading wait for it. */
export async function startExporter(
  settings: ExporterSettings,
  log: Log,
  { pause = pauseMs }: { readonly pause?: number } = {},
): Promise<Exporter> {
  const stopped = new AbortController();
  const watch = new RouteWatch(settings, log);
  const first = watch.read();
  const server = serve(settings.application, async () => {
    await first;
    return watch.reading;
  });
  server.listen(settings.port);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  log("info", "listening", { port });
  const reading = first.then(() => repeat(() => watch.read(), pause, stopped.signal));
  return {
    port,
    async stop() {
      stopped.abort();
      server.close();
      server.closeAllConnections();
      await reading;
    },
  };
}

/** Reads one route, and says in the log when what it finds changes: not once a reading, which nobody would read. */
class RouteWatch {
  reading: Reading | undefined;
  readonly #settings: ExporterSettings;
  readonly #log: Log;
  #said: string | undefined;

  constructor(settings: ExporterSettings, log: Log) {
    this.#settings = settings;
    this.#log = log;
  }

  /** Never rejects: a route that cannot be read is a reading, too. */
  async read(): Promise<void> {
    const { application, namespace, api } = this.#settings;
    const found = await fetchRoute(api, namespace, application).then(readingOf, reasonOf);
    const problem = typeof found === "string" ? found : undefined;
    this.reading = typeof found === "string" ? undefined : found;
    const said = problem ?? "";
    if (said === this.#said) return;
    this.#said = said;
    if (problem === undefined) this.#log("info", "reads the route", { application, namespace });
    else this.#log("error", "cannot read the route", { application, namespace, reason: problem });
  }
}

/** Both addresses of a host failed: the reason stands in the parts. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}

async function repeat(work: () => Promise<void>, pause: number, stopped: AbortSignal): Promise<void> {
  while (!stopped.aborted) {
    await sleep(pause, stopped);
    if (!stopped.aborted) await work();
  }
}

const sleep = (ms: number, stopped: AbortSignal) =>
  new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    stopped.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });

function serve(application: string, reading: () => Promise<Reading | undefined>): Server {
  return createServer((request, response) => {
    const answer = (status: number, type: string, text: string) =>
      response.writeHead(status, { "content-type": type, "cache-control": "no-store" }).end(text);
    const path = request.url?.split("?")[0];
    if (request.method !== "GET") answer(405, "text/plain", "only GET\n");
    // Healthy without a route, too: that there is none is what it has to tell.
    else if (path === "/health") answer(200, "text/plain", "ok\n");
    else if (path === "/metrics") {
      void reading().then((now) =>
        answer(200, "text/plain; version=0.0.4; charset=utf-8", metricsText(application, now)),
      );
    } else answer(404, "text/plain", "there are /metrics and /health\n");
  });
}
