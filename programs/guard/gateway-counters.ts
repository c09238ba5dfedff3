import type { Application, Colour } from "../../applications/application.ts";
import { gateway } from "../../monitoring/metrics/gateway.ts";
import { backendsOf } from "./backends.ts";

/** One counter of a gateway's pod: requests that it sent on to one service of one colour, and that ended alike. */
export interface Counter {
  readonly service: string;
  readonly colour: Colour;
  /** Answered with 5xx: the gateway says so, too, where no pod did. */
  readonly failed: boolean;
  readonly total: number;
}

/** Whose requests are looked for. */
export interface Whose {
  readonly application: Application;
  readonly namespace: string;
}

/**
 * Reads what a pod of the gateway counted, from its metrics in Prometheus' text format; by the labels of the series.
 * The counters are Traefik's, which knows a Service's port as `local-taskflow-backend-blue-http-80@kubernetesgateway`.
 */
export function countersOf(text: string, { application, namespace }: Whose): ReadonlyMap<string, Counter> {
  const backends = backendsOf(application).map((each) => ({ ...each, prefix: `${namespace}-${each.name}-` }));
  const begin = `${gateway.serviceRequests.name}{`;
  const found = new Map<string, Counter>();
  for (const line of text.split("\n")) {
    if (!line.startsWith(begin)) continue;
    const end = line.lastIndexOf("}");
    const labels = line.slice(begin.length, end);
    const name = labelOf(labels, "service");
    const backend = backends.find(({ prefix }) => name.startsWith(prefix));
    const total = Number(
      line
        .slice(end + 1)
        .trim()
        .split(" ")[0],
    );
    if (backend === undefined || !Number.isFinite(total)) continue;
    const { service, colour } = backend;
    found.set(labels, { service, colour, failed: /^5..$/.test(labelOf(labels, "code")), total });
  }
  return found;
}

function labelOf(labels: string, name: string): string {
  return new RegExp(`(?:^|,)${name}="((?:[^"\\\\]|\\\\.)*)"`).exec(labels)?.[1] ?? "";
}
