import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { monitoringTools } from "../../local/debian/monitoring-tools.ts";
import { places } from "../../local/places.ts";
import { outcomeOf } from "../../local/run.ts";
import type { Alert, Story } from "../../monitoring/alerts/alert.ts";
import { sampled } from "../../monitoring/alerts/stories/timeline.ts";
import { Clock } from "../../monitoring/clock.ts";
import { application } from "../../monitoring/metrics/application.ts";
import type { Metric } from "../../monitoring/metrics/metric.ts";
import type { Recording } from "../../monitoring/rules/recording.ts";
import { recordings } from "../../monitoring/rules/recordings.ts";
import { alertingRule, annotations, recordingRule, ruleLabels } from "../../monitoring/rules/render.ts";
import type { Rule } from "../../monitoring/rules/rule.ts";
import type { MonitoredStack } from "../../monitoring/stack.ts";

/** promtool's test files, made of the same values as the rules. Times are the real ones. */
const real = new Clock();

/** One test of promtool's: series go in, and at some times this must be what rules made of them. */
export interface PromtoolTest {
  readonly name: string;
  readonly interval: string;
  readonly input_series: readonly { readonly series: string; readonly values: string }[];
  readonly promql_expr_test: readonly PromqlTest[];
  readonly alert_rule_test: readonly AlertTest[];
}

export interface PromqlTest {
  readonly expr: string;
  readonly eval_time: string;
  readonly exp_samples: readonly { readonly labels: string; readonly value: number }[];
}

interface AlertTest {
  readonly alertname: string;
  readonly eval_time: string;
  readonly exp_alerts: readonly {
    readonly exp_labels: Readonly<Record<string, string>>;
    readonly exp_annotations: Readonly<Record<string, string>>;
  }[];
}

/** Rules and the tests that are held against them, in groups that are evaluated in this order. */
export interface PromtoolCase {
  readonly name: string;
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
  readonly tests: readonly PromtoolTest[];
}

/** The records that an alert reads, and those that these read, in the order in which they are computed. */
export function recordingsFor(stack: MonitoredStack, metrics: readonly Metric[]): readonly Recording[] {
  const all = recordings(stack);
  const wanted = new Set(metrics.map(({ name }) => name));
  for (const { record, expr } of all.toReversed())
    if (wanted.has(record.name)) for (const metric of expr.metrics) wanted.add(metric.name);
  return all.filter(({ record }) => wanted.has(record.name));
}

/** Every metric that an alert is made of in the end: its own, and those of the records that it reads. */
export function measuredBy(stack: MonitoredStack, alert: Alert): ReadonlySet<Metric> {
  const read = recordingsFor(stack, alert.expr.metrics);
  const records = new Set(read.map(({ record }) => record.name));
  const metrics = [...alert.expr.metrics, ...read.flatMap(({ expr }) => expr.metrics)];
  return new Set(metrics.filter(({ name }) => !records.has(name)));
}

/**
 * An alert with the records that it reads, and what each of its stories asks of it. It may fire `early` seconds before its time,
 * for a Prometheus whose windows are shorter by a sample.
 */
export function caseOf(alert: Alert, stack: MonitoredStack, early: number): PromtoolCase {
  return {
    name: alert.name,
    groups: [
      { name: "records", rules: recordingsFor(stack, alert.expr.metrics).map((each) => recordingRule(each, real)) },
      { name: "alerts", rules: [alertingRule(alert, stack, real)] },
    ].filter(({ rules }) => rules.length > 0),
    tests: alert.stories.flatMap((story) => [
      asTold(alert, story, stack, early),
      // What is silent anyway proves nothing in another shape.
      ...(story.begins === undefined ? [] : variants(alert, story, story.begins + alert.for, stack)),
    ]),
  };
}

/** The labels with which the alert of a story fires. */
export const firingLabels = (alert: Alert, story: Story, stack: MonitoredStack): Readonly<Record<string, string>> => ({
  ...story.labels,
  ...ruleLabels(alert, stack),
  alertname: alert.name,
});

