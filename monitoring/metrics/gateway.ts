import { metricsOf } from "./metric.ts";

const { counter, gauge, histogram } = metricsOf({
  exporter: "Traefik 3.5.4",
  job: "gateway",
  targetLabels: ["job", "instance", "namespace", "pod"],
});

const entrypoint = ["entrypoint", "code", "method", "protocol"] as const;
// `service` is Traefik's name of a Service's port, such as local-taskflow-backend-blue-http-80@kubernetesgateway.
const service = ["service", "code", "method", "protocol"] as const;

/** What the Gateway's proxy sees, before and behind itself. */
export const gateway = {
  requests: counter("traefik_entrypoint_requests_total", {
    unit: "1",
    help: "Requests on a listener.",
    labels: entrypoint,
  }),
  requestDuration: histogram("traefik_entrypoint_request_duration_seconds", {
    unit: "seconds",
    help: "Time of a request on a listener.",
    labels: entrypoint,
  }),
  responseBytes: counter("traefik_entrypoint_responses_bytes_total", {
    unit: "bytes",
    help: "Bytes of responses of a listener.",
    labels: entrypoint,
  }),
  serviceRequests: counter("traefik_service_requests_total", {
    unit: "1",
    help: "Requests sent on to a service.",
    labels: service,
  }),
  serviceRequestDuration: histogram("traefik_service_request_duration_seconds", {
    unit: "seconds",
    help: "Time of a request that was sent on to a service.",
    labels: service,
  }),
  serviceResponseBytes: counter("traefik_service_responses_bytes_total", {
    unit: "bytes",
    help: "Bytes of responses of a service.",
    labels: service,
  }),
  openConnections: gauge("traefik_open_connections", {
    unit: "1",
    help: "Open connections.",
    labels: ["entrypoint", "protocol"],
  }),
  reloads: counter("traefik_config_reloads_total", { unit: "1", help: "Times that the routes were read anew." }),
  lastReloadSuccess: gauge("traefik_config_last_reload_success", {
    unit: "timestamp",
    help: "When the routes were last read well.",
  }),
};
