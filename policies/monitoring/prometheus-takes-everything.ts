import { everywhere } from "../levels.ts";
import { at, labelsOf } from "../manifest.ts";
import type { StackRule } from "../rule.ts";
import { selects } from "../selector.ts";
import { ofKind } from "../stack.ts";
import { kindOf } from "../subject.ts";

/** Which selector of a Prometheus takes which kind. */
const selectors: Readonly<Record<string, string>> = {
  ServiceMonitor: "serviceMonitorSelector",
  PodMonitor: "podMonitorSelector",
  Probe: "probeSelector",
  PrometheusRule: "ruleSelector",
  ScrapeConfig: "scrapeConfigSelector",
};

/** What is declared to watch the stack is read by somebody. */
export const prometheusTakesEverything: StackRule = {
  id: "prometheus-takes-everything",
  summary: "The Prometheus of the stack selects every monitor, probe and rule that the stack declares.",
  why: "Rules that no Prometheus loads never fire, and nothing says so.",
  severity: "high",
  sources: ["S4-61", "S4-62"],
  levels: everywhere,
  example: {
    bad: "kind: PrometheusRule\nmetadata: {labels: {app: taskflow}}",
    good: "kind: PrometheusRule\nmetadata: {labels: {app: taskflow, golive/monitoring: production}}",
  },
  judgeStack(subjects) {
    const servers = ofKind(subjects, "Prometheus");
    if (servers.length === 0) return [];
    return ofKind(subjects, ...Object.keys(selectors)).flatMap((subject) => {
      const field = selectors[kindOf(subject) ?? ""] ?? "";
      const taken = servers.some((server) => {
        const selector = at(server.object, "spec", field);
        // An empty selector takes all, a missing one nothing.
        return selector !== undefined && selects(selector, labelsOf(subject));
      });
      return taken
        ? []
        : [
            {
              subject,
              finding: {
                path: "metadata.labels",
                found: "labels that the Prometheus of the stack does not select",
                wanted: `those of its ${field}`,
                fix: "write the label golive/monitoring with the stack's name",
              },
            },
          ];
    });
  },
};
