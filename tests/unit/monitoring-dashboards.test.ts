import { describe, expect, it } from "vitest";
import { type Application, colours } from "../../applications/application.ts";
import { taskflow } from "../../applications/taskflow.ts";
import { alertsOf } from "../../monitoring/alerts/all.ts";
import { runbookUrl } from "../../monitoring/alerts/runbook.ts";
import { Clock } from "../../monitoring/clock.ts";
import { type Dashboard, dashboards } from "../../monitoring/dashboards/dashboards.ts";
import { catalogue } from "../../monitoring/metrics/catalogue.ts";
import { recordings } from "../../monitoring/rules/recordings.ts";
import type { MonitoredStack } from "../../monitoring/stack.ts";
import { dashboardRules, selectors } from "../support/dashboard-rules.ts";
import {
  annotationQueries,
  type GrafanaJson,
  type GrafanaPanel,
  grafanaJsonOf,
  panelQueries,
} from "../support/dashboards.ts";

const stackOf = (application: Application, over: Partial<MonitoredStack> = {}): MonitoredStack => ({
  application,
  environment: "production",
  namespace: "production",
  hostname: "taskflow.example.com",
  database: "taskflow",
  databaseKind: "statefulset",
  ladder: taskflow.ladders.final ?? [],
  ...over,
});

const stack = stackOf(taskflow);
const all = dashboards(stack);
const named = (name: string): Dashboard => {
  const found = all.find((each) => each.name === name);
  if (!found) throw new Error(`no dashboard ${name}`);
  return found;
};
const panelOf = (dashboard: Dashboard, title: string): GrafanaPanel => {
  const found = grafanaJsonOf(dashboard).panels.find((each) => each.title === title);
  if (!found) throw new Error(`no panel ${title} in ${dashboard.title}`);
  return found;
};

describe("the dashboards", () => {
  it("have the 17 panels that are asked for by name (S1-60..63), and the rollout's", () => {
    const titles = all.map((each) => [each.title, grafanaJsonOf(each).panels.map(({ title }) => title)] as const);
    expect(titles).toEqual([
      ["System Health", ["CPU usage", "Memory usage", "Disk I/O", "Network I/O", "Uptime"]],
      [
        "API Performance",
        ["Request rate (req/s)", "Response time (p50, p95, p99)", "Error rate (%)", "Throughput (MB/s)"],
      ],
      ["Database", ["Query latency (p95)", "Connections", "Transactions/sec", "Cache hit ratio"]],
      ["Business Metrics", ["Active users", "Tasks created/day", "Comments/day", "Time tracked/day"]],
      [
        "Rollout",
        [
          "Gate verdict",
          "Rung",
          "Soak left",
          "Candidate traffic: asked and measured",
          "Error ratio of candidate and stable",
          "Response time (p95) of candidate and stable",
          "Requests per colour",
        ],
      ],
    ]);
    expect(titles.slice(0, 4).flatMap(([, panels]) => panels)).toHaveLength(17);
  });

  it("keep their addresses: a link in a chat of last year still opens", () => {
    expect(all.map(({ uid, json }) => [uid, grafanaJsonOf({ json }).uid])).toEqual(
      ["system-health", "api-performance", "database", "business-metrics", "rollout"].map((name) => [
        `taskflow-production-${name}`,
        `taskflow-production-${name}`,
      ]),
    );
  });

  it("are refused where Grafana would not take their address", () => {
    expect(() => dashboards(stackOf({ ...taskflow, name: "an-application-of-yours" }))).toThrow(
      new RangeError(
        "uid of a dashboard: got an-application-of-yours-production-system-health, 48 characters; Grafana takes 40",
      ),
    );
  });

  it("are the same text for the same stack, and a small part of what a ConfigMap may hold", () => {
    expect(dashboards(stack).map(({ json }) => json)).toEqual(all.map(({ json }) => json));
    for (const { json } of all) expect(json.length).toBeLessThan(64 * 1024);
  });

  it("say in their facts what stands in their JSON", () => {
    for (const dashboard of all)
      expect(
        dashboard.panels.map(({ id, title, description, unit, queries }) => ({
          id,
          title,
          description,
          unit,
          queries: queries.map(({ refId, expr, legend }) => ({ refId, expr, legend })),
        })),
      ).toEqual(
        grafanaJsonOf(dashboard).panels.map(({ id, title, description, fieldConfig, targets }) => ({
          id,
          title,
          description,
          unit: fieldConfig.defaults.unit,
          queries: targets.map(({ refId, expr, legendFormat }) => ({ refId, expr, legend: legendFormat })),
        })),
      );
  });

  it("leave out what the stack has not", () => {
    const without = dashboards(stackOf({ ...taskflow, stores: {} }, { database: undefined }));
    expect(without.map(({ name }) => name)).toEqual(["system-health", "api-performance", "rollout"]);
    const noRedis = dashboards(
      stackOf({
        ...taskflow,
        stores: { postgresql: { database: { local: "a", staging: "a", production: "a" }, user: "a" } },
      }),
    );
    expect(JSON.stringify(noRedis)).not.toContain("redis");
  });

  it("read this stack alone", () => {
    for (const { panels } of all)
      for (const { queries } of panels)
        for (const { expr, metrics } of queries)
          for (const { name, matchers } of selectors(expr)) {
            const labels = metrics.find((metric) => name.startsWith(metric.name))?.labels ?? [];
            if (labels.includes("namespace")) expect(`${name}${matchers}`).toContain("namespace=");
          }
  });
});

