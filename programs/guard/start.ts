import { performance } from "node:perf_hooks";
import { Clock } from "../../monitoring/clock.ts";
import { thresholdsOf } from "../../rollout/gate/thresholds.ts";
import { podApi } from "../kube-api.ts";
import type { Log } from "../log.ts";
import { repeat } from "../repeat.ts";
import { serve, type Web } from "../web.ts";
import { Gateway } from "./gateway.ts";
import { clusterDomain, clusterNames, gatewayPods } from "./gateway-pods.ts";
import { Guard } from "./guard.ts";
import { guardMetrics } from "./metrics.ts";
import { prometheusAt } from "./prometheus.ts";
import type { GuardSettings } from "./settings.ts";

/** A bad release is told from an incident by how it goes on: several looks in the seconds that the test takes. */
const lookMs = 500;
/** As often as Prometheus reads its targets: in between it knows nothing new. */
const judgeSeconds = 15;
/** A pod of the gateway that does not answer by then is asked with the next look. */
const patienceMs = 1000;
/** Longer than the patience of all questions of a look together: then the guard itself hangs. */
const stuckSeconds = 60;

const seconds = () => performance.now() / 1000;

export interface World {
  /** Where the gateway's pods have their metrics. Default: what DNS says. */
  readonly find?: () => Promise<readonly string[]>;
  /** Milliseconds from one look to the next. */
  readonly pause?: number;
}

/** Looks and judges until it is stopped, and serves /metrics and /health. */
export async function startGuard(
  settings: GuardSettings,
  log: Log,
  world: World = {},
): Promise<Web & { stop(): Promise<void> }> {
  const stopped = new AbortController();
  const { application, namespace, pod, speed } = settings;
  const clock = new Clock(speed);
  const guard = new Guard({
    ...{ application, namespace, pod, seconds, log },
    thresholds: thresholdsOf(application, clock),
    api: podApi(settings.api),
    gateway: new Gateway({ whose: settings, find: world.find ?? findPods(settings), read: readMetrics, seconds, log }),
    prometheus: settings.prometheus === undefined ? undefined : prometheusAt(settings.prometheus),
  });
  let lookedAt = seconds();
  const look = async () => {
    await guard.look();
    lookedAt = seconds();
  };
  const web = await serve(settings.port, {
    metrics: async () => guardMetrics(application.name, guard.state),
    problem: () => (seconds() - lookedAt > stuckSeconds ? `no look for ${stuckSeconds} s` : undefined),
  });
  log("info", "listening", { port: web.port });
  const loops = Promise.all([
    repeat(look, world.pause ?? lookMs, stopped.signal),
    repeat(() => guard.judge(), clock.seconds(judgeSeconds) * 1000, stopped.signal),
  ]);
  return {
    port: web.port,
    async stop() {
      stopped.abort();
      web.stop();
      await loops;
      await guard.stop();
    },
  };
}

/** Asks DNS by the full name; the cluster's domain is read once. */
function findPods({ gateway }: GuardSettings): () => Promise<readonly string[]> {
  const names = clusterNames();
  let domain: string | undefined;
  return async () => {
    domain ??= await clusterDomain();
    return gatewayPods(names, `${gateway}.svc.${domain}`);
  };
}

async function readMetrics(pod: string): Promise<string> {
  const response = await fetch(`http://${pod}/metrics`, { signal: AbortSignal.timeout(patienceMs) });
  if (!response.ok) throw new Error(`${pod} answered ${response.status}`);
  return response.text();
}
