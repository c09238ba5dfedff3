import type { Cover } from "../alerts/alert.ts";
import { postgres } from "../metrics/postgres.ts";
import { redis } from "../metrics/redis.ts";
import { above, add, divide, maxBy, of, or, plus, subtract, sumBy, times, type Vector } from "../promql/expression.ts";
import { panelRate } from "../promql/panel-window.ts";
import type { MonitoredStack } from "../stack.ts";
import type { Board, Query } from "./panel.ts";
import { transactionLatency } from "./requests.ts";

/** S1-62, S1-77. `name`: of the PostgreSQL database. */
export function database(stack: MonitoredStack, name: string): Board {
  const { querySeconds } = stack.application.objectives;
  const { namespace } = stack;
  const here = { namespace, datname: name } as const;
  const perSecond = (counter: typeof postgres.commits) => sumBy([], panelRate(of(counter, here)));
  const redisReads: readonly Query[] =
    stack.application.stores.redis === undefined
      ? []
      : [
          {
            expr: hitRatio(
              sumBy([], panelRate(of(redis.keyspaceHits, { namespace }))),
              sumBy([], panelRate(of(redis.keyspaceMisses, { namespace }))),
            ),
            legend: "Redis",
          },
        ];
  return {
    name: "database",
    title: "Database",
    description: `PostgreSQL's database ${name} and the cache before it.`,
    from: "now-6h",
    panels: [
      {
        title: "Query latency (p95)",
        description: `Seconds within which 95 of 100 transactions end, by colour, as the services measure them from waiting for a connection until the commit; 0 without transactions. Objective: at most ${querySeconds} s.`,
        unit: "s",
        kind: "lines",
        queries: [{ expr: transactionLatency(stack), legend: "{{colour}}" }],
        limit: { atMost: querySeconds },
        runbook: "database#slowqueries",
      },
      {
        title: "Connections",
        description:
          "Connections to the server by state, and how many it takes beside those kept for a superuser. Normal: well below that line, few of them `idle in transaction`, which hold locks.",
        unit: "short",
        kind: "lines",
        queries: [
          { expr: sumBy(["state"], of(postgres.connections, { namespace })), legend: "{{state}}" },
          {
            expr: subtract(
              maxBy([], of(postgres.maxConnections, { namespace })),
              maxBy([], of(postgres.reservedConnections, { namespace })),
            ),
            legend: "allowed",
          },
        ],
        runbook: "database#databaseconnectionshigh",
        covers: server(stack),
      },
      {
        title: "Transactions/sec",
        description: `Transactions of ${name} a second, committed and rolled back. Normal: follows the request rate, and next to none is rolled back.`,
        unit: "ops",
        kind: "lines",
        queries: [
          { expr: perSecond(postgres.commits), legend: "committed" },
          { expr: perSecond(postgres.rollbacks), legend: "rolled back" },
        ],
        runbook: "database#databasedown",
      },
      {
        title: "Cache hit ratio",
        description: `Share of the reads that were answered from memory: blocks of ${name} in PostgreSQL's shared buffers, and keys in Redis. 100 % when nothing is read. Normal: PostgreSQL above 99 %, Redis steady; a fall of Redis lets queries rise.`,
        unit: "percentunit",
        kind: "lines",
        queries: [
          { expr: hitRatio(perSecond(postgres.blocksHit), perSecond(postgres.blocksRead)), legend: "PostgreSQL" },
          ...redisReads,
        ],
        ...(redisReads.length === 0
          ? {}
          : { runbook: "cache#cachememoryhigh", covers: [{ kind: "StatefulSet", name: "redis" }] as const }),
      },
    ],
  };
}

/** What the server is in the stack's own namespace; nothing where somebody else runs it. */
const server = ({ databaseKind }: MonitoredStack): readonly Cover[] =>
  databaseKind === "external"
    ? []
    : [{ kind: databaseKind === "cloudnative-pg" ? "Cluster" : "StatefulSet", name: "postgres" }];

/** 1 where nothing was read: nothing missed. */
const hitRatio = (hits: Vector<never>, misses: Vector<never>): Vector<never> =>
  or(divide(hits, above(add(hits, misses), 0)), plus(times(hits, 0), 1));
