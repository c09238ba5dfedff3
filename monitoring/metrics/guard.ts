import { metricsOf } from "./metric.ts";

const { counter, gauge } = metricsOf({
  exporter: "programs/guard",
  job: "guard",
  targetLabels: ["job", "instance", "namespace", "pod"],
});

const ofApplication = { labels: ["application"] } as const;

/** What each pod of the guard says of itself. */
export const guard = {
  armed: gauge("golive_guard_armed", {
    unit: "0/1",
    help: "Whether a release has traffic that the guard may take away.",
    ...ofApplication,
  }),
  routeUp: gauge("golive_guard_route_up", {
    unit: "0/1",
    help: "Whether the last look at the public route succeeded.",
    ...ofApplication,
  }),
  gatewayUp: gauge("golive_guard_gateway_up", {
    unit: "0/1",
    help: "Whether a pod of the gateway answered the last look.",
    ...ofApplication,
  }),
  prometheusUp: gauge("golive_guard_prometheus_up", {
    unit: "0/1",
    help: "Whether Prometheus answered all questions when it was last asked.",
    ...ofApplication,
  }),
  withheld: gauge("golive_guard_withheld", {
    unit: "0/1",
    help: "Whether a bad candidate keeps its traffic because the stable colour cannot take it.",
    ...ofApplication,
  }),
  trips: counter("golive_guard_trips_total", {
    unit: "1",
    help: "Times that the pod took all traffic off a candidate.",
    ...ofApplication,
  }),
};