describe("every panel", () => {
  it.each(Object.keys(dashboardRules))("keeps %s", (name) => {
    const found = all.flatMap((each) => dashboardRules[name]?.(grafanaJsonOf(each)) ?? []);
    expect(found).toEqual([]);
  });

  it("has only metrics of the catalogue, and what rules record", () => {
    const known = [...catalogue, ...recordings(stack).map(({ record }) => record)];
    for (const { panels } of all)
      for (const { queries } of panels)
        for (const { metrics } of queries) for (const metric of metrics) expect(known).toContain(metric);
  });

  it("tells its series apart: every label that they keep is in their name, and no other", () => {
    for (const { panels } of all)
      for (const { title, queries } of panels)
        for (const { legend, labels } of queries) {
          const inLegend = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label);
          expect([title, inLegend.sort()]).toEqual([title, [...labels].sort()]);
        }
  });

  it("asks Grafana for no window that holds one value only of what is scraped once a minute", () => {
    const intervals = (dashboard: Dashboard) =>
      grafanaJsonOf(dashboard).panels.flatMap(({ targets }) =>
        targets.map(({ expr, interval }) => [expr.includes('job="cadvisor"'), interval] as const),
      );
    for (const dashboard of all)
      for (const [slow, interval] of intervals(dashboard)) expect(interval).toBe(slow ? "1m" : undefined);
    expect(all.flatMap(intervals).filter(([slow]) => slow)).toHaveLength(2);
    const hurried = dashboards(stack, new Clock(15)).flatMap(intervals);
    expect(hurried.filter(([slow, interval]) => slow && interval === "4s")).toHaveLength(2);
  });

  it("leads to a runbook of an alert that there is", () => {
    const links = all.flatMap((each) =>
      grafanaJsonOf(each).panels.flatMap(({ title, links = [] }) => links.map(({ url }) => [title, url] as const)),
    );
    const runbooks = new Set(alertsOf(stack).map(({ runbook }) => runbookUrl(runbook)));
    expect(links.length).toBeGreaterThan(10);
    expect(links.filter(([, url]) => !runbooks.has(url))).toEqual([]);
  });

  it("says whom it watches: each colour of each service, the stores and the route", () => {
    const covers = all.flatMap(({ panels }) => panels.flatMap((panel) => panel.covers));
    const names = new Set(covers.map(({ kind, name }) => `${kind} ${name ?? "*"}`));
    expect([...names].sort()).toEqual([
      ...colours.map((colour) => `Deployment taskflow-backend-${colour}`),
      ...colours.map((colour) => `Deployment taskflow-frontend-${colour}`),
      "Gateway *",
      "HTTPRoute taskflow",
      "StatefulSet postgres",
      "StatefulSet redis",
    ]);
    const serverOf = (databaseKind: MonitoredStack["databaseKind"]) =>
      dashboards(stackOf(taskflow, { databaseKind })).flatMap(({ name, panels }) =>
        name === "database" ? panels.flatMap(({ covers }) => covers.map(({ kind }) => kind)) : [],
      );
    expect(serverOf("cloudnative-pg")).toEqual(["Cluster", "StatefulSet"]);
    expect(serverOf("external")).toEqual(["StatefulSet"]);
  });
});

