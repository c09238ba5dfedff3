import { describe, expect, it } from "vitest";
import type { Application } from "../../applications/application.ts";
import { taskflow } from "../../applications/taskflow.ts";
import { severities, teams } from "../../monitoring/alerts/alert.ts";
import { alertsOf } from "../../monitoring/alerts/all.ts";
import { burn, type Objective } from "../../monitoring/alerts/budget.ts";
import { expectedJobs } from "../../monitoring/alerts/jobs.ts";
import { runbook, runbookPages, runbookUrl } from "../../monitoring/alerts/runbook.ts";
import { burnt } from "../../monitoring/alerts/stories/burning.ts";
import { counter, gauge } from "../../monitoring/alerts/stories/timeline.ts";
import { crossing } from "../../monitoring/alerts/stories/traffic.ts";
import { Clock, days, hours, minutes } from "../../monitoring/clock.ts";
import { recordings } from "../../monitoring/rules/recordings.ts";
import { renderRules, ruleFiles, ruleLabels } from "../../monitoring/rules/render.ts";
import type { Rule } from "../../monitoring/rules/rule.ts";
import type { MonitoredStack } from "../../monitoring/stack.ts";
import { production } from "../support/alerts.ts";
import { samplesIn } from "../support/promtool.ts";
import { rag } from "../support/rag.ts";

const real = new Clock();
const stacks: Readonly<Record<string, MonitoredStack>> = {
  production,
  staging: { ...production, environment: "staging", namespace: "staging", databaseKind: "statefulset" },
  local: { ...production, environment: "local", namespace: "golive", databaseKind: "statefulset" },
  "a stack of another application": { ...production, application: rag, database: "rag", ladder: [] },
};
const alerts = Object.entries(stacks).flatMap(([stack, each]) =>
  alertsOf(each).map((alert) => ({ stack, alert, labels: ruleLabels(alert, each) })),
);

/** `taskflow` with other promises. */
const withObjectives = (changes: Partial<Application["objectives"]>): MonitoredStack => ({
  ...production,
  application: { ...taskflow, objectives: { ...taskflow.objectives, ...changes } },
});

const expressionsOf = (stack: MonitoredStack) =>
  new Map(renderRules(stack, real).flatMap(({ rules }) => rules.map((rule) => [nameOf(rule), rule.expr] as const)));
const nameOf = (rule: Rule) => ("alert" in rule ? rule.alert : rule.record);

describe("a budget", () => {
  const objective: Objective = { name: "errorPercent", percent: 99.9 };

  it("is watched over the windows and factors of the SRE workbook, which follow from 30 days", () => {
    expect(burn(objective, "fast")).toEqual({
      tiers: [
        { long: hours(1), short: minutes(5), factor: 14.4, threshold: 0.0144 },
        { long: hours(6), short: minutes(30), factor: 6, threshold: 0.006 },
      ],
      for: 150,
      exhausted: days(5),
    });
    expect(burn(objective, "slow")).toEqual({
      tiers: [
        { long: days(1), short: hours(2), factor: 3, threshold: 0.003 },
        { long: days(3), short: hours(6), factor: 1, threshold: 0.001 },
      ],
      for: hours(1),
      exhausted: days(30),
    });
  });

  it("of a week has windows that are as much shorter, and the same factors", () => {
    const { tiers } = burn({ ...objective, period: days(7) }, "fast");
    expect(tiers.map(({ long, factor }) => [long, factor])).toEqual([
      [days(7) / 720, 14.4],
      [days(7) / 120, 6],
    ]);
  });

  it.each([
    {
      percent: 90,
      message:
        "got 90 %; its alert at 14.4 times the allowed pace asks for more than 144 % bad events and could never fire; allowed: above 93.05555556 %",
    },
    { percent: 0, message: "got 0 %; allowed: above 0 and below 100" },
    { percent: 100, message: "got 100 %; allowed: above 0 and below 100" },
    { percent: Number.NaN, message: "got NaN %; allowed: above 0 and below 100" },
  ])("of an objective of $percent percent is refused, since its alert could never fire", ({ percent, message }) => {
    expect(() => burn({ ...objective, percent }, "fast")).toThrow(new RangeError(`objective errorPercent: ${message}`));
  });

  it("that can just be overspent is not refused", () => {
    expect(burn({ ...objective, percent: 93.1 }, "fast").tiers[0]?.threshold).toBeLessThan(1);
  });
});

