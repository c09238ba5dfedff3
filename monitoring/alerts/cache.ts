import { minutes } from "../clock.ts";
import { redis } from "../metrics/redis.ts";
import { above, add, and, divide, equal, increase, maxBy, minBy, of, rate, sumBy } from "../promql/expression.ts";
import type { MonitoredStack } from "../stack.ts";
import type { Alert } from "./alert.ts";
import { causes } from "./causes.ts";
import { runbook } from "./runbook.ts";
import { serverGone } from "./server-gone.ts";
import { exporterOf, stretch, stretches } from "./stories/stretches.ts";
import { counter, series } from "./stories/timeline.ts";

/** What happens to Redis. */
export const cacheAlerts = (stack: MonitoredStack): readonly Alert[] =>
  stack.application.stores.redis === undefined
    ? []
    : [cacheDown(stack), cannotWrite(stack), memoryHigh(stack), rejectsConnections(stack), evicts(stack)];

const about = { team: "devops", labels: { cause: causes.cache } } as const;
const byNamespace = ["namespace"] as const;

function cacheDown(stack: MonitoredStack): Alert {
  const name = "CacheDown";
  return {
    name,
    severity: "critical",
    ...about,
    ...serverGone(stack, { up: redis.up, job: "redis", server: "Redis" }),
    summary: "The cache is down.",
    runbook: runbook("cache", name),
    source: "S1-53, issue 5",
    covers: [
      { kind: "StatefulSet", name: "redis" },
      { kind: "Deployment", name: "redis-exporter" },
    ],
  };
}

/** Redis that cannot write its append-only file refuses to take anything. */
function cannotWrite(stack: MonitoredStack): Alert {
  const name = "CacheCannotWrite";
  const { namespace } = stack;
  return {
    name,
    severity: "warning",
    ...about,
    expr: equal(minBy(byNamespace, of(redis.lastAppend, { namespace })), 0),
    for: minutes(2),
    summary: "Redis cannot write to its disk.",
    description:
      "Redis of {{ $labels.namespace }} could not write its append-only file (status {{ $value }}) and refuses every write.",
    runbook: runbook("cache", name),
    source: "issue 5; components/cache/statefulset.ts: appendonly",
    stories: [
      {
        title: "until it can again",
        series: stretches(redis.lastAppend, exporterOf(stack, "redis"), 1, 0, 1),
        begins: stretch,
        resolved: 2 * stretch,
        labels: { namespace },
        description: `Redis of ${namespace} could not write its append-only file (status 0) and refuses every write.`,
      },
      { title: "not while it can", series: stretches(redis.lastAppend, exporterOf(stack, "redis"), 1, 1) },
    ],
  };
}

/**
 * A full cache that evicts is a cache at work (allkeys-lru). One that is full and misses more than it finds is too small.
 * Without a limit `redis_memory_max_bytes` is 0, and there is nothing to be full.
 */
function memoryHigh(stack: MonitoredStack): Alert {
  const name = "CacheMemoryHigh";
  const { namespace } = stack;
  const window = minutes(15);
  const limit = above(maxBy(byNamespace, of(redis.memoryMax, { namespace })), 0);
  const full = divide(maxBy(byNamespace, of(redis.memoryUsed, { namespace })), limit);
  const hits = sumBy(byNamespace, rate(of(redis.keyspaceHits, { namespace }), window));
  const misses = sumBy(byNamespace, rate(of(redis.keyspaceMisses, { namespace }), window));
  const exporter = exporterOf(stack, "redis");
  const used = (max: number, ...values: readonly number[]) => ({
    ...stretches(redis.memoryMax, exporter, max, max, max),
    ...stretches(redis.memoryUsed, exporter, ...values),
  });
  const reads = (found: number, missed: number) => ({
    [series(redis.keyspaceHits.name, exporter)]: counter([found, 3 * stretch]),
    [series(redis.keyspaceMisses.name, exporter)]: counter([missed, 3 * stretch]),
  });
  return {
    name,
    severity: "warning",
    ...about,
    expr: and(above(full, 0.9), above(divide(misses, above(add(hits, misses), 0)), 0.5)),
    for: minutes(15),
    summary: "The cache is too small.",
    description:
      "Redis of {{ $labels.namespace }} uses {{ $value | humanizePercentage }} of its memory and misses more reads than it finds.",
    runbook: runbook("cache", name),
    source: "issue 5, Redis memory; redis-mixin RedisOutOfMemory",
    stories: [
      {
        title: "when it is full and misses most reads",
        series: { ...used(100, 50, 95, 50), ...reads(45, 55) },
        begins: stretch,
        resolved: 2 * stretch,
        labels: { namespace },
        description: `Redis of ${namespace} uses 95% of its memory and misses more reads than it finds.`,
      },
      {
        title: "not when it is full and finds every second read",
        series: { ...used(100, 99, 99, 99), ...reads(50, 50) },
      },
      { title: "not when there is room, whatever it misses", series: { ...used(100, 90, 90, 90), ...reads(1, 3) } },
      { title: "not without a limit", series: { ...used(0, 99, 99, 99), ...reads(1, 3) } },
      { title: "not when nobody reads", series: { ...used(100, 99, 99, 99), ...reads(0, 0) } },
    ],
  };
}

function rejectsConnections(stack: MonitoredStack): Alert {
  const name = "CacheRejectsConnections";
  const { namespace } = stack;
  const window = minutes(5);
  const rejected = increase(of(redis.rejectedConnections, { namespace }), window);
  const counted = series(redis.rejectedConnections.name, exporterOf(stack, "redis"));
  return {
    name,
    severity: "warning",
    ...about,
    expr: above(sumBy(byNamespace, rejected), 0),
    for: minutes(1),
    summary: "Redis refuses connections.",
    description:
      "Redis of {{ $labels.namespace }} refused {{ $value | humanize }} connections within 5 minutes: it has too many.",
    runbook: runbook("cache", name),
    source: "issue 5; redis-mixin RedisRejectedConnections",
    stories: [
      {
        title: "when it has too many",
        series: { [counted]: counter([0, stretch], [1, stretch], [0, stretch]) },
        begins: stretch + 15,
        resolved: 2 * stretch + window,
        labels: { namespace },
      },
      { title: "not for what it refused long ago", series: { [counted]: "500x160" } },
    ],
  };
}

function evicts(stack: MonitoredStack): Alert {
  const name = "CacheEvicts";
  const { namespace } = stack;
  const window = minutes(5);
  const evicted = increase(of(redis.evictedKeys, { namespace }), window);
  const counted = series(redis.evictedKeys.name, exporterOf(stack, "redis"));
  return {
    name,
    severity: "info",
    ...about,
    expr: above(sumBy(byNamespace, evicted), 0),
    for: minutes(15),
    summary: "Redis drops keys to make room.",
    description:
      "Redis of {{ $labels.namespace }} dropped {{ $value | humanize }} keys within 5 minutes, least used first.",
    runbook: runbook("cache", name),
    source: "issue 5, Redis memory",
    stories: [
      {
        title: "while it does",
        series: { [counted]: counter([0, stretch], [2, stretch], [0, stretch]) },
        begins: stretch + 15,
        resolved: 2 * stretch + window,
        labels: { namespace },
      },
      { title: "not for a few in one minute", series: { [counted]: counter([0, stretch], [2, 60], [0, stretch]) } },
    ],
  };
}