/** Exactly as it is told: silent before, one alert with exactly these labels at its time, gone again. */
function asTold(alert: Alert, story: Story, stack: MonitoredStack, early: number): PromtoolTest {
  const firing = { ...firingLabels(alert, story, stack), alertstate: "firing" };
  const { begins, resolved, description } = story;
  if (begins === undefined) return test(alert, story, "as told", story.series, [neverFired(alert, lengthOf(story))]);
  const fires = begins + alert.for;
  return {
    ...test(alert, story, "as told", story.series, [
      ...(fires < sampled + early ? [] : [neverFired(alert, fires - sampled - early)]),
      {
        expr: firingNow(alert),
        eval_time: at(fires),
        exp_samples: [{ labels: metricText("ALERTS", firing), value: 1 }],
      },
      ...(resolved === undefined
        ? []
        : [{ expr: firingNow(alert), eval_time: at(resolved + (alert.keepFiringFor ?? 0)), exp_samples: [] }]),
    ]),
    alert_rule_test:
      description === undefined
        ? []
        : [
            {
              alertname: alert.name,
              eval_time: at(fires),
              exp_alerts: [
                {
                  exp_labels: without(firing, "alertname", "alertstate"),
                  exp_annotations: { ...annotations(alert), description },
                },
              ],
            },
          ],
  };
}

const variants = (alert: Alert, story: Story, fires: number, stack: MonitoredStack): readonly PromtoolTest[] => [
  withLabelMore(alert, story, fires, stack),
  ...withoutRequests(alert, story),
];

/** An exporter that adds a label must break no join: the alert comes all the same, whatever labels it has beside its own. */
function withLabelMore(alert: Alert, story: Story, fires: number, stack: MonitoredStack): PromtoolTest {
  const more = Object.fromEntries(
    Object.entries(story.series).map(([series, values]) => [withLabel(series, "shard", "7"), values]),
  );
  const labels = { ...firingLabels(alert, story, stack), alertstate: "firing" };
  return test(alert, story, "with a label more", more, [
    { expr: `count(${metricText("ALERTS", labels)})`, eval_time: at(fires), exp_samples: [{ labels: "{}", value: 1 }] },
  ]);
}

const requestCounters = [application.requests, application.requestDuration].map(({ name }) => name);
const countsRequests = (series: string) => requestCounters.some((name) => series.startsWith(name));

/** With nobody asking for anything, what is made of requests must be silent: no number is not a bad number. */
function withoutRequests(alert: Alert, story: Story): readonly PromtoolTest[] {
  const series = Object.entries(story.series);
  if (!series.some(([name]) => countsRequests(name))) return [];
  const still = Object.fromEntries(
    series.map(([name, values]) => [name, countsRequests(name) ? `5x${samplesIn(values) - 1}` : values]),
  );
  return [test(alert, story, "without requests", still, [neverFired(alert, lengthOf(story))])];
}

const test = (
  alert: Alert,
  story: Story,
  variant: string,
  series: Story["series"],
  promql: readonly PromqlTest[],
): PromtoolTest => ({
  name: `${alert.name} ${story.title}, ${variant}`,
  interval: at(sampled),
  input_series: inputSeries(series),
  promql_expr_test: promql,
  alert_rule_test: [],
});

// promtool evaluates nothing without any series.
const inputSeries = (series: Story["series"]) => {
  const given = Object.entries(series).map(([name, values]) => ({ series: name, values }));
  return given.length > 0 ? given : [{ series: "nothing", values: "0x1" }];
};

const at = (seconds: number) => `${seconds}s`;

const firingNow = ({ name }: Alert) => `ALERTS{alertname="${name}",alertstate="firing"}`;

/** At no evaluation until then. */
const neverFired = (alert: Alert, until: number): PromqlTest => ({
  expr: `count_over_time(${firingNow(alert)}[${until + sampled}s])`,
  eval_time: at(until),
  exp_samples: [],
});

