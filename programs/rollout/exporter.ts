import type { KubeApi } from "../../rollout/kube/api.ts";
import { fetchPublicRoute } from "../../rollout/kube/public-route.ts";
import { podApi } from "../kube-api.ts";
import type { Log } from "../log.ts";
import { reasonOf } from "../reason.ts";
import { repeat } from "../repeat.ts";
import { serve } from "../web.ts";
import { LedgerWatch } from "./ledger-watch.ts";
import { metricsText } from "./metrics.ts";
import { type Reading, readingOf } from "./reading.ts";
import type { ExporterSettings } from "./settings.ts";

const pauseMs = 2000;
/** As often as Prometheus asks. A page of the ledger has up to 700 KiB: every two seconds would be a load for nobody. */
const ledgerPauseMs = 15_000;

export interface Exporter {
  /** The one that it was given, or any free one instead of 0. */
  readonly port: number;
  /** Ends when no request and no reading is under way any more. */
  stop(): Promise<void>;
}

/**
 * Reads the route every few seconds, the ledger less often, and serves /metrics and /health. Answers from before the first
 * reading of the route wait for it; none ever waits for the ledger.
 */
export async function startExporter(
  settings: ExporterSettings,
  log: Log,
  { pause = pauseMs, ledgerPause = ledgerPauseMs }: { readonly pause?: number; readonly ledgerPause?: number } = {},
): Promise<Exporter> {
  const stopped = new AbortController();
  const api = podApi(settings.api);
  const watch = new RouteWatch(api, settings, log);
  // Apart from the route: its record is written after it, and some records move no route.
  const ledger = new LedgerWatch(api, settings, log);
  const first = watch.read();
  const firstOfLedger = ledger.read();
  // Healthy without a route, too: that there is none is what it has to tell.
  const web = await serve(settings.port, {
    metrics: async () => {
      await first;
      return metricsText(settings.application, watch.reading, ledger.tail);
    },
  });
  log("info", "listening", { port: web.port });
  const reading = Promise.all([
    first.then(() => repeat(() => watch.read(), pause, stopped.signal)),
    firstOfLedger.then(() => repeat(() => ledger.read(), ledgerPause, stopped.signal)),
  ]);
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

  constructor(api: KubeApi, settings: ExporterSettings, log: Log) {
    this.#settings = settings;
    this.#api = api;
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
