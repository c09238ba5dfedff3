import type { AskPrometheus } from "../../rollout/gate/measure.ts";
import { queryValue } from "../../rollout/gate/prometheus.ts";

const patienceMs = 5000;

/** Asks a Prometheus at an address inside the cluster: past the API server, whose proxy would be a right of its own. */
export const prometheusAt =
  (address: string): AskPrometheus =>
  async (promql, at) => {
    const query = new URLSearchParams({ query: promql, time: String(at) });
    const response = await fetch(`${address}/api/v1/query?${query}`, { signal: AbortSignal.timeout(patienceMs) });
    return queryValue({ status: response.status, body: await response.text() }, promql, address);
  };
