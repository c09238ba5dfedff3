import { applicationTargetLabels } from "./application.ts";
import { metricsOf } from "./metric.ts";

/** What Prometheus writes of each scrape itself, with the labels of the target. A rule names its job. */
const scrapes = <const L extends string>(kind: string, targetLabels: readonly L[]) => {
  const { gauge } = metricsOf({ exporter: `Prometheus 2.42.0, scrapes of ${kind}`, job: undefined, targetLabels });
  return {
    up: gauge("up", { unit: "0/1", help: "Whether the target answered the last scrape." }),
    scrapeDuration: gauge("scrape_duration_seconds", { unit: "seconds", help: "Time of the last scrape." }),
    scrapedSamples: gauge("scrape_samples_scraped", { unit: "1", help: "Samples of the last scrape." }),
  };
};

/** Any target. */
export const targets = scrapes("any target", ["job", "instance"]);
/** Targets that are pods: all but the node's, the kubelet's, cAdvisor's and the probe's. */
export const podTargets = scrapes("pods", ["job", "instance", "namespace", "pod"]);
/** Pods of an application's services. */
export const applicationTargets = scrapes("an application's pods", applicationTargetLabels);

const { gauge } = metricsOf({ exporter: "Prometheus 2.42.0, rules", job: undefined, targetLabels: [] });

/** What Prometheus writes of its rules, beside what they record. */
export const ruleSeries = {
  alerts: gauge("ALERTS", {
    unit: "1",
    help: "An alert that is pending or firing, with its own labels beside these.",
    labels: ["alertname", "alertstate", "severity", "team", "namespace"],
  }),
};
