import type { Cover } from "../alerts/alert.ts";
import type { Vector } from "../promql/expression.ts";

/** One dashboard before it is Grafana's. */
export interface Board {
  /** Its part of the uid: `system-health`. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** How far back it looks when it is opened, as Grafana writes it: `now-6h`. */
  readonly from: string;
  readonly panels: readonly Panel[];
  /** Marks across all of its panels. Default: none. */
  readonly marks?: readonly Mark[];
}

/**
 * As Grafana names them. `percentunit` is a ratio 0 to 1, shown in percent; `percent` is 0 to 100; `MBs` is 10^6 bytes a
 * second, `Bps` bytes a second; `s` seconds; `none` a plain number, `short` one that may be shown in thousands.
 */
export type PanelUnit = "percentunit" | "percent" | "MBs" | "Bps" | "reqps" | "ops" | "s" | "short" | "none";

export interface Panel {
  readonly title: string;
  /** What it shows, what is normal, and which objective it is held against. */
  readonly description: string;
  readonly unit: PanelUnit;
  /** `stat` is the last value as a number, `lines` the values over time. */
  readonly kind: "lines" | "stat";
  readonly queries: readonly [Query, ...Query[]];
  /** Where good ends. Default: nothing is coloured. */
  readonly limit?: Limit;
  /** Text in the place of a value. Default: the value. */
  readonly words?: Readonly<Record<number, Word>>;
  /** Digits after the point. Default: Grafana's choice. */
  readonly decimals?: number;
  /** Grid columns of 24. Default: 12. */
  readonly width?: 6 | 8 | 12 | 24;
  /** `page` or `page#heading` below docs/runbooks, for whoever sees it in red. Default: none. */
  readonly runbook?: string;
  /** What of a stack is watched by it. Default: none. */
  readonly covers?: readonly Cover[];
}

export interface Query {
  readonly expr: Vector<string>;
  /** The name of a series: `{{label}}` of labels that the expression keeps. */
  readonly legend: string;
}

/** A value that is still good, in the panel's unit: `atMost` 0.1 is red above it, `atLeast` below it. */
export type Limit = { readonly atMost: number } | { readonly atLeast: number };

/** A share in percent as a ratio, without the tail that binary fractions leave: 99.99 is 0.9999. */
export const ratioOf = (percent: number): number => Number((percent / 100).toPrecision(12));

export interface Word {
  readonly text: string;
  readonly colour: "green" | "yellow" | "red" | "blue" | "text";
}

/** Marks in time, one for each series; their words may have `{{label}}`. */
export interface Mark {
  readonly name: string;
  /** When each is: its values are seconds since 1970. */
  readonly at: Vector<string>;
  readonly title: string;
  readonly text: string;
}
