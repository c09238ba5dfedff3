import { metricsOf } from "./metric.ts";

const { counter, gauge } = metricsOf({
  exporter: "Alertmanager 0.25.0",
  job: "alertmanager",
  targetLabels: ["job", "instance", "namespace", "pod"],
});

/** What Alertmanager says of itself. `integration` is the kind of a receiver, such as `email`. */
export const alertmanager = {
  notifications: counter("alertmanager_notifications_total", {
    unit: "1",
    help: "Notifications tried.",
    labels: ["integration"],
  }),
  notificationsFailed: counter("alertmanager_notifications_failed_total", {
    unit: "1",
    help: "Notifications that were not delivered.",
    labels: ["integration"],
  }),
  alerts: gauge("alertmanager_alerts", { unit: "1", help: "Alerts by state.", labels: ["state"] }),
  alertsReceived: counter("alertmanager_alerts_received_total", {
    unit: "1",
    help: "Alerts received by status.",
    labels: ["status", "version"],
  }),
  alertsInvalid: counter("alertmanager_alerts_invalid_total", {
    unit: "1",
    help: "Alerts received that were not valid.",
    labels: ["version"],
  }),
  silences: gauge("alertmanager_silences", { unit: "1", help: "Silences by state.", labels: ["state"] }),
  configReloaded: gauge("alertmanager_config_last_reload_successful", {
    unit: "0/1",
    help: "Whether the last configuration could be read.",
  }),
};
