import type { Cover } from "../alerts/alert.ts";
import { Clock } from "../clock.ts";
import type { Metric } from "../metrics/metric.ts";
import { distinct } from "../promql/panel-window.ts";
import type { MonitoredStack } from "../stack.ts";
import { apiPerformance } from "./api-performance.ts";
import { businessMetrics } from "./business-metrics.ts";
import { database } from "./database.ts";
import { grafanaJson, panelId, refId } from "./grafana.ts";
import type { Board, Panel, PanelUnit } from "./panel.ts";
import { rollout } from "./rollout.ts";
import { systemHealth } from "./system-health.ts";

/** One dashboard as it is delivered. */
export interface Dashboard {
  /** `system-health`: part of the name of what carries it. */
  readonly name: string;
  /**
   * `<application>-<environment>-<name>`, since one Grafana may show several stacks. It stays the same for ever: links and
   * Grafana's own database know the dashboard by it.
   */
  readonly uid: string;
  readonly title: string;
  /** Grafana's v1 JSON. */
  readonly json: string;
  readonly panels: readonly PanelFacts[];
}

/** What tests and policies ask of a panel. */
export interface PanelFacts {
  readonly id: number;
  readonly title: string;
  readonly description: string;
  readonly unit: PanelUnit;
  readonly queries: readonly QueryFacts[];
  /** What of a stack is watched by it. */
  readonly covers: readonly Cover[];
}

export interface QueryFacts {
  readonly refId: string;
  /** PromQL with Grafana's own variables still in it. */
  readonly expr: string;
  readonly legend: string;
  /** Labels that its series have. */
  readonly labels: readonly string[];
  readonly metrics: readonly Metric[];
}

/** Longest uid that Grafana takes. */
const uidLength = 40;

/**
 * The dashboards of a stack: four with the panels that are asked for by name (S1-60..63), and one for the rollout.
 * `clock`: how fast the stack's rules live. Default: in real time.
 */
export function dashboards(stack: MonitoredStack, clock: Clock = new Clock()): readonly Dashboard[] {
  return boards(stack).map((board) => dashboard(board, stack, clock));
}

const boards = (stack: MonitoredStack): readonly Board[] => [
  systemHealth(stack),
  apiPerformance(stack),
  ...(stack.database === undefined ? [] : [database(stack, stack.database)]),
  ...(stack.database === undefined ? [] : [businessMetrics(stack, stack.database)]),
  rollout(stack),
];

function dashboard(board: Board, { application, environment }: MonitoredStack, clock: Clock): Dashboard {
  const uid = `${application.name}-${environment}-${board.name}`;
  if (uid.length > uidLength)
    throw new RangeError(`uid of a dashboard: got ${uid}, ${uid.length} characters; Grafana takes ${uidLength}`);
  return {
    name: board.name,
    uid,
    title: board.title,
    json: grafanaJson(board, { uid, tags: [application.name, environment] }, clock),
    panels: board.panels.map((panel, index) => factsOf(panel, index, clock)),
  };
}

const factsOf = (
  { title, description, unit, queries, covers = [] }: Panel,
  index: number,
  clock: Clock,
): PanelFacts => ({
  id: panelId(index),
  title,
  description,
  unit,
  queries: queries.map(({ expr, legend }, place) => ({
    refId: refId(place),
    expr: expr.promql(clock),
    legend,
    labels: expr.labels,
    metrics: distinct(expr.metrics),
  })),
  covers,
});
