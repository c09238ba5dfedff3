import type { Colour } from "../../../applications/application.ts";
import { application } from "../../metrics/application.ts";
import { applicationTargets } from "../../metrics/targets.ts";
import type { MonitoredStack } from "../../stack.ts";
import { counter, gauge, type Phase, sampled, series } from "./timeline.ts";

/** What users ask of one colour of a service for some real seconds. */
export interface Traffic {
  readonly seconds: number;
  /** Requests a second. */
  readonly rate: number;
  /** Share of them that fails. Default: none. */
  readonly failed?: number;
  /** Share of them that takes `slowSeconds`. Default: none. */
  readonly slow?: number;
  /** Share of them that takes less than the others. Default: none. */
  readonly quick?: number;
}

/** What a request takes: most are in the bucket to `fast`, slow ones in that to `slow`. */
const bounds = { under: 0.025, fast: 0.05, objective: 0.1, canary: 0.2, slow: 0.5 } as const;

/** p95 of requests of which none is slow, as Prometheus finds it in these buckets. */
export const fastP95 = bounds.under + 0.95 * (bounds.fast - bounds.under);

/** Labels of the one pod of a colour in a story. */
export const podOf = ({ application: { name }, namespace }: MonitoredStack, service: string, colour: Colour) => ({
  job: `${name}-${service}`,
  instance: colour === "blue" ? "10.0.0.1:3000" : "10.0.0.2:3000",
  namespace,
  pod: `${name}-${service}-${colour}-7d9f`,
  service,
  colour,
  version: colour === "blue" ? "1.4.0" : "1.5.0",
});

/** What the pod of a colour counts. */
export function traffic(
  stack: MonitoredStack,
  service: string,
  colour: Colour,
  ...phases: readonly Traffic[]
): Readonly<Record<string, string>> {
  const counts = (share: (phase: Traffic) => number) =>
    counter(...phases.map((phase): Phase => [phase.rate * share(phase), phase.seconds]));
  const labels = { ...podOf(stack, service, colour), method: "GET", route: "/api/tasks" };
  const name = application.requestDuration.name;
  const bucket = (le: string) => series(`${name}_bucket`, { ...labels, status: "200", le });
  const fast = counts(({ slow = 0 }) => 1 - slow);
  const all = counts(() => 1);
  return {
    [series(application.requests.name, { ...labels, status: "200" })]: counts(({ failed = 0 }) => 1 - failed),
    [series(application.requests.name, { ...labels, status: "500" })]: counts(({ failed = 0 }) => failed),
    [series(`${name}_count`, { ...labels, status: "200" })]: all,
    [bucket(String(bounds.under))]: counts(({ quick = 0 }) => quick),
    [bucket(String(bounds.fast))]: fast,
    [bucket(String(bounds.objective))]: fast,
    [bucket(String(bounds.canary))]: fast,
    [bucket(String(bounds.slow))]: all,
    [bucket("+Inf")]: all,
  };
}

/** Whether the pod of a colour answers Prometheus. */
export const answering = (
  stack: MonitoredStack,
  service: string,
  colour: Colour,
  ...phases: readonly Phase[]
): Readonly<Record<string, string>> => ({
  [series(applicationTargets.up.name, podOf(stack, service, colour))]: gauge(...phases),
});

/**
 * Real seconds after which a share of bad requests, from one moment on, is above a threshold in a window that was good until
 * then: the window fills up with one sample after the other.
 */
export function crossing(share: number, threshold: number, window: number): number {
  if (share <= threshold) throw new RangeError(`a share of ${share} never is above ${threshold}`);
  // The nudge keeps a quotient that is whole but for the last binary digit on its side.
  return sampled * (Math.floor(((threshold / share) * window) / sampled + 1e-9) + 1);
}
