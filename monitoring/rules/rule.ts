/** One rule as Prometheus reads it: what it records, or what it calls out. */
export type Rule = RecordingRule | AlertingRule;

export interface RecordingRule {
  readonly record: string;
  readonly expr: string;
}

export interface AlertingRule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly keep_firing_for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Rules that are evaluated one after the other, every `interval`. */
export interface RuleGroup {
  readonly name: string;
  readonly interval: string;
  readonly rules: readonly Rule[];
}

/** The groups of one concern: one PrometheusRule, so that an expression that is refused takes no other concern with it. */
export interface RuleFile {
  readonly name: string;
  readonly groups: readonly RuleGroup[];
}
