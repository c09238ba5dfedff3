import type { Alert } from "../alerts/alert.ts";
import { concerns } from "../alerts/all.ts";
import { runbookUrl } from "../alerts/runbook.ts";
import type { Clock } from "../clock.ts";
import type { MonitoredStack } from "../stack.ts";
import type { Recording } from "./recording.ts";
import { recordings } from "./recordings.ts";
import { evaluation } from "./records.ts";
import type { AlertingRule, RecordingRule, RuleFile, RuleGroup } from "./rule.ts";

export type { RuleFile, RuleGroup };

/** Every rule of a stack by concern: one PrometheusRule each, with these groups as its `spec.groups`. */
export function ruleFiles(stack: MonitoredStack, clock: Clock): readonly RuleFile[] {
  const app = stack.application.name;
  const file = (name: string, rules: RuleGroup["rules"]): RuleFile => ({
    name,
    groups: rules.length === 0 ? [] : [{ name, interval: clock.duration(evaluation), rules }],
  });
  return [
    file(
      `${app}-records`,
      recordings(stack).map((each) => recordingRule(each, clock)),
    ),
    ...concerns.map(({ name, alerts }) =>
      file(
        // S1-54: what watches the application itself is `taskflow-alerts`.
        name === "application" ? `${app}-alerts` : `${app}-${name}-alerts`,
        alerts(stack).map((alert) => alertingRule(alert, stack, clock)),
      ),
    ),
  ].filter(({ groups }) => groups.length > 0);
}

/** The groups of all files: what a Prometheus without PrometheusRules would load. */
export const renderRules = (stack: MonitoredStack, clock: Clock): readonly RuleGroup[] =>
  ruleFiles(stack, clock).flatMap(({ groups }) => groups);

export const recordingRule = ({ record, expr }: Recording, clock: Clock): RecordingRule => ({
  record: record.name,
  expr: expr.promql(clock),
});

export const alertingRule = (alert: Alert, stack: MonitoredStack, clock: Clock): AlertingRule => ({
  alert: alert.name,
  expr: alert.expr.promql(clock),
  // A clock knows no duration of nothing.
  for: alert.for === 0 ? "0s" : clock.duration(alert.for),
  ...(alert.keepFiringFor === undefined ? {} : { keep_firing_for: clock.duration(alert.keepFiringFor) }),
  labels: ruleLabels(alert, stack),
  annotations: annotations(alert),
});

/**
 * The labels that a rule gives its alert. Every alert has a namespace, the stack's where its series have none, and a cause,
 * its own name where it shares none: inhibition compares these two, and two alerts without them would count as equal.
 */
export const ruleLabels = (alert: Alert, { namespace }: MonitoredStack): Readonly<Record<string, string>> => ({
  severity: alert.severity,
  team: alert.team,
  ...(alert.expr.labels.includes("namespace") ? {} : { namespace }),
  cause: alert.name,
  ...alert.labels,
});

export const annotations = ({ summary, description, runbook }: Alert): Readonly<Record<string, string>> => ({
  summary,
  description,
  runbook_url: runbookUrl(runbook),
});
