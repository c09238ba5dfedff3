import { Clock } from "../../monitoring/clock.ts";
import { application } from "../../monitoring/metrics/application.ts";
import { buckets, increase, of, quantile, sumBy } from "../../monitoring/promql/expression.ts";
import type { Prometheus, Sample } from "../prometheus.ts";

/** What Prometheus says of one rung, from what the pods counted themselves. */
export interface Scraped {
  /** Percent of the requests that the candidate answered. */
  readonly share: number;
  /** Requests that were answered with 5xx, in percent of all. */
  readonly errorPercent: number;
  /** Both colours together, in the pods: without the way through the gateway. */
  readonly p95Ms: number;
}

/** Probes and scrapes are no users. */
const users = { route: { unlike: "/health|/ready|/metrics" } } as const;
const clock = new Clock();

/** Asks what was measured from one moment to another; undefined where it has no requests of that time. */
export async function scraped(
  prometheus: Prometheus,
  { namespace, candidate, from, to }: { namespace: string; candidate: string; from: Date; to: Date },
): Promise<Scraped | undefined> {
  const seconds = (to.getTime() - from.getTime()) / 1000;
  const wanted = { namespace, ...users };
  const ask = async (vector: { promql(clock: Clock): string }) => await prometheus.query(vector.promql(clock), to);
  const requests = increase(of(application.requests, wanted), seconds);
  const bucketed = increase(buckets(application.requestDuration, wanted), seconds);
  const [byColour, byStatus, latency] = await Promise.all([
    ask(sumBy(["colour"], requests)),
    ask(sumBy(["status"], requests)),
    ask(quantile(0.95, sumBy(["le"], bucketed))),
  ]);
  const all = total(byColour);
  if (!(all > 0)) return undefined;
  return {
    share: (100 * total(byColour.filter(({ labels }) => labels.colour === candidate))) / all,
    errorPercent: (100 * total(byStatus.filter(({ labels }) => labels.status?.startsWith("5")))) / all,
    p95Ms: total(latency) * 1000,
  };
}

const total = (samples: readonly Sample[]) => samples.reduce((sum, { value }) => sum + value, 0);
