import { catalogue } from "../../monitoring/metrics/catalogue.ts";
import { recordings } from "../../monitoring/rules/recordings.ts";
import { production } from "./alerts.ts";
import type { GrafanaJson, GrafanaPanel } from "./dashboards.ts";

/**
 * What a dashboard must keep, each rule under the name that grafana/dashboard-linter has for it; `golive-…` are ours.
 * Left out, since they are wrong for ours: template-job, template-instance, target-instance (every selector names its job and
 * its stack: a dashboard of one stack has nothing to choose), target-logql (no panel reads logs).
 */
export type DashboardRule = (dashboard: GrafanaJson) => readonly string[];

const datasource = ["$", "{datasource}"].join("");

/** What a panel of ours may be measured in, as Grafana names it. */
const units: readonly string[] = ["percentunit", "percent", "MBs", "Bps", "reqps", "ops", "s", "short", "none"];

const ofPanels =
  (problem: (panel: GrafanaPanel) => string | undefined): DashboardRule =>
  ({ panels }) =>
    panels.flatMap((panel) => problem(panel) ?? []);

const ofTargets = (problem: (expr: string) => string | undefined): DashboardRule =>
  ofPanels(({ title, targets }) =>
    targets.map(({ expr, refId }) => prefixed(`${title} (${refId})`, problem(expr))).find((each) => each !== undefined),
  );

const prefixed = (of: string, problem: string | undefined) => (problem === undefined ? undefined : `${of}: ${problem}`);

const doubles = (values: readonly string[]) => values.filter((each, index) => values.indexOf(each) !== index);

const isOurs = (each: { readonly datasource?: { readonly type: string; readonly uid: string } }) =>
  each.datasource?.type === "prometheus" && each.datasource.uid === datasource;

/** Selectors as written: the name of each metric and what is asked of its labels. */
export function selectors(expr: string): readonly { readonly name: string; readonly matchers: string }[] {
  const bare = expr.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""');
  const words = bare
    // Lists of labels are no metrics.
    .replaceAll(/\b(?:by|on|ignoring|without|group_left|group_right)\s*\([^)]*\)/g, " ")
    .matchAll(/([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(\{[^}]*\}|\()?/g);
  const operators = ["and", "or", "unless", "by", "on", "group_left", "group_right"];
  const windows = [...bare.matchAll(/\[[^\]]*\]/g)].map(({ index, 0: text }) => [index, index + text.length] as const);
  return [...words].flatMap(({ 1: name = "", 2: after = "" }) => {
    if (after === "(" || operators.includes(name)) return [];
    return /^(__rate_interval|__range|[0-9]*[smhdw]|e)$/.test(name) && windows.length > 0
      ? []
      : [{ name, matchers: after }];
  });
}

const counters = catalogue.filter(({ type }) => type === "counter").map(({ name }) => name);
const histograms = catalogue.filter(({ type }) => type === "histogram").map(({ name }) => name);
const cumulative = [
  ...counters,
  ...histograms.flatMap((name) => ["_bucket", "_count", "_sum"].map((end) => name + end)),
];

/** What rules record; it has no job. */
const recorded = new Set(recordings(production).map(({ record }) => record.name));

/** Names that series of the catalogue's metrics and of rules have. */
const known = new Set([
  ...recorded,
  ...catalogue.filter(({ type }) => type !== "histogram").map(({ name }) => name),
  ...cumulative,
]);

