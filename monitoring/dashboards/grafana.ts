import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import {
  BigValueColorMode,
  BigValueGraphMode,
  BigValueJustifyMode,
  BigValueTextMode,
  GraphDrawStyle,
  type GraphFieldConfig,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  PercentChangeColorMode,
  SortOrder,
  TooltipDisplayMode,
  VisibilityMode,
  VizOrientation,
} from "@grafana/grafana-foundation-sdk/common";
import {
  AnnotationQueryBuilder,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  type Panel as GrafanaPanel,
  MappingType,
  PanelBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from "@grafana/grafana-foundation-sdk/dashboard";
// Types only: the builders of these three load the SDK's second model too, and double what every run must read.
import type { Dataquery } from "@grafana/grafana-foundation-sdk/prometheus";
import type { Options as StatOptions } from "@grafana/grafana-foundation-sdk/stat";
import type { Options as LinesOptions } from "@grafana/grafana-foundation-sdk/timeseries";
import { runbookUrl } from "../alerts/runbook.ts";
import { type Clock, minutes } from "../clock.ts";
import { times } from "../promql/expression.ts";
import type { Board, Limit, Mark, Panel, Query, Word } from "./panel.ts";

/** Which Prometheus is asked is chosen in Grafana: the same dashboard works wherever its data source has another uid. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana fills it in, not we.
const datasource = { type: "prometheus", uid: "${datasource}" };

/** Scraped once a minute, not every 15 s: Grafana must know, or its window holds one value only and no rate is in it. */
const slowJobs: readonly (string | undefined)[] = ["kubelet", "cadvisor"];

/** Where a dashboard is found: which application and stack it is of. */
export interface Identity {
  readonly uid: string;
  readonly tags: readonly string[];
}

/** `A` to `Z`: no panel has more queries. */
export const refId = (index: number): string => String.fromCharCode(65 + index);

/** A panel's id in its dashboard: its place, from 1. */
export const panelId = (index: number): number => index + 1;

/**
 * A dashboard as Grafana's provisioning takes it: v1 JSON, which Grafana 9 to 13 read. The same board gives the same text.
 * The SDK checks nothing and gives no ids, refIds and data sources: they are given here, and held by the unit tests.
 */
export function grafanaJson(board: Board, { uid, tags }: Identity, clock: Clock): string {
  const builder = new DashboardBuilder(board.title)
    .uid(uid)
    .description(board.description)
    .tags([...tags])
    .readonly()
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ from: board.from, to: "now" })
    .timezone("browser")
    .refresh("30s")
    .variables([new DatasourceVariableBuilder("datasource").label("Data source").type("prometheus")])
    .links([
      new DashboardLinkBuilder(tags[0] ?? "")
        .type(DashboardLinkType.Dashboards)
        .tags([...tags])
        .asDropdown(true)
        .keepTime(true),
    ])
    .annotations((board.marks ?? []).map((mark) => annotation(mark, clock)));
  board.panels.forEach((panel, index) => {
    builder.withPanel(panelBuilder(panel, index, clock));
  });
  // A line each, so that a preview's difference is readable.
  return `${JSON.stringify(builder.build(), undefined, 1)}\n`;
}

function panelBuilder(panel: Panel, index: number, clock: Clock): Builder<GrafanaPanel> {
  const builder = new PanelBuilder()
    .id(panelId(index))
    .title(panel.title)
    .description(panel.description)
    .datasource(datasource)
    .span(panel.width ?? 12)
    .height(8)
    .unit(panel.unit)
    .thresholds(thresholds(panel.limit))
    .targets(panel.queries.map((query, place) => target(query, place, panel.kind, clock)));
  if (panel.kind === "lines") builder.type("timeseries").min(0).options(linesOptions).custom(linesConfig(panel.limit));
  else builder.type("stat").options(statOptions);
  if (panel.decimals !== undefined) builder.decimals(panel.decimals);
  if (panel.words !== undefined) builder.mappings([mapping(panel.words)]);
  if (panel.runbook !== undefined)
    builder.links([
      new DashboardLinkBuilder("Runbook").type(DashboardLinkType.Link).url(runbookUrl(panel.runbook)).targetBlank(true),
    ]);
  return builder;
}

/** What a time series panel adds to the thresholds: where they are drawn. */
const linesConfig = (limit: Limit | undefined): GraphFieldConfig => ({
  drawStyle: GraphDrawStyle.Line,
  fillOpacity: 10,
  showPoints: VisibilityMode.Never,
  thresholdsStyle: {
    mode: limit === undefined ? GraphThresholdsStyleMode.Off : GraphThresholdsStyleMode.Dashed,
  },
});

const linesOptions: LinesOptions = {
  legend: {
    displayMode: LegendDisplayMode.List,
    placement: LegendPlacement.Bottom,
    showLegend: true,
    calcs: [],
  },
  tooltip: { mode: TooltipDisplayMode.Multi, sort: SortOrder.Descending },
};

const statOptions: StatOptions = {
  graphMode: BigValueGraphMode.None,
  colorMode: BigValueColorMode.Value,
  justifyMode: BigValueJustifyMode.Auto,
  textMode: BigValueTextMode.Auto,
  wideLayout: true,
  showPercentChange: false,
  percentChangeColorMode: PercentChangeColorMode.Standard,
  reduceOptions: { calcs: ["lastNotNull"], fields: "", values: false },
  orientation: VizOrientation.Auto,
};

function target({ expr, legend }: Query, place: number, kind: Panel["kind"], clock: Clock): Builder<Dataquery> {
  const isSlow = expr.metrics.some(({ source }) => slowJobs.includes(source.job));
  const query: Dataquery = {
    refId: refId(place),
    datasource,
    expr: expr.promql(clock),
    legendFormat: legend,
    instant: kind === "stat",
    range: kind === "lines",
    ...(isSlow ? { interval: clock.duration(minutes(1)) } : {}),
    // How the SDK tells queries from other objects; JSON has no functions.
    _implementsDataqueryVariant: () => {},
  };
  return { build: () => query };
}

function thresholds(limit: Limit | undefined): ThresholdsConfigBuilder {
  const [below, above, value] =
    limit === undefined
      ? (["green", undefined, 0] as const)
      : "atMost" in limit
        ? (["green", "red", limit.atMost] as const)
        : (["red", "green", limit.atLeast] as const);
  return new ThresholdsConfigBuilder()
    .mode(ThresholdsMode.Absolute)
    .steps([{ value: null, color: below }, ...(above === undefined ? [] : [{ value, color: above }])]);
}

const mapping = (words: Readonly<Record<number, Word>>) => ({
  type: MappingType.ValueToText as const,
  options: Object.fromEntries(
    Object.entries(words).map(([value, { text, colour }], index) => [value, { text, color: colour, index }]),
  ),
});

const annotation = ({ name, at, title, text }: Mark, clock: Clock): AnnotationQueryBuilder =>
  new AnnotationQueryBuilder()
    .name(name)
    .datasource(datasource)
    .enable(true)
    .iconColor("blue")
    // Grafana takes milliseconds.
    .expr(times(at, 1000).promql(clock))
    .step("15s")
    .titleFormat(title)
    .textFormat(text)
    .useValueForTime(true);
