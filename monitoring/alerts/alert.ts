import type { Vector } from "../promql/expression.ts";

export const severities = ["critical", "warning", "info"] as const;
/** `critical` wakes somebody, `warning` is for the next working hour, `info` explains another one and reaches nobody by itself. */
export type Severity = (typeof severities)[number];

export const teams = ["devops", "dba", "security", "oncall"] as const;
/** Whose address hears of it (S4-91). */
export type Team = (typeof teams)[number];

/** One alert, whole: its rule, its words, its runbook, its receiver and its tests are all made from this value. */
export interface Alert {
  /** CamelCase. */
  readonly name: string;
  readonly severity: Severity;
  readonly team: Team;
  readonly expr: Vector<string>;
  /** Real seconds that the condition must hold before it fires. */
  readonly for: number;
  /**
   * Real seconds that it goes on firing when its condition is over: what it mutes is measured over a window, and would else be
   * heard after the cause is gone. Default: none.
   */
  readonly keepFiringFor?: number;
  /** Labels beside `severity` and `team`. Default: none. */
  readonly labels?: Readonly<Record<string, string>>;
  /** One sentence without templates, from a capital to a full stop. */
  readonly summary: string;
  /** Prometheus template: has `{{ $value … }}`, and `{{ $labels.x }}` only of labels that the expression keeps. */
  readonly description: string;
  /** `page#heading` below docs/runbooks, without `.md`: `database#databasedown`. */
  readonly runbook: string;
  /** The requirements it answers, or where it comes from. */
  readonly source: string;
  /** What of a stack is watched by it. Default: none. */
  readonly covers?: readonly Cover[];
  readonly stories: readonly [Story, ...Story[]];
}

/** Resources of a stack that an alert or a panel watches. */
export interface Cover {
  readonly kind:
    | "Deployment"
    | "StatefulSet"
    | "DaemonSet"
    | "CronJob"
    | "Job"
    | "PersistentVolumeClaim"
    | "Certificate"
    | "Gateway"
    | "HTTPRoute"
    | "Cluster";
  /** Default: all of the kind. */
  readonly name?: string;
}

/** What happens to some series, and when the alert must fire for it. All times are real seconds from the story's begin. */
export interface Story {
  /** Reads on from the alert's name: `when the server is gone`. */
  readonly title: string;
  /** Series as promtool takes them, one value every 15 s: `{"redis_up{job=\"redis\"}": "1x40 0x40 1x40"}`. */
  readonly series: Readonly<Record<string, string>>;
  /** When the condition begins to hold; undefined: it never does, and the alert stays silent to the end of the story. */
  readonly begins?: number;
  /** When the alert must be gone again. Default: it is not asked. */
  readonly resolved?: number;
  /** Labels of the firing alert beside its name, severity, team and own labels. Default: none. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Its description as a person gets it. Default: not asked. */
  readonly description?: string;
}