describe("the objectives", () => {
  const lastStep = (dashboard: Dashboard, title: string) =>
    panelOf(dashboard, title).fieldConfig.defaults.thresholds.steps;
  const limits = (of: readonly Dashboard[]) => {
    const get = (name: string, title: string) => {
      const dashboard = of.find((each) => each.name === name);
      return dashboard && lastStep(dashboard, title);
    };
    return {
      availability: get("system-health", "Uptime"),
      errors: get("api-performance", "Error rate (%)"),
      latency: get("api-performance", "Response time (p50, p95, p99)"),
      queries: get("database", "Query latency (p95)"),
      canaryErrors: get("rollout", "Error ratio of candidate and stable"),
      canaryLatency: get("rollout", "Response time (p95) of candidate and stable"),
    };
  };
  const badAbove = (value: number) => [
    { value: null, color: "green" },
    { value, color: "red" },
  ];

  it("are where the panels turn red (S1-74..77, S0-71, S0-72)", () => {
    expect(limits(all)).toEqual({
      availability: [
        { value: null, color: "red" },
        { value: 0.9999, color: "green" },
      ],
      errors: badAbove(0.001),
      latency: badAbove(0.1),
      queries: badAbove(0.05),
      canaryErrors: badAbove(0.01),
      canaryLatency: badAbove(0.2),
    });
  });

  it("are the application's own: another one turns red elsewhere, and says so", () => {
    const other = dashboards(
      stackOf({
        ...taskflow,
        objectives: { availabilityPercent: 99, errorPercent: 2, latencySeconds: 0.5, querySeconds: 0.25 },
        triggers: { ...taskflow.triggers, canary: { errorPercent: 7, latencySeconds: 3, requests: 5 } },
      }),
    );
    expect(limits(other)).toEqual({
      availability: [
        { value: null, color: "red" },
        { value: 0.99, color: "green" },
      ],
      errors: badAbove(0.02),
      latency: badAbove(0.5),
      queries: badAbove(0.25),
      canaryErrors: badAbove(0.07),
      canaryLatency: badAbove(3),
    });
    const texts = other.flatMap(({ panels }) => panels.map(({ description }) => description)).join("\n");
    for (const said of ["99 % over 30 days", "at most 2 %", "within 0.5 s", "at most 0.25 s", "above 7 %", "above 3 s"])
      expect(texts).toContain(said);
  });
});

describe("the rollout's dashboard", () => {
  const rollout = named("rollout");

  it("marks each record of the ledger at its own time, whenever Prometheus first saw it", () => {
    expect(grafanaJsonOf(rollout).annotations.list).toEqual([
      expect.objectContaining({
        name: "Ledger",
        titleFormat: "{{kind}}: {{candidate}} at {{percent}} %",
        expr: '(max by (number, kind, candidate, percent) (golive_recorded_timestamp_seconds{job="rollout",application="taskflow",namespace="production"})) * 1000',
        useValueForTime: true,
      }),
    ]);
    for (const each of all) if (each !== rollout) expect(grafanaJsonOf(each).annotations.list).toEqual([]);
  });

  it("says the verdict in words, whichever number the query gives", () => {
    const [mapping] = panelOf(rollout, "Gate verdict").fieldConfig.defaults.mappings ?? [];
    const words = Object.entries(mapping?.options ?? {}).map(([value, { text }]) => [Number(value), text]);
    expect(words).toEqual([
      [0, "no rollout"],
      [1, "hold"],
      [2, "pass"],
      [3, "rollback"],
      [4, "tripped"],
    ]);
    const given = [...(panelOf(rollout, "Gate verdict").targets[0]?.expr ?? "").matchAll(/\* 0\) \+ ([0-9]+)\)/g)];
    expect(new Set(given.map(([, value]) => Number(value)))).toEqual(new Set(words.map(([value]) => value)));
  });

  it("names the ladder of the stack", () => {
    expect(panelOf(rollout, "Rung").description).toContain("10 % for 15 min, 50 % for 15 min, 100 % for 30 min");
  });
});

type Writable<T> = T extends object ? { -readonly [K in keyof T]: Writable<T[K]> } : T;
type Broken = Writable<GrafanaJson>;

