import { metricsOf } from "./metric.ts";

const { gauge } = metricsOf({
  exporter: "blackbox_exporter 0.23.0",
  job: "probe",
  // `instance` is the address that is probed, as a Probe's operator sets it.
  targetLabels: ["job", "instance"],
});

/** What the probe of the public address finds. */
export const probe = {
  success: gauge("probe_success", { unit: "0/1", help: "Whether the probe was answered as it should be." }),
  duration: gauge("probe_duration_seconds", { unit: "seconds", help: "Time of the whole probe." }),
  httpStatus: gauge("probe_http_status_code", { unit: "1", help: "Status of the answer, 0 without one." }),
  httpDuration: gauge("probe_http_duration_seconds", {
    unit: "seconds",
    help: "Time of each part of the probe.",
    labels: ["phase"],
  }),
  tls: gauge("probe_http_ssl", { unit: "0/1", help: "Whether the answer came over TLS." }),
  certificateExpiry: gauge("probe_ssl_earliest_cert_expiry", {
    unit: "timestamp",
    help: "When the first certificate that was sent expires, only over TLS.",
  }),
};
