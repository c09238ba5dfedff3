import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { taskflow } from "../../applications/taskflow.ts";
import { lineProgress } from "../../cli/progress.ts";
import { ensureMonitoringTools } from "../../local/debian/monitoring-tools.ts";
import { measure } from "../../rollout/gate/measure.ts";
import { type PromtoolCase, runPromtool } from "../support/promtool.ts";

/** Debian's promtool: the expressions that a step is judged by are held against what a real Prometheus makes of them. */

const minutes = (count: number) => count * 60;
/** The step was here, and it is judged so long after it. */
const stepped = minutes(90);
const passed = minutes(15);

let directory: string;
let asked: readonly string[];

beforeAll(async () => {
  await ensureMonitoringTools(lineProgress());
  directory = await mkdtemp(join(tmpdir(), "golive-measure-"));
  const { queries } = await measure(async () => 0, {
    application: taskflow,
    namespace: "production",
    candidate: "green",
    immediateSeconds: minutes(10),
    plannedSeconds: minutes(30),
    since: stepped,
    at: stepped + passed,
  });
  asked = queries.map(({ promql }) => promql);
});

afterAll(() => rm(directory, { recursive: true, force: true }));

/** The one expression that has all of these in it, and none of those. */
function expression(having: readonly string[], without: readonly string[] = []): string {
  const found = asked.filter(
    (each) => having.every((text) => each.includes(text)) && !without.some((text) => each.includes(text)),
  );
  expect(found.length).toBe(1);
  return found[0] ?? "";
}

const backend = (colour: string) => ['service="backend"', `colour="${colour}"`, "[15m]"];
const requests = (colour: string) => expression(backend(colour), ["5..", "_bucket"]);
const errors = (colour: string) => expression([...backend(colour), "5.."]);

const labelsOf = (colour: string, more: string) =>
  `{job="taskflow-backend",namespace="production",service="backend",colour="${colour}",version="1",pod="${colour}-0",instance="${colour}",method="GET",${more}}`;
const counter = (colour: string, more: string) => `http_requests_total${labelsOf(colour, more)}`;
const ok = (colour: string, route = "/api/tasks") => counter(colour, `route="${route}",status="200"`);
const failed = (colour: string, route = "/api/tasks") => counter(colour, `route="${route}",status="503"`);

const undelivered =
  'traefik_service_requests_total{job="gateway",service="production-taskflow-backend-green-http-80@kubernetesgateway",code="502",method="GET",protocol="http",instance="a",namespace="gateway",pod="t"}';

/** Samples every 15 s. */
const before = stepped / 15;
const after = passed / 15;
/** Nothing is there until so long after the step; then the series begins at a value and grows each 15 s. */
const bornAt = (seconds: number, value: number, each = 0) => `_x${before + seconds / 15} ${value}+${each}x${after}`;
const steady = (each: number) => `0+${each}x${before + after}`;

type Story = readonly [
  title: string,
  series: Readonly<Record<string, string>>,
  expected: readonly (readonly [expr: () => string, value: number | undefined])[],
];

const stories: readonly Story[] = [
  [
    "requests since the step, none from before it",
    { [ok("blue")]: steady(150) },
    [
      [() => requests("blue"), 150 * after],
      [() => errors("blue"), 0],
      [() => requests("green"), undefined],
      [() => errors("green"), undefined],
    ],
  ],
  [
    "one failure on each of three routes: each is a series of its own, born with it",
    {
      [ok("green")]: steady(15),
      [failed("green", "/a")]: bornAt(300, 1),
      [failed("green", "/b")]: bornAt(405, 1),
      [failed("green", "/c")]: bornAt(840, 1),
    },
    [
      [() => errors("green"), 3],
      [() => requests("green"), 15 * after + 3],
    ],
  ],
  [
    "the first requests of pods that were made after the step",
    { [ok("green")]: bornAt(15, 100) },
    [[() => requests("green"), 100]],
  ],
  [
    "the requests of a process that began anew after a crash",
    { [ok("green")]: `0+10x${before + 30} 5+10x${after - 31}` },
    [[() => requests("green"), 10 * 30 + 5 + 10 * (after - 31)]],
  ],
  [
    "not what was counted before Prometheus was away",
    { [ok("green")]: `0+10x${before - 40} _x50 5000+0x${after}` },
    [[() => requests("green"), 0]],
  ],
  [
    "no probes: pods that nobody else asks have had no requests, and no failures",
    {
      [ok("green", "/health")]: steady(10),
      [ok("green", "/ready")]: steady(10),
      [ok("green", "/metrics")]: steady(10),
    },
    [
      [() => requests("green"), 0],
      [() => errors("green"), 0],
      [() => requests("blue"), undefined],
    ],
  ],
  [
    "what the gateway could not deliver",
    {
      [undelivered]: bornAt(30, 7),
    },
    [[() => expression(["traefik_", "backend-green", "[15m]", "5.."]), 7]],
  ],
  [
    "the time of the newest sample of the colour that was read least lately",
    { [ok("green", "/health")]: `0+1x${before + after - 8}`, [ok("blue", "/health")]: steady(1) },
    [[() => expression(["timestamp("]), stepped + passed - 8 * 15]],
  ],
];

describe("what is measured counts", () => {
  it.each(stories)("%s", async (title, series, expected) => {
    const promtool: PromtoolCase = {
      name: title.replaceAll(/\W+/g, "-"),
      groups: [],
      tests: [
        {
          name: title,
          interval: "15s",
          input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
          alert_rule_test: [],
          promql_expr_test: expected.map(([expr, value]) => ({
            // A counter that begins anew is guessed between two samples: not to the last digit.
            expr: `round(${expr()})`,
            eval_time: `${stepped + passed}s`,
            exp_samples: value === undefined ? [] : [{ labels: "{}", value }],
          })),
        },
      ],
    };
    expect(await runPromtool(directory, () => promtool)).toEqual({
      green: true,
      said: expect.stringContaining("SUCCESS"),
    });
  });
});
