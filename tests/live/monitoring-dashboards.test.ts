import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lineProgress } from "../../cli/progress.ts";
import { ensureMonitoringTools, monitoringTools } from "../../local/debian/monitoring-tools.ts";
import { outcomeOf } from "../../local/run.ts";
import { dashboards } from "../../monitoring/dashboards/dashboards.ts";
import { production } from "../support/alerts.ts";
import { annotationQueries, type PanelQuery, panelQueries } from "../support/dashboards.ts";

const values = { rateInterval: "1m", range: "5m" };
const all = dashboards(production);
const queries = all.flatMap((each) => [...panelQueries(each, values), ...annotationQueries(each, values)]);
const queryOf = (of: string): PanelQuery => {
  const found = queries.find((each) => each.of === of);
  if (!found) throw new Error(`no query ${of}; there are\n${queries.map((each) => each.of).join("\n")}`);
  return found;
};

/** Series as promtool takes them, one value every 15 s from time 0. */
type Series = Readonly<Record<string, string>>;
/** What a query gives after ten minutes, to three digits: the value of each series. */
type Answers = Readonly<Record<string, Readonly<Record<string, number>>>>;

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "golive-dashboards-"));
  await ensureMonitoringTools(lineProgress());
});
afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** What Prometheus' own evaluation finds wrong; nothing when every query answers as said. */
async function wrong(series: Series, answers: Answers): Promise<string> {
  const file = join(directory, "test.json");
  const test = {
    interval: "15s",
    input_series: Object.entries(series).map(([name, numbers]) => ({ series: name, values: numbers })),
    promql_expr_test: Object.entries(answers).map(([of, samples]) => ({
      expr: `round(${queryOf(of).expr}, 0.001)`,
      eval_time: "10m",
      exp_samples: Object.entries(samples).map(([labels, value]) => ({ labels, value })),
    })),
  };
  await writeFile(file, JSON.stringify({ rule_files: [], evaluation_interval: "15s", tests: [test] }));
  const { code, stdout, stderr } = await outcomeOf(monitoringTools.promtool, ["test", "rules", file]);
  return code === 0 ? "" : `${stdout}${stderr}`;
}

const pod = (service: string, colour: string) =>
  `job="taskflow-${service}",instance="${service}-${colour}:3000",namespace="production",pod="${service}-${colour}",service="${service}",colour="${colour}",version="1.0.0"`;

const pods: Series = Object.fromEntries(
  ["backend", "frontend"].flatMap((service) =>
    ["blue", "green"].map((colour) => [`up{${pod(service, colour)}}`, "1x60"]),
  ),
);

/** `each`: how many more of its requests there are every 15 s; all take between 20 and 50 ms, a body has 1 MB. */
function requests(service: string, colour: string, route: string, status: number, each: number): Series {
  const target = pod(service, colour);
  const request = `method="GET",route="${route}",status="${status}",${target}`;
  const rising = (step: number) => `0+${step}x60`;
  const bucket = (le: string, step: number): readonly [string, string] => [
    `http_request_duration_seconds_bucket{le="${le}",${request}}`,
    rising(step),
  ];
  return {
    [`http_requests_total{${request}}`]: rising(each),
    ...Object.fromEntries([bucket("0.02", 0), bucket("0.05", each), bucket("0.1", each), bucket("+Inf", each)]),
    [`http_response_size_bytes_total{method="GET",route="${route}/${status}",${target}}`]: rising(each * 1e6),
  };
}

interface Route {
  readonly candidate?: string;
  readonly percent?: string;
  readonly steppedAt?: number;
  readonly soak?: number;
  readonly tripped?: "blue" | "green";
}

const exporter = 'job="rollout",instance="rollout:9189",namespace="production",pod="rollout-1",application="taskflow"';

function route({ candidate = "green", percent = "10x60", steppedAt = 300, soak = 900, tripped }: Route = {}): Series {
  return {
    [`golive_candidate_traffic_percent{candidate="${candidate}",${exporter}}`]: percent,
    [`golive_stepped_timestamp_seconds{${exporter}}`]: `${steppedAt}x60`,
    [`golive_soak_seconds{${exporter}}`]: `${soak}x60`,
    [`golive_tripped{colour="blue",${exporter}}`]: `${Number(tripped === "blue")}x60`,
    [`golive_tripped{colour="green",${exporter}}`]: `${Number(tripped === "green")}x60`,
  };
}

const colour = (name: string) => `{colour="${name}"}`;
const service = (name: string) => `{service="${name}"}`;
const each = (name: string, of: string) => `{colour="${of}", service="${name}"}`;
const everywhere = (value: number) => ({
  [each("backend", "blue")]: value,
  [each("backend", "green")]: value,
  [each("frontend", "blue")]: value,
  [each("frontend", "green")]: value,
});

