import type { Dashboard } from "../../monitoring/dashboards/dashboards.ts";

/** What Grafana would put in the place of its own variables: durations as Prometheus reads them. */
export interface GrafanaValues {
  /** Of `$__rate_interval`: four scrapes or more. */
  readonly rateInterval: string;
  /** Of `$__range`: how much time the dashboard shows. */
  readonly range: string;
}

export interface PanelQuery {
  /** `System Health: CPU usage (A)`: whose query it is, for a message. */
  readonly of: string;
  /** PromQL that a Prometheus can evaluate. */
  readonly expr: string;
}

/** As much of Grafana's v1 JSON as a test reads. */
export interface GrafanaJson {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly editable: boolean;
  readonly refresh: string;
  readonly schemaVersion: number;
  readonly time: { readonly from: string; readonly to: string };
  readonly links: readonly { readonly type: string; readonly tags: readonly string[] }[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string; readonly query: string }[];
  };
  readonly annotations: { readonly list: readonly GrafanaAnnotation[] };
  readonly panels: readonly GrafanaPanel[];
}

export interface GrafanaAnnotation {
  readonly name: string;
  readonly expr?: string;
  readonly titleFormat?: string;
  readonly textFormat?: string;
  /** The value is when it was, in milliseconds. */
  readonly useValueForTime?: boolean;
  readonly datasource: { readonly type: string; readonly uid: string };
}

export interface GrafanaPanel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description: string;
  readonly datasource: { readonly type: string; readonly uid: string };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly links?: readonly { readonly url: string }[];
  readonly targets: readonly {
    readonly refId: string;
    readonly expr: string;
    readonly legendFormat: string;
    readonly interval?: string;
    readonly instant?: boolean;
    readonly range?: boolean;
    readonly datasource: { readonly type: string; readonly uid: string };
  }[];
  readonly fieldConfig: {
    readonly defaults: {
      readonly unit: string;
      readonly mappings?: readonly { readonly options: Readonly<Record<string, { readonly text: string }>> }[];
      readonly thresholds: {
        readonly steps: readonly { readonly value: number | null; readonly color: string }[];
      };
    };
  };
}

export const grafanaJsonOf = ({ json }: Pick<Dashboard, "json">): GrafanaJson => JSON.parse(json);

/** Every query of a dashboard's panels as its JSON has it, with Grafana's variables filled in. */
export const panelQueries = (dashboard: Pick<Dashboard, "json">, values: GrafanaValues): readonly PanelQuery[] => {
  const { title, panels } = grafanaJsonOf(dashboard);
  return panels.flatMap((panel) =>
    panel.targets.map(({ refId, expr }) => filled(`${title}: ${panel.title} (${refId})`, expr, values)),
  );
};

/** The queries of its annotations. That one finds nothing is no fault: nothing happened. */
export const annotationQueries = (dashboard: Pick<Dashboard, "json">, values: GrafanaValues): readonly PanelQuery[] => {
  const { title, annotations } = grafanaJsonOf(dashboard);
  return annotations.list.flatMap(({ name, expr }) =>
    expr === undefined ? [] : [filled(`${title}: annotation ${name}`, expr, values)],
  );
};

function filled(of: string, text: string, { rateInterval, range }: GrafanaValues): PanelQuery {
  const expr = text.replaceAll("$__rate_interval", rateInterval).replaceAll("$__range", range);
  // `$1` is a group of label_replace: Grafana leaves it alone, since no variable is called so.
  const unknown = /\$(?!\d)\{?\w+\}?/.exec(expr)?.[0];
  if (unknown !== undefined)
    throw new Error(`${of}: got ${unknown}; allowed: $__rate_interval, $__range (nothing fills in any other)`);
  return { of, expr };
}