describe("the objectives", () => {
  it("are read by the rules and stand nowhere else", () => {
    const usual = expressionsOf(production);
    const strict = expressionsOf(
      withObjectives({ errorPercent: 0.01, latencySeconds: 0.05, availabilityPercent: 99.999 }),
    );
    const other = [...usual].filter(([name, expr]) => strict.get(name) !== expr).map(([name]) => name);
    expect(other.sort()).toEqual([
      "AvailabilityBudgetFast",
      "AvailabilityBudgetSlow",
      "HighLatency",
      "RequestErrorBudgetFast",
      "RequestErrorBudgetSlow",
      // What nobody notices is a part of the objective.
      "RollbackSlow",
      "golive:slow:rate5m",
    ]);
  });

  it("on latency are refused where no bucket ends", () => {
    expect(() => ruleFiles(withObjectives({ latencySeconds: 0.15 }), real)).toThrow(
      "objectives.latencySeconds: got 0.15; allowed: a bound of http_request_duration_seconds: 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5",
    );
    // Prometheus 3 knows this bound by another name.
    expect(() => ruleFiles(withObjectives({ latencySeconds: 1 }), real)).toThrow("objectives.latencySeconds: got 1;");
  });

  it("ask for a service that answers requests", () => {
    const application = { ...taskflow, services: [] };
    expect(() => ruleFiles({ ...production, application }, real)).toThrow(
      "application taskflow has no HTTP service to watch",
    );
  });

  it("of rollbacks are the triggers", () => {
    const triggers: Application["triggers"] = {
      immediate: { errorPercent: 7, minutes: 11 },
      planned: { errorPercent: 3, minutes: 31, timesBaseline: 1.7 },
      canary: { errorPercent: 2, latencySeconds: 0.5, requests: 700 },
    };
    const stack = { ...production, application: { ...taskflow, triggers } };
    const rules = renderRules(stack, real).flatMap((group) => group.rules);
    const found = Object.fromEntries(rules.map((rule) => [nameOf(rule), rule]));
    expect(found.RollbackImmediate).toMatchObject({ expr: expect.stringContaining("> 0.07)"), for: "11m" });
    expect(found.RollbackPlanned).toMatchObject({ expr: expect.stringContaining("> 0.03)"), for: "31m" });
    expect(found.RollbackSlow).toMatchObject({ expr: expect.stringContaining("* 1.7)"), for: "31m" });
    // A quarter of the objective of 100 ms, as the gate has it.
    expect(found.RollbackSlow?.expr).toContain("+ 0.025)");
    expect(found.CanaryErrors?.expr).toContain("> 0.02)");
    expect(found.CanaryErrors?.expr).toContain(">= 700)");
    expect(found.CanarySlow?.expr).toContain("> 0.5)");
    expect(found.HighErrorRate?.expr).toContain("> 0.07)");
  });
});

describe("the records", () => {
  const all = recordings(production);

  it("have one name each, and the names that the release plan asks for (S0-71, S0-72)", () => {
    const names = all.map(({ record }) => record.name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(expect.arrayContaining(["error_rate", "latency_p95", "golive:baseline:latency:p95"]));
  });

  it.each(all.map(({ record, expr }) => ({ name: record.name, record, expr })))(
    "have the labels that they say: $name",
    ({ record, expr }) => {
      expect([...expr.labels].sort()).toEqual([...record.labels].sort());
    },
  );

  it("read no record that is computed after them", () => {
    const known = new Set(all.map(({ record }) => record.name));
    const computed = new Set<string>();
    for (const { record, expr } of all) {
      const early = expr.metrics.filter(({ name }) => known.has(name) && !computed.has(name)).map(({ name }) => name);
      expect({ record: record.name, early }).toEqual({ record: record.name, early: [] });
      computed.add(record.name);
    }
  });

  it("are of this stack alone: every selector of a rule names the namespace where its series have one", () => {
    for (const { expr } of all)
      for (const [selector] of expr.promql(real).matchAll(/\b(golive:|http_)[a-z0-9_:]+(\{[^}]*\})?/g))
        if (!selector.startsWith("golive:public_host")) expect(selector).toContain('namespace="production"');
  });
});