export const dashboardRules: Readonly<Record<string, DashboardRule>> = {
  "template-datasource": ({ templating: { list } }) =>
    list.some(({ name, type, query }) => name === "datasource" && type === "datasource" && query === "prometheus")
      ? []
      : ["no variable datasource of type datasource that lists Prometheus"],
  "template-unused": ({ templating: { list }, panels }) =>
    list
      .filter(({ name }) => !JSON.stringify(panels).includes(`$\{${name}}`))
      .map(({ name }) => `variable ${name} is used by no panel`),
  "panel-datasource": ofPanels((panel) =>
    isOurs(panel) && panel.targets.every(isOurs) ? undefined : `${panel.title}: datasource is not ${datasource}`,
  ),
  "annotation-datasource": ({ annotations: { list } }) =>
    list.filter((each) => !isOurs(each)).map(({ name }) => `annotation ${name}: datasource is not ${datasource}`),
  "panel-title-description": ofPanels(({ id, title, description }) =>
    title.trim() !== "" && /^[A-Z].{40,}\.$/s.test(description) && /(Normal|Objective): /.test(description)
      ? undefined
      : `panel ${id}: no title, or no description that says what it shows, and what is normal or its objective`,
  ),
  "panel-units": ofPanels(({ title, fieldConfig: { defaults } }) =>
    units.includes(defaults.unit) ? undefined : `${title}: unit ${defaults.unit}; allowed: ${units.join(", ")}`,
  ),
  "panel-no-targets": ofPanels(({ title, targets }) => (targets.length > 0 ? undefined : `${title}: no query`)),
  "target-rate-interval": ofTargets((expr) => {
    // A mean over all of an objective's period is the same wherever one zooms.
    const fixed = [...expr.matchAll(/(\w+)\([^()]*\[(?!\$__)[^\]]*\]\)/g)].filter(
      ([, name]) => name !== "avg_over_time",
    );
    return fixed.length === 0 ? undefined : `a window that does not follow the zoom: ${fixed[0]?.[0]}`;
  }),
  "target-counter-agg": ofTargets((expr) => {
    const bare = selectors(expr).filter(({ name }) => cumulative.includes(name));
    const rated = [...expr.matchAll(/(?:sum|avg) by \([^)]*\) \(rate\((\w+)\{/g)].length;
    return bare.length === rated ? undefined : "a counter that is not summed up after rate()";
  }),
  "target-histogram": ofTargets((expr) =>
    expr.split("histogram_quantile(").length - 1 ===
    [...expr.matchAll(/histogram_quantile\([0-9.]+, sum by \([^)]*\ble\)/g)].length
      ? undefined
      : "a quantile of buckets that are not summed by le",
  ),
  "target-job": ofTargets((expr) => {
    const loose = selectors(expr).find(
      ({ name, matchers }) => name !== "ALERTS" && !recorded.has(name) && !/\bjob=~?/.test(matchers),
    );
    return loose === undefined ? undefined : `${loose.name} is read from any job`;
  }),
  "golive-known-metric": ofTargets((expr) => {
    const unknown = selectors(expr).find(({ name }) => !known.has(name));
    return unknown === undefined ? undefined : `${unknown.name} is neither in the catalogue nor recorded by a rule`;
  }),
  "golive-legend": ofPanels(({ title, targets }) => {
    const legends = targets.map(({ legendFormat }) => legendFormat);
    return legends.some((each) => each === undefined || each.trim() === "") || doubles(legends).length > 0
      ? `${title}: a query without a legend of its own`
      : undefined;
  }),
  "golive-ids": ({ panels }) => [
    ...doubles(panels.map(({ id }) => String(id))).map((id) => `two panels have the id ${id}`),
    ...doubles(panels.map(({ title }) => title)).map((title) => `two panels are called ${title}`),
    ...panels.flatMap(({ title, targets }) =>
      doubles(targets.map(({ refId }) => refId)).map((refId) => `${title}: two queries have the refId ${refId}`),
    ),
    ...panels
      .filter(({ targets }) => targets.some(({ refId }) => !/^[A-Z]$/.test(refId)))
      .map(({ title }) => `${title}: a query without a refId`),
  ],
  "golive-grid": ({ panels }) => {
    const outside = panels.filter(({ gridPos: { x, y, w, h } }) => x < 0 || y < 0 || w < 1 || h < 1 || x + w > 24);
    const overlaps = panels.flatMap((one, index) =>
      panels.slice(index + 1).filter(({ gridPos: b }) => {
        const a = one.gridPos;
        return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
      }),
    );
    return [
      ...outside.map(({ title }) => `${title} is outside of the grid`),
      ...overlaps.map(({ title }) => `${title} lies on another panel`),
    ];
  },
  uneditable: ({ editable }) => (editable ? ["can be edited, and the next run would undo it"] : []),
  "golive-identity": ({ uid, title, description, tags }) =>
    /^[a-z0-9-]{1,40}$/.test(uid) && title !== "" && description !== "" && tags.length > 0
      ? []
      : ["no uid that Grafana takes, no title, no description or no tags"],
  "dashboard-refresh-interval": ({ refresh }) =>
    /^(30s|[0-9]+m)$/.test(refresh) ? [] : [`refresh ${refresh}: more often than every second scrape`],
  "dashboard-time-interval": ({ time: { from, to } }) =>
    /^now-[0-9]+[hd]$/.test(from) && to === "now" ? [] : [`opens with ${from} to ${to}`],
};