const brokenOf = ({ json }: Dashboard): Broken => JSON.parse(json);
const panelAt = ({ panels }: Broken, index: number) => {
  const panel = panels[index];
  if (panel === undefined) throw new Error(`no panel ${index}`);
  return panel;
};
const firstTarget = (json: Broken) => {
  const [target] = panelAt(json, 0).targets;
  if (target === undefined) throw new Error("no target");
  return target;
};
const change = (json: Broken, was: string | RegExp, is: string) => {
  const target = firstTarget(json);
  const { expr } = target;
  target.expr = expr.replace(was, is);
  if (target.expr === expr) throw new Error(`${expr} has no ${was}`);
};

/** One way to break a dashboard for each rule. */
const breaks: Readonly<Record<string, (json: Broken) => void>> = {
  "template-datasource": (json) => {
    json.templating.list = [];
  },
  "template-unused": (json) => {
    json.templating.list.push({ name: "pod", type: "query", query: "label_values(pod)" });
  },
  "panel-datasource": (json) => {
    firstTarget(json).datasource.uid = "prometheus-1";
  },
  "annotation-datasource": (json) => {
    json.annotations.list.push({ name: "mine", datasource: { type: "prometheus", uid: "prometheus-1" } });
  },
  "panel-title-description": (json) => {
    panelAt(json, 0).description = "How much of the CPUs of all of the nodes is in use by somebody.";
  },
  "panel-units": (json) => {
    panelAt(json, 0).fieldConfig.defaults.unit = "nosuchunit";
  },
  "panel-no-targets": (json) => {
    panelAt(json, 0).targets = [];
  },
  "target-rate-interval": (json) => change(json, "$__rate_interval", "5m"),
  "target-counter-agg": (json) => change(json, "avg by (node) (rate(", "(rate("),
  "target-histogram": (json) => change(json, /^/, "histogram_quantile(0.9, rate(x_bucket[$__rate_interval])) or "),
  "target-job": (json) => change(json, 'job="node",', ""),
  "golive-known-metric": (json) => change(json, "node_cpu_seconds_total", "node_cpu"),
  "golive-legend": (json) => {
    firstTarget(json).legendFormat = "";
  },
  "golive-ids": (json) => {
    panelAt(json, 1).id = 1;
  },
  "golive-grid": (json) => {
    panelAt(json, 1).gridPos.x = 11;
  },
  uneditable: (json) => {
    json.editable = true;
  },
  "golive-identity": (json) => {
    json.uid = "System Health";
  },
  "dashboard-refresh-interval": (json) => {
    json.refresh = "5s";
  },
  "dashboard-time-interval": (json) => {
    json.time.to = "now-1h";
  },
};

describe("the rules", () => {
  it("have a break each", () => {
    expect(Object.keys(breaks).sort()).toEqual(Object.keys(dashboardRules).sort());
  });

  it.each(Object.entries(breaks))("%s finds its break", (name, breakIt) => {
    const json = brokenOf(named("system-health"));
    breakIt(json);
    expect(dashboardRules[name]?.(json)).toHaveLength(1);
  });
});

describe("the queries of a dashboard's panels", () => {
  const values = { rateInterval: "1m", range: "6h" };

  it("are those of every target, with Grafana's variables filled in", () => {
    for (const dashboard of all) {
      const queries = [...panelQueries(dashboard, values), ...annotationQueries(dashboard, values)];
      const targets = grafanaJsonOf(dashboard).panels.flatMap((panel) => panel.targets);
      expect(queries).toHaveLength(targets.length + grafanaJsonOf(dashboard).annotations.list.length);
      for (const { expr } of queries) expect(expr).not.toMatch(/\$__/);
    }
    expect(panelQueries(named("system-health"), values)).toContainEqual({
      of: "System Health: Uptime (B)",
      expr: 'min by (instance) (avg_over_time(probe_success{job="probe"}[6h]))',
    });
  });

  it("are refused with a variable that nothing fills in", () => {
    const json = brokenOf(named("system-health"));
    firstTarget(json).expr = "rate(node_cpu_seconds_total[$__interval])";
    expect(() => panelQueries({ json: JSON.stringify(json) }, values)).toThrow(
      "System Health: CPU usage (A): got $__interval; allowed: $__rate_interval, $__range (nothing fills in any other)",
    );
  });
});
