import { taskflow } from "../../applications/taskflow.ts";
import type { InhibitRule } from "../../monitoring/alertmanager/inhibition.ts";
import type { Alert } from "../../monitoring/alerts/alert.ts";
import { ruleLabels } from "../../monitoring/rules/render.ts";
import type { MonitoredStack } from "../../monitoring/stack.ts";

/** TaskFlow in production, as rules and alerts know it. */
export const production: MonitoredStack = {
  application: taskflow,
  environment: "production",
  namespace: "production",
  hostname: "taskflow.example.com",
  database: "taskflow",
  databaseKind: "cloudnative-pg",
  ladder: taskflow.ladders.final ?? [],
  guarded: true,
};

export type Labels = Readonly<Record<string, string>>;

/**
 * The label sets with which an alert fires, one for each story in which it does: promtool holds the stories against the rules,
 * so these are the labels that Alertmanager sees.
 */
export function firings(alert: Alert): readonly Labels[] {
  return alert.stories
    .filter(({ begins }) => begins !== undefined)
    .map(({ labels }) => ({ ...labels, ...ruleLabels(alert, production), alertname: alert.name }));
}

/** Whether an alert with the labels `source` mutes one with `target`, as Alertmanager documents it. */
export function mutes(rule: InhibitRule, source: Labels, target: Labels): boolean {
  return (
    matches(rule.source_matchers, source) &&
    matches(rule.target_matchers, target) &&
    // An alert that is a target as well is muted by none that is both, itself before all.
    !(matches(rule.target_matchers, source) && matches(rule.source_matchers, target)) &&
    rule.equal.every((label) => (source[label] ?? "") === (target[label] ?? ""))
  );
}

function matches(matchers: readonly string[], labels: Labels): boolean {
  return matchers.every((matcher) => {
    const [, label = "", operator = "", value = ""] = /^(\w+)(=~|=)"(.*)"$/.exec(matcher) ?? [];
    if (operator === "") throw new Error(`${matcher}: this reader of matchers knows = and =~ only`);
    const has = labels[label] ?? "";
    return operator === "=" ? has === value : new RegExp(`^(?:${value})$`).test(has);
  });
}

/** The alert names and causes that a rule speaks of on one side. */
export function spokenOf(matchers: readonly string[], label: "alertname" | "cause"): readonly string[] {
  return matchers.flatMap((matcher) => {
    const [, name, values = ""] = /^(\w+)=~?"(.*)"$/.exec(matcher) ?? [];
    return name === label ? values.split("|") : [];
  });
}
