import type { KubeApi } from "../../rollout/kube/api.ts";
import { fetchPublicRoute } from "../../rollout/kube/public-route.ts";
import { podApi } from "../kube-api.ts";
import type { Log } from "../log.ts";
import { reasonOf } from "../reason.ts";
import { repeat } from "../repeat.ts";
import { serve } from "../web.ts";
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
  // Healthy without a route, too: that there is none is what it has to tell.
  const web = await serve(settings.port, {
    metrics: async () => {
      await first;
      return metricsText(settings.application, watch.reading);
    },
  });
  log("info", "listening", { port: web.port });
  const reading = first.then(() => repeat(() => watch.read(), pause, stopped.signal));
  return {
    port: web.port,
    async stop() {
      stopped.abort();
      web.stop();
      await reading;
    },
  };
}

/** Reads one route, and says in the log when what it finds changes: not once a reading, which nobody would read. */
class RouteWatch {
  reading: Reading | undefined;
  readonly #settings: ExporterSettings;
  readonly #api: KubeApi;
  readonly #log: Log;
  #said: string | undefined;

  constructor(settings: ExporterSettings, log: Log) {
    this.#settings = settings;
    this.#api = podApi(settings.api);
    this.#log = log;
  }

  /** Never rejects: a route that cannot be read is a reading, too. */
  async read(): Promise<void> {
    const { application, namespace } = this.#settings;
    const found = await fetchPublicRoute(this.#api, { namespace, application }).then(
      ({ object }) => readingOf(object),
      reasonOf,
    );
    const problem = typeof found === "string" ? found : undefined;
    this.reading = typeof found === "string" ? undefined : found;
    const said = problem ?? "";
    if (said === this.#said) return;
    this.#said = said;
    if (problem === undefined) this.#log("info", "reads the route", { application, namespace });
    else this.#log("error", "cannot read the route", { application, namespace, reason: problem });
  }
}
