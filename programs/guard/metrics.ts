import { expositionOf, type Family, one } from "../exposition.ts";

/** What the guard tells Prometheus of itself. */
export interface GuardState {
  /** Whether a release has traffic that it may take away: the candidate's, or, after the switch of roles, the one that came up. */
  readonly armed: boolean;
  /** Whether the last look at each succeeded; undefined: there is none to look at. */
  readonly routeUp: boolean;
  readonly gatewayUp: boolean;
  readonly prometheusUp: boolean | undefined;
  /** Whether the candidate is bad and the stable colour cannot take its traffic. */
  readonly withheld: boolean;
  readonly trips: number;
}

export function guardMetrics(application: string, state: GuardState): string {
  const gauge = (name: string, help: string, value: boolean | undefined): Family => ({
    name,
    type: "gauge",
    help,
    series: one(value === undefined ? undefined : Number(value)),
  });
  return expositionOf({ application }, [
    gauge("golive_guard_armed", "1 while a release has traffic that the guard may take away, else 0.", state.armed),
    gauge("golive_guard_route_up", "1 when the last look at the public route succeeded, else 0.", state.routeUp),
    gauge("golive_guard_gateway_up", "1 when a pod of the gateway answered the last look, else 0.", state.gatewayUp),
    gauge("golive_guard_prometheus_up", "1 when Prometheus answered all questions, else 0.", state.prometheusUp),
    gauge(
      "golive_guard_withheld",
      "1 while a bad candidate keeps its traffic because the stable colour cannot take it, else 0.",
      state.withheld,
    ),
    {
      name: "golive_guard_trips_total",
      type: "counter",
      help: "Times that this pod of the guard took all traffic off a candidate.",
      series: one(state.trips),
    },
  ]);
}
