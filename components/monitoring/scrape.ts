import { Clock, minutes } from "../../monitoring/clock.ts";
import type { Settings } from "../../settings.ts";

/** One rule of Prometheus' relabelling, as the operator's types have it. */
export interface Relabelling {
  readonly sourceLabels?: readonly string[];
  readonly separator?: string;
  readonly regex?: string;
  readonly action?: "replace" | "keep" | "labeldrop";
  readonly targetLabel?: string;
  readonly replacement?: string;
}

/** Where the pods that are scraped have their metrics, by the name of the port. */
export const metricsPort = "metrics";

export const clockOf = ({ monitoring }: Settings): Clock => new Clock(monitoring.speed);

/** Every 15 s (S1-50). A target may take as long as it has: a busy machine is no reason to count it as down. */
export function oftenScraped(settings: Settings) {
  const interval = clockOf(settings).duration(15);
  return { interval, scrapeTimeout: interval };
}

/** Every minute: what the kubelet knows of containers and volumes is not younger. */
export function seldomScraped(settings: Settings) {
  const scrapeInterval = clockOf(settings).duration(minutes(1));
  return { scrapeInterval, scrapeTimeout: scrapeInterval };
}

/** A target that suddenly has more than these is refused whole, and counts as down: it would fill Prometheus' memory. */
export const limits = (samples: number) => ({
  sampleLimit: samples,
  labelLimit: 40,
  labelNameLengthLimit: 200,
  labelValueLengthLimit: 1_000,
});

/** On every monitor, probe and rule: with these the Prometheus selects them, and without them nothing says that it does not. */
export const selectedBy = ({ application, monitoring }: Settings) => ({ app: application.name, ...monitoring.labels });

/** The label `job`, whatever the target's object is called. */
export const jobIs = (job: string): Relabelling => ({ targetLabel: "job", replacement: job });

/** Takes a target's label from a label of its pod. */
export const fromPod = (podLabel: string, targetLabel: string): Relabelling => ({
  sourceLabels: [`__meta_kubernetes_pod_label_${podLabel}`],
  targetLabel,
});

/** Labels of the operator's that say nothing which the others do not: each would be one more that a rule may miss. */
export const withoutNoise: Relabelling = { action: "labeldrop", regex: "container|endpoint" };
