import { hours, minutes } from "../clock.ts";
import { application } from "../metrics/application.ts";
import { postgres } from "../metrics/postgres.ts";
import {
  above,
  and,
  atLeast,
  buckets,
  count,
  divide,
  increase,
  maxBy,
  of,
  quantile,
  rate,
  subtract,
  sumBy,
  times,
} from "../promql/expression.ts";
import { byColour, now } from "../rules/records.ts";
import { httpServices, jobOf } from "../rules/requests.ts";
import type { MonitoredStack } from "../stack.ts";
import type { Alert, Cover } from "./alert.ts";
import { causes } from "./causes.ts";
import { runbook } from "./runbook.ts";
import { serverGone } from "./server-gone.ts";
import { exporterOf, stretch, stretches } from "./stories/stretches.ts";
import { counter, series } from "./stories/timeline.ts";
import { crossing, podOf } from "./stories/traffic.ts";

/** What PostgreSQL says of itself, and what the services find when they ask it. */
export const serverAlerts = (stack: MonitoredStack, database: string): readonly Alert[] => [
  databaseDown(stack),
  connectionsHigh(stack, database),
  deadlocks(stack, database),
  longTransaction(stack, database),
  slowQueries(stack),
];

const about = { team: "dba", labels: { cause: causes.database } } as const;

/** S1-57 by the exporter's own word: `up` of job postgres says that the exporter answers, not that the database does (V13). */
function databaseDown(stack: MonitoredStack): Alert {
  const name = "DatabaseDown";
  return {
    name,
    severity: "critical",
    ...about,
    ...serverGone(stack, { up: postgres.up, job: "postgres", server: "PostgreSQL" }),
    summary: "Database is down.",
    runbook: runbook("database", name),
    source: "S1-57, S1-70, V13",
    covers: [...server(stack), { kind: "Deployment", name: "postgres-exporter" }],
  };
}

function server({ databaseKind }: MonitoredStack): readonly Cover[] {
  if (databaseKind === "external") return [];
  return [{ kind: databaseKind === "statefulset" ? "StatefulSet" : "Cluster", name: "postgres" }];
}

/** The last connections are a superuser's: applications are refused before the server is full. */
function connectionsHigh(stack: MonitoredStack, database: string): Alert {
  const name = "DatabaseConnectionsHigh";
  const { namespace } = stack;
  const by = ["namespace", "instance"] as const;
  const allowed = subtract(of(postgres.maxConnections, { namespace }), of(postgres.reservedConnections, { namespace }));
  const used = sumBy(by, of(postgres.connections, { namespace }));
  const exporter = exporterOf(stack, "postgres");
  const limits = {
    ...stretches(postgres.maxConnections, exporter, 100, 100, 100),
    ...stretches(postgres.reservedConnections, exporter, 3, 3, 3),
  };
  const connected = (state: string) => ({ ...exporter, datname: database, state });
  return {
    name,
    severity: "warning",
    ...about,
    expr: above(maxBy(["namespace"], divide(used, above(maxBy(by, allowed), 0))), 0.8),
    for: minutes(5),
    summary: "PostgreSQL is about to refuse connections.",
    description:
      "{{ $value | humanizePercentage }} of the connections that PostgreSQL of {{ $labels.namespace }} gives to applications are taken.",
    runbook: runbook("database", name),
    source: "issue 5; postgres_mixin PostgreSQLHighConnectionUsage",
    stories: [
      {
        title: "when states together take more than four of five",
        series: {
          ...limits,
          ...stretches(postgres.connections, connected("active"), 10, 40, 10),
          ...stretches(postgres.connections, connected("idle"), 10, 38, 10),
        },
        begins: stretch,
        resolved: 2 * stretch,
        labels: { namespace },
        description: `80.41% of the connections that PostgreSQL of ${namespace} gives to applications are taken.`,
      },
      {
        title: "not just below four of five",
        series: { ...limits, ...stretches(postgres.connections, connected("idle"), 77, 77, 77) },
      },
    ],
  };
}

/** `increase` guesses what happened between samples and is never whole: half of one less is between the numbers. */
const leastDeadlocks = 3;

function deadlocks(stack: MonitoredStack, database: string): Alert {
  const name = "DatabaseDeadlocks";
  const { namespace } = stack;
  const window = minutes(15);
  const found = increase(of(postgres.deadlocks, { namespace, datname: database }), window);
  const story = (many: number, datname = database) => ({
    [series(postgres.deadlocks.name, { ...exporterOf(stack, "postgres"), datid: "16384", datname })]: counter(
      [0, stretch],
      [many / 15, 15],
      [0, stretch],
    ),
  });
  const seen = stretch + 15;
  return {
    name,
    severity: "warning",
    ...about,
    expr: above(sumBy(["namespace", "datname"], found), leastDeadlocks - 0.5),
    for: 0,
    summary: "Transactions wait for each other until one is ended.",
    description:
      "{{ $value | humanize }} deadlocks in database {{ $labels.datname }} of {{ $labels.namespace }} within 15 minutes; " +
      "each ended a transaction, and with it what a user asked for.",
    runbook: runbook("database", name),
    source: "issue 5; postgres_mixin PostgreSQLDeadLocks",
    stories: [
      {
        title: "when there were several",
        series: story(leastDeadlocks),
        begins: seen,
        resolved: seen + window,
        labels: { namespace, datname: database },
      },
      { title: "not for fewer", series: story(leastDeadlocks - 1) },
      { title: "not in a database of somebody else", series: story(20, "elsewhere") },
    ],
  };
}

