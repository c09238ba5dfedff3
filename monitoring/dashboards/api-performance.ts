import { over } from "../promql/expression.ts";
import type { MonitoredStack } from "../stack.ts";
import { httpWorkloads } from "./covers.ts";
import { type Board, ratioOf } from "./panel.ts";
import { errorRatio, latency, requestRate, throughput } from "./requests.ts";

/** S1-61, S1-75, S1-76. */
export function apiPerformance(stack: MonitoredStack): Board {
  const { errorPercent, latencySeconds } = stack.application.objectives;
  const each = ["service", "colour"] as const;
  return {
    name: "api-performance",
    title: "API Performance",
    description: "What users asked of both colours, and how they were answered. Probes and scrapes are not counted.",
    from: "now-6h",
    panels: [
      {
        title: "Request rate (req/s)",
        description:
          "Requests a second by service and colour, as the pods count them. Normal: follows the hour of the day, and both colours' sum does not jump at a step.",
        unit: "reqps",
        kind: "lines",
        queries: [{ expr: requestRate(stack, each), legend: "{{service}} {{colour}}" }],
        runbook: "application#servicedown",
        covers: httpWorkloads(stack),
      },
      {
        title: "Response time (p50, p95, p99)",
        description: `Seconds within which half, 95 and 99 of 100 requests are answered, by service; 0 without requests. Objective: 95 of 100 within ${latencySeconds} s.`,
        unit: "s",
        kind: "lines",
        queries: [
          { expr: latency(stack, ["service"], 0.5), legend: "{{service}} p50" },
          { expr: latency(stack, ["service"], 0.95), legend: "{{service}} p95" },
          { expr: latency(stack, ["service"], 0.99), legend: "{{service}} p99" },
        ],
        limit: { atMost: latencySeconds },
        runbook: "application#highlatency",
      },
      {
        title: "Error rate (%)",
        description: `Share of the requests that were answered with a status 5xx, by service and colour; 0 without requests. Objective: at most ${errorPercent} %.`,
        unit: "percentunit",
        kind: "lines",
        queries: [{ expr: errorRatio(stack, each), legend: "{{service}} {{colour}}" }],
        limit: { atMost: ratioOf(errorPercent) },
        runbook: "application#higherrorrate",
      },
      {
        title: "Throughput (MB/s)",
        description:
          "Response bodies in megabytes (10^6 bytes) a second, by service and colour. Normal: follows the request rate; apart from it, answers became larger or smaller.",
        unit: "MBs",
        kind: "lines",
        queries: [{ expr: over(throughput(stack, each), 1e6), legend: "{{service}} {{colour}}" }],
      },
    ],
  };
}