export const metricText = (name: string, labels: Readonly<Record<string, string>>): string =>
  `${name}{${Object.entries(labels)
    .map(([label, value]) => `${label}=${JSON.stringify(value)}`)
    .join(", ")}}`;

const without = (labels: Readonly<Record<string, string>>, ...names: readonly string[]) =>
  Object.fromEntries(Object.entries(labels).filter(([name]) => !names.includes(name)));

function withLabel(series: string, label: string, value: string): string {
  const text = `${label}=${JSON.stringify(value)}`;
  if (!series.endsWith("}")) return `${series}{${text}}`;
  return series.endsWith("{}") ? `${series.slice(0, -1)}${text}}` : `${series.slice(0, -1)},${text}}`;
}

/** How many samples promtool makes of its shorthand: `1+2x3` are four, `_x3` three, `4 _ stale` one each. */
export function samplesIn(values: string): number {
  return values
    .trim()
    .split(/\s+/)
    .reduce((sum, token) => {
      const [, what = "", times] = /^(.*?)(?:x(\d+))?$/.exec(token) ?? [];
      if (times === undefined) return sum + 1;
      return sum + Number(times) + (what === "_" ? 0 : 1);
    }, 0);
}

/** Real seconds from a story's begin to its last sample. */
export function lengthOf({ series }: Pick<Story, "series">): number {
  return (Math.max(1, ...Object.values(series).map(samplesIn)) - 1) * sampled;
}

export interface PromtoolVerdict {
  readonly green: boolean;
  /** What promtool says of it where it is red. */
  readonly said: string;
}

/**
 * Runs one case by every promtool. A story that lasts for hours takes a second because each case brings no rules but those it needs, and a test
 * for each alert may run beside the others.
 */
export function runPromtool(directory: string, each: (early: number) => PromtoolCase): Promise<PromtoolVerdict> {
  return judged(async ({ name, early }) => {
    const own = join(directory, name);
    await mkdir(own, { recursive: true });
    return ["test", "rules", await writeCase(own, each(early))];
  });
}

async function writeCase(directory: string, { name, groups, tests }: PromtoolCase): Promise<string> {
  const rules = `${name}.rules.json`;
  const file = `${name}.test.json`;
  await writeFile(join(directory, rules), JSON.stringify({ groups }, undefined, 1));
  const whole = {
    rule_files: [rules],
    evaluation_interval: at(sampled),
    group_eval_order: groups.map((group) => group.name),
    tests,
  };
  await writeFile(join(directory, file), JSON.stringify(whole, undefined, 1));
  return join(directory, file);
}

/** What `promtool check rules` has to say, with every lint that it knows. */
export async function checkRules(directory: string, groups: PromtoolCase["groups"]): Promise<PromtoolVerdict> {
  await mkdir(directory, { recursive: true });
  const file = join(directory, "all.rules.json");
  await writeFile(file, JSON.stringify({ groups }));
  return judged(async () => ["check", "rules", "--lint=all", file]);
}

interface Promtool {
  readonly name: string;
  readonly path: string;
  /** Seconds by which it may see what rises before 2.42 does. */
  readonly early: number;
}

/** Rules are for both: what many clusters still run, and what stack `local` runs. */
const promtools: readonly Promtool[] = [
  { name: "promtool-2.42", path: monitoringTools.promtool, early: 0 },
  // Prometheus 3 leaves out the sample at a window's begin: what rises in a window is seen one evaluation earlier.
  { name: "promtool-3.5", path: join(places.bin, "promtool"), early: sampled },
];

async function judged(args: (promtool: Promtool) => Promise<readonly string[]>): Promise<PromtoolVerdict> {
  const verdicts = await Promise.all(
    promtools.map(async (promtool) => {
      const { code, stdout, stderr } = await outcomeOf(promtool.path, await args(promtool));
      return { green: code === 0, said: `${promtool.name}:\n${stdout}${stderr}` };
    }),
  );
  return { green: verdicts.every(({ green }) => green), said: verdicts.map(({ said }) => said).join("\n") };
}
