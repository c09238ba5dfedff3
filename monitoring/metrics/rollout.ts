import { metricsOf } from "./metric.ts";

const { gauge } = metricsOf({
  exporter: "programs/rollout",
  job: "rollout",
  targetLabels: ["job", "instance", "namespace", "pod"],
});

/** What the public HTTPRoute and the ledger say of the rollout. */
export const rollout = {
  candidateTraffic: gauge("golive_candidate_traffic_percent", {
    unit: "percent",
    help: "Share of public requests that the last run asked for the candidate.",
    labels: ["application", "candidate"],
  }),
  weight: gauge("golive_weight_percent", {
    unit: "percent",
    help: "Share of public requests that the live route gives a colour.",
    labels: ["application", "colour"],
  }),
  steppedAt: gauge("golive_stepped_timestamp_seconds", {
    unit: "timestamp",
    help: "When the weights were last written.",
    labels: ["application"],
  }),
  soak: gauge("golive_soak_seconds", {
    unit: "seconds",
    help: "Minimum time on the present rung, 0 at 0 %.",
    labels: ["application"],
  }),
  rung: gauge("golive_rung", {
    unit: "1",
    help: "Number of the present rung, 0 at 0 %.",
    labels: ["application"],
  }),
  rungs: gauge("golive_rungs", { unit: "1", help: "Rungs of the ladder.", labels: ["application"] }),
  tripped: gauge("golive_tripped", {
    unit: "0/1",
    help: "Whether the guard or a person took the colour's release off the traffic.",
    labels: ["application", "colour"],
  }),
  retired: gauge("golive_retired", {
    unit: "0/1",
    help: "Whether the colour is retired.",
    labels: ["application", "colour"],
  }),
  routeUp: gauge("golive_route_up", {
    unit: "0/1",
    help: "Whether the route could be read.",
    labels: ["application"],
  }),
  ledgerUp: gauge("golive_ledger_up", {
    unit: "0/1",
    help: "Whether the newest records of the ledger could all be read.",
    labels: ["application"],
  }),
  recordedAt: gauge("golive_recorded_timestamp_seconds", {
    unit: "timestamp",
    help: "When each of the newest records of the ledger was written.",
    labels: ["application", "number", "kind", "candidate", "percent"],
  }),
};
