import { type Application, type HttpService, isHttp } from "../../applications/application.ts";
import { application, type applicationTargetLabels } from "../metrics/application.ts";
import { buckets, count, of, type Series } from "../promql/expression.ts";
import type { MonitoredStack } from "../stack.ts";

/** The services that count requests: each is a job of its own. */
export const httpServices = ({ services }: Application): readonly HttpService[] => services.filter(isHttp);

/** The value of `job` on a service's series. */
export const jobOf = (app: Application, service: HttpService): string => `${app.name}-${service.name}`;

const escaped = (path: string) => path.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** Whose series: those of one application in one namespace. */
type Asked = Pick<MonitoredStack, "application" | "namespace">;

/** One service or one colour of it alone; default: all. */
export interface Answering {
  readonly service?: string;
  readonly colour?: string;
}

function everybody({ application: app, namespace }: Asked) {
  const services = httpServices(app);
  return { job: { like: services.map((service) => jobOf(app, service)).join("|") }, namespace };
}

/** Which series count as requests of users: this stack's, and none of the routes that the cluster itself asks. */
function users(stack: Asked) {
  const routes = httpServices(stack.application).flatMap(({ probes }) => [probes.liveness, probes.readiness]);
  return {
    ...everybody(stack),
    route: { unlike: [...new Set([...routes, "/metrics"])].map(escaped).join("|") },
  };
}

type Label = (typeof application.requests.labels)[number];
type TargetLabel = (typeof applicationTargetLabels)[number];

export const requests = (stack: Asked, who: Answering = {}): Series<"counter", Label> =>
  of(application.requests, { ...users(stack), ...who });

/** Probes and scrapes, too: a pod that nobody else asks still shows when it was read last. */
export const everyRequest = (stack: Asked, who: Answering = {}): Series<"counter", Label> =>
  of(application.requests, { ...everybody(stack), ...who });

/** Requests that the service could not answer. What a client did wrong (4xx, 499) is none of them. */
export const failedRequests = (stack: Asked, who: Answering = {}): Series<"counter", Label> =>
  of(application.requests, { ...users(stack), ...who, status: { like: "5.." } });

/** Bytes of the bodies that users got. */
export const responseBytes = (stack: MonitoredStack): Series<"counter", "method" | "route" | TargetLabel> =>
  of(application.responseBytes, users(stack));

export const timedRequests = (stack: MonitoredStack): Series<"counter", Label> =>
  count(application.requestDuration, users(stack));

export const requestBuckets = (stack: Asked, who: Answering = {}): Series<"counter", Label | "le"> =>
  buckets(application.requestDuration, { ...users(stack), ...who });

/**
 * Bounds of the histogram's buckets that a rule may name, in seconds. Not 1, 2 and 5: Prometheus 3 stores them as "1.0", and a
 * rule that asks for "1" finds nothing.
 */
const bounds: readonly number[] = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5];

/** Requests answered within so many seconds: one bucket, exactly. A bound between two buckets could only be guessed. */
export function requestsWithin(stack: MonitoredStack, seconds: number): Series<"counter", Label | "le"> {
  if (!bounds.includes(seconds))
    throw new RangeError(
      `objectives.latencySeconds: got ${seconds}; allowed: a bound of http_request_duration_seconds: ${bounds.join(", ")}`,
    );
  return buckets(application.requestDuration, { ...users(stack), le: String(seconds) });
}