/**
 * Older than any of ours: a backup holds its snapshot open for as long as its Job may run (2 h). The gauge is compared as it
 * is; upstream's alert takes the rate() of it.
 */
function longTransaction(stack: MonitoredStack, database: string): Alert {
  const name = "LongTransaction";
  const { namespace } = stack;
  const oldest = of(postgres.longestTransaction, { namespace, datname: database });
  const exporter = { ...exporterOf(stack, "postgres"), datname: database };
  return {
    name,
    severity: "warning",
    ...about,
    expr: above(maxBy(["namespace", "datname", "state"], oldest), { seconds: hours(2) }),
    for: minutes(5),
    summary: "A transaction is open for too long.",
    description:
      "A transaction ({{ $labels.state }}) in database {{ $labels.datname }} of {{ $labels.namespace }} is open for " +
      "{{ $value | humanizeDuration }}: no row that was changed since can be cleaned up.",
    runbook: runbook("database", name),
    source: "issue 5; postgres_mixin PostgreSQLSlowQueries",
    stories: [
      {
        title: "when somebody left one open",
        series: stretches(postgres.longestTransaction, { ...exporter, state: "idle in transaction" }, 1, 7300, 0),
        begins: stretch,
        resolved: 2 * stretch,
        labels: { namespace, datname: database, state: "idle in transaction" },
        description: `A transaction (idle in transaction) in database ${database} of ${namespace} is open for 2h 1m 40s: no row that was changed since can be cleaned up.`,
      },
      {
        title: "not for a backup that takes nearly two hours",
        series: stretches(postgres.longestTransaction, { ...exporter, state: "active" }, 7200, 7200),
      },
      {
        title: "not in a database of somebody else",
        series: stretches(postgres.longestTransaction, { ...exporter, datname: "elsewhere", state: "active" }, 90_000),
      },
    ],
  };
}

/** Of fewer transactions within five minutes the 95th percentile is the slowest one, which says nothing of the others. */
const leastTransactions = 20;

/** As the services find it, waiting for a connection included. */
function slowQueries(stack: MonitoredStack): Alert {
  const name = "SlowQueries";
  const { querySeconds } = stack.application.objectives;
  const { namespace } = stack;
  const services = httpServices(stack.application);
  const mine = { job: { like: services.map((each) => jobOf(stack.application, each)).join("|") }, namespace };
  const transactions = application.transactionDuration;
  const p95 = quantile(0.95, sumBy([...byColour, "le"], rate(buckets(transactions, mine), now)));
  const many = atLeast(
    times(sumBy(byColour, rate(count(transactions, mine), now)), { seconds: now }),
    leastTransactions,
  );
  const [asks] = services;
  if (asks === undefined) throw new RangeError(`application ${stack.application.name} has no service that asks`);
  const pod = { ...podOf(stack, asks.name, "green"), query: "tasks" };
  const story = (perSecond: number, slow: number) => {
    const all = counter([perSecond, 3 * stretch]);
    const quick = counter([perSecond, stretch], [perSecond * (1 - slow), stretch], [perSecond, stretch]);
    const bucket = (le: string) => series(`${transactions.name}_bucket`, { ...pod, le });
    return {
      [series(`${transactions.name}_count`, pod)]: all,
      [bucket("0.025")]: counter([0, 3 * stretch]),
      [bucket(String(querySeconds))]: quick,
      [bucket(String(querySeconds * 2))]: all,
      [bucket("+Inf")]: all,
    };
  };
  const enough = (leastTransactions + 2) / now;
  return {
    name,
    severity: "warning",
    ...about,
    expr: and(above(p95, querySeconds), many),
    for: minutes(10),
    summary: "Database transactions are slow.",
    description:
      "5 of 100 database transactions of {{ $labels.service }} {{ $labels.colour }} in {{ $labels.namespace }} take longer than " +
      `{{ $value | humanizeDuration }}; the objective is ${querySeconds} s.`,
    runbook: runbook("database", name),
    source: "S1-77, issue 5",
    stories: [
      {
        title: "when a few more than five of a hundred are",
        series: story(10, 0.06),
        begins: stretch + crossing(0.06, 0.05, now),
        resolved: 2 * stretch + now,
        labels: { namespace, service: asks.name, colour: "green" },
      },
      {
        title: "when every second one of a few is",
        series: story(enough, 0.5),
        begins: stretch + crossing(0.5, 0.05, now),
        labels: { namespace, service: asks.name, colour: "green" },
      },
      { title: "not for four of a hundred", series: story(10, 0.04) },
      { title: "not for too few to judge by", series: story((leastTransactions - 2) / now, 0.5) },
    ],
  };
}