describe("a panel of what never happened", () => {
  it("shows 0, not `No data`, for pods that nobody called", async () => {
    const nobody: Answers = {
      "API Performance: Request rate (req/s) (A)": everywhere(0),
      "API Performance: Response time (p50, p95, p99) (A)": { [service("backend")]: 0, [service("frontend")]: 0 },
      "API Performance: Response time (p50, p95, p99) (B)": { [service("backend")]: 0, [service("frontend")]: 0 },
      "API Performance: Response time (p50, p95, p99) (C)": { [service("backend")]: 0, [service("frontend")]: 0 },
      "API Performance: Error rate (%) (A)": everywhere(0),
      "API Performance: Throughput (MB/s) (A)": everywhere(0),
      "Database: Query latency (p95) (A)": { [colour("blue")]: 0, [colour("green")]: 0 },
      "Rollout: Candidate traffic: asked and measured (C)": { [colour("blue")]: 0, [colour("green")]: 0 },
      "Rollout: Requests per colour (A)": { [colour("blue")]: 0, [colour("green")]: 0 },
      "Rollout: Error ratio of candidate and stable (A)": {
        [each("backend", "green")]: 0,
        [each("frontend", "green")]: 0,
      },
      "Rollout: Response time (p95) of candidate and stable (B)": {
        [each("backend", "blue")]: 0,
        [each("frontend", "blue")]: 0,
      },
    };
    expect(await wrong({ ...pods, ...route() }, nobody)).toBe("");
    // Counters that stand still are no traffic either, and a quantile of nothing is no number.
    const idle = Object.entries(requests("backend", "blue", "/api/tasks", 200, 15)).map(([name]) => [name, "7x60"]);
    expect(await wrong({ ...pods, ...route(), ...Object.fromEntries(idle) }, nobody)).toBe("");
  });

  it("shows no errors where nothing failed, and counts no probe as a request", async () => {
    const series = {
      ...pods,
      ...requests("backend", "blue", "/api/tasks", 200, 15),
      ...requests("backend", "blue", "/health", 200, 150),
      ...requests("backend", "green", "/metrics", 500, 150),
    };
    const answers: Answers = {
      "API Performance: Error rate (%) (A)": everywhere(0),
      "API Performance: Request rate (req/s) (A)": { ...everywhere(0), [each("backend", "blue")]: 1 },
      "API Performance: Throughput (MB/s) (A)": { ...everywhere(0), [each("backend", "blue")]: 1 },
    };
    // The response size has no status: its routes stand for themselves.
    const sizes = Object.fromEntries(
      Object.entries(series).filter(([name]) => !/size.*route="\/(health|metrics)/.test(name)),
    );
    expect(await wrong(sizes, answers)).toBe("");
  });

  it("shows disks and networks that a node has not as 0, and a cache that nobody read as one that missed nothing", async () => {
    const node = 'job="node",instance="10.0.0.1:9100",node="one"';
    const redis = 'job="redis",instance="redis:9121",namespace="production",pod="redis-0"';
    const postgres = 'job="postgres",instance="p:9187",namespace="production",pod="p",datid="1",datname="taskflow"';
    const series = {
      [`node_memory_MemTotal_bytes{${node}}`]: "8e9x60",
      [`redis_keyspace_hits_total{${redis}}`]: "5x60",
      [`redis_keyspace_misses_total{${redis}}`]: "1x60",
      [`pg_stat_database_blks_hit{${postgres}}`]: "0+9x60",
      [`pg_stat_database_blks_read{${postgres}}`]: "0+3x60",
    };
    const answers: Answers = {
      "System Health: Disk I/O (A)": { '{node="one"}': 0 },
      "System Health: Network I/O (B)": { '{node="one"}': 0 },
      "Database: Cache hit ratio (A)": { "{}": 0.75 },
      "Database: Cache hit ratio (B)": { "{}": 1 },
    };
    expect(await wrong(series, answers)).toBe("");
  });
});

describe("the panels of a rollout", () => {
  const underLoad = {
    ...pods,
    ...requests("backend", "blue", "/api/tasks", 200, 36),
    ...requests("backend", "green", "/api/tasks", 200, 9),
    ...requests("backend", "green", "/api/tasks", 500, 3),
  };

  it("hold the candidate against the stable colour, each with its own numbers", async () => {
    const candidate: Answers = {
      "Rollout: Error ratio of candidate and stable (A)": {
        [each("backend", "green")]: 0.25,
        [each("frontend", "green")]: 0,
      },
      "Rollout: Error ratio of candidate and stable (B)": {
        [each("backend", "blue")]: 0,
        [each("frontend", "blue")]: 0,
      },
      "Rollout: Candidate traffic: asked and measured (C)": { [colour("blue")]: 75, [colour("green")]: 25 },
      "Rollout: Requests per colour (A)": { [colour("blue")]: 2.4, [colour("green")]: 0.8 },
      "API Performance: Response time (p50, p95, p99) (A)": { [service("backend")]: 0.035, [service("frontend")]: 0 },
    };
    expect(await wrong({ ...underLoad, ...route() }, candidate)).toBe("");
  });

  it("follow the roles when they switch", async () => {
    expect(
      await wrong(
        { ...underLoad, ...route({ candidate: "blue" }) },
        {
          "Rollout: Error ratio of candidate and stable (A)": {
            [each("backend", "blue")]: 0,
            [each("frontend", "blue")]: 0,
          },
          "Rollout: Error ratio of candidate and stable (B)": {
            [each("backend", "green")]: 0.25,
            [each("frontend", "green")]: 0,
          },
        },
      ),
    ).toBe("");
  });

  it("do not take another stack's requests for theirs", async () => {
    const staging = Object.entries(underLoad).map(([name, numbers]) => [
      name.replaceAll('namespace="production"', 'namespace="staging"'),
      numbers,
    ]);
    expect(
      await wrong(
        { ...pods, ...Object.fromEntries(staging) },
        {
          "Rollout: Requests per colour (A)": { [colour("blue")]: 0, [colour("green")]: 0 },
          "API Performance: Error rate (%) (A)": everywhere(0),
        },
      ),
    ).toBe("");
  });

  const firing = (name: string, state = "firing", namespace = "production"): Series => ({
    [`ALERTS{alertname="${name}",alertstate="${state}",severity="critical",team="oncall",namespace="${namespace}"}`]:
      "1x60",
  });
  const measured: Series = {
    'golive:candidate:errors:ratio5m{namespace="production",service="backend",colour="green"}': "0x60",
  };

  it.each<[string, Series, number]>([
    ["no rollout at 0 %", route({ percent: "0x60" }), 0],
    ["hold while the soak lasts", route(), 1],
    ["pass when the soak is over", { ...route({ soak: 200 }), ...measured }, 2],
    ["hold when the soak is over and nothing is measured of the candidate", route({ soak: 200 }), 1],
    [
      "hold while an alert of another stack asks for a rollback",
      { ...route(), ...firing("CanaryErrors", "firing", "staging") },
      1,
    ],
    ["rollback while an alert asks for it, whatever the soak", { ...route(), ...firing("CanaryErrors") }, 3],
    ["hold while such an alert is only pending", { ...route(), ...firing("CanaryErrors", "pending") }, 1],
    ["hold while an alert fires that asks for no rollback", { ...route(), ...firing("DiskSpaceLow") }, 1],
    ["tripped before all else", { ...route({ tripped: "green" }), ...firing("RollbackImmediate") }, 4],
    ["hold when the other colour is the one that was tripped", route({ tripped: "blue" }), 1],
  ])("say %s", async (_, series, verdict) => {
    expect(await wrong(series, { "Rollout: Gate verdict (A)": { "{}": verdict } })).toBe("");
  });

  it("count the soak down to 0 and not below", async () => {
    expect(await wrong(route(), { "Rollout: Soak left (A)": { "{}": 600 } })).toBe("");
    expect(await wrong(route({ soak: 60 }), { "Rollout: Soak left (A)": { "{}": 0 } })).toBe("");
  });

  it("mark each record of the ledger at its time in milliseconds, once where two exporters tell of it", async () => {
    const record = (labels: string, seconds: number, from = exporter) => ({
      [`golive_recorded_timestamp_seconds{${labels},candidate="green",${from}}`]: `${seconds}x60`,
    });
    const step = 'number="4",kind="up",percent="50"';
    const series = {
      ...record(step, 300),
      ...record(step, 300, exporter.replaceAll("rollout-1", "rollout-2").replaceAll("rollout:", "other:")),
      ...record('number="5",kind="trip",percent="0"', 420.5),
      ...record('number="9",kind="up",percent="10"', 500, exporter.replace("production", "staging")),
    };
    const marks = {
      '{candidate="green", kind="up", number="4", percent="50"}': 300_000,
      '{candidate="green", kind="trip", number="5", percent="0"}': 420_500,
    };
    expect(await wrong(series, { "Rollout: annotation Ledger": marks })).toBe("");
  });
});

describe("every query", () => {
  it("is one that Prometheus takes, and is empty where there is nothing to see", async () => {
    expect(await wrong({}, Object.fromEntries(queries.map(({ of }) => [of, {}])))).toBe("");
  });

  it("is told apart from one that answers something else", async () => {
    expect(await wrong(route(), { "Rollout: Soak left (A)": { "{}": 601 } })).toContain("exp:");
  });
});