describe.each(Object.keys(stacks))("every alert of %s", (name) => {
  const own = alerts.filter(({ stack }) => stack === name);

  it("has a name of its own", () => {
    const names = own.map(({ alert }) => alert.name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThan(30);
  });

  it.each(own)("is well formed: $alert.name", ({ alert, labels }) => {
    expect(alert.name).toMatch(/^([A-Z][a-z0-9]+)+$/);
    expect(severities).toContain(alert.severity);
    expect(teams).toContain(alert.team);
    expect(alert.summary).toMatch(/^[A-Z][^{}]*\.$/);
    expect(alert.source).not.toBe("");
    expect(alert.for).toBeGreaterThanOrEqual(0);
    // It asks a question: without a comparison it would fire for as long as there is anything.
    if (alert.name !== "Watchdog") expect(alert.expr.promql(real)).toMatch(/[<>]|[=!]= \d|absent/);
    // What its words name is there when it fires.
    expect(alert.description).toMatch(/\{\{[^}]*\$value/);
    const spoken = [...alert.description.matchAll(/\$labels\.([a-z_]+)/g)].map(([, label]) => label ?? "");
    expect([...alert.expr.labels, ...Object.keys(labels)]).toEqual(expect.arrayContaining(spoken));
    const [page = "", heading] = alert.runbook.split("#");
    expect(runbookPages).toContain(page);
    expect(heading).toBe(alert.name.toLowerCase());
    expect(alert.stories.some(({ begins }) => begins !== undefined)).toBe(true);
    // What inhibition compares.
    expect([...alert.expr.labels, ...Object.keys(labels)]).toContain("namespace");
    expect(labels.cause).toMatch(/^\S+$/);
  });
});

describe("the rules of a stack", () => {
  it("are a file for each concern, the application's own as S1-54 calls it", () => {
    const files = ruleFiles(production, real);
    expect(files.map(({ name, groups }) => [name, groups.map((group) => [group.name, group.interval])])).toEqual(
      [
        "taskflow-records",
        "taskflow-alerts",
        "taskflow-rollout-alerts",
        "taskflow-database-alerts",
        "taskflow-cache-alerts",
        "taskflow-node-alerts",
        "taskflow-cluster-alerts",
        "taskflow-monitoring-alerts",
      ].map((name) => [name, [[name, "15s"]]]),
    );
  });

  it("without a cache have no empty file of it", () => {
    const application = { ...taskflow, stores: {} };
    const names = ruleFiles({ ...production, application, database: undefined }, real).map(({ name }) => name);
    expect(names).not.toContain("taskflow-cache-alerts");
  });

  it("say who, how urgent, why and where to read on", () => {
    const [rule] = ruleFiles(production, real)
      .flatMap(({ groups }) => groups.flatMap(({ rules }) => rules))
      .filter((each) => nameOf(each) === "HighErrorRate");
    expect(rule).toMatchObject({
      for: "5m",
      labels: { severity: "critical", team: "oncall", cause: "errors" },
      annotations: {
        summary: "High error rate detected.",
        runbook_url: "https://github.com/golive/golive/blob/main/docs/runbooks/application.md#higherrorrate",
      },
    });
  });

  it("give an alert the namespace of the stack where its series have none, and a cause of its own where it shares none", () => {
    const find = (name: string) => alerts.find(({ stack, alert }) => stack === "production" && alert.name === name);
    expect(find("Watchdog")?.labels).toEqual({
      severity: "info",
      team: "devops",
      namespace: "production",
      cause: "Watchdog",
    });
    expect(find("ServiceDown")?.labels).toEqual({ severity: "critical", team: "oncall", cause: "ServiceDown" });
  });
});

describe("a clock that hurries", () => {
  const tokens = (speed: number) =>
    renderRules(production, new Clock(speed)).flatMap(({ name, interval, rules }) => [
      `${name} interval [${interval}]`,
      ...rules.map((rule) => `${nameOf(rule)} ${"alert" in rule ? `for [${rule.for}]` : ""} ${rule.expr}`),
    ]);
  const durations = (text: string) =>
    [...text.matchAll(/\[([0-9.]+)(ms|s|m|h|d)\]/g)].map(([, n, unit]) => milliseconds(Number(n), unit ?? ""));
  const milliseconds = (count: number, unit: string) =>
    count * ({ ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[unit] ?? Number.NaN);
  const slow = tokens(1);
  const fast = tokens(15);

  it("hurries every window, every wait and every evaluation by as much", () => {
    for (const [index, text] of slow.entries())
      expect([text, durations(fast[index] ?? "").map((each) => each * 15)]).toEqual([text, durations(text)]);
    expect(slow.flatMap(durations).length).toBeGreaterThan(100);
  });

  it("changes no number but seconds, and those by as much", () => {
    const numbers = (text: string) =>
      text.replaceAll(/\[[^\]]*\]/g, "[]").split(/(?<![\w.:])(\d+(?:\.\d+)?(?:e[+-]?\d+)?)(?![\w.:"])/);
    for (const [index, text] of slow.entries()) {
      const [before, after] = [numbers(text), numbers(fast[index] ?? "")];
      expect(after.length).toBe(before.length);
      for (const [at, part] of before.entries())
        if (part !== after[at]) expect([text, Number(part) / Number(after[at])]).toEqual([text, expect.closeTo(15, 6)]);
    }
  });
});

describe("the jobs that must be there", () => {
  it("are those of the stack's services and stores, and of what watches them", () => {
    expect(expectedJobs(production)).toEqual({
      own: [
        "taskflow-backend",
        "taskflow-frontend",
        "postgres",
        "postgres-operations",
        "cloudnative-pg",
        "redis",
        "rollout",
        "guard",
      ],
      shared: ["gateway", "node", "kubelet", "cadvisor", "probe", "prometheus", "alertmanager", "kube-state-metrics"],
    });
  });

  it("do not ask for what nobody publishes an image of for the throw-away cluster", () => {
    expect(expectedJobs({ ...production, environment: "local" }).shared).not.toContain("kube-state-metrics");
  });

  it("are fewer where a stack has no stores", () => {
    const application = { ...taskflow, stores: {} };
    expect(expectedJobs({ ...production, application, database: undefined }).own).toEqual([
      "taskflow-backend",
      "taskflow-frontend",
      "rollout",
      "guard",
    ]);
    expect(expectedJobs({ ...production, guarded: false }).own).not.toContain("guard");
  });
});

describe("a runbook's address", () => {
  it("is a heading on a page, named after the alert", () => {
    expect(runbook("database", "DatabaseDown")).toBe("database#databasedown");
    expect(runbookUrl("database#databasedown")).toMatch(/^https:\/\/.*\/docs\/runbooks\/database\.md#databasedown$/);
  });
});

describe("a story", () => {
  it("says what a gauge and a counter are, one sample every 15 s", () => {
    expect(gauge([1, 60], [0, 15], ["gone", 30], ["gone", 15])).toBe("1x3 0x0 stale _x1 stale");
    expect(counter([2, 60], ["gone", 30], [0, 30])).toBe("0+30x3 stale _x1 120+0x1");
    expect(() => gauge([1, 20])).toThrow("a story has a phase of 20 s; allowed: whole multiples of 15 s");
  });

  it("is as long as promtool takes its samples to be", () => {
    expect([samplesIn("1x3 0x0 stale _x1 stale"), samplesIn("0+30x3 _ 4"), samplesIn("7")]).toEqual([8, 6, 1]);
  });

  it("knows when a window has filled up with bad requests", () => {
    expect(crossing(0.5, 0.05, 300)).toBe(45);
    expect(crossing(0.2, 0.1, 300)).toBe(165);
    expect(() => crossing(0.05, 0.05, 300)).toThrow("a share of 0.05 never is above 0.05");
  });

  it("in which no budget burns for long enough is none", () => {
    const calm = [{ seconds: 3600, rate: 1, bad: 0 }];
    const burning = burn({ name: "errorPercent", percent: 99.9 }, "fast");
    expect(() => burnt(burning, calm, 10, { ratesOver: 300 })).toThrow(
      "the story's budget never burns for long enough, or to the end",
    );
  });
});
