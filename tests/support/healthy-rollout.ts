import type { Colour } from "../../applications/application.ts";
import { alertsOf } from "../../monitoring/alerts/all.ts";
import { expectedJobs } from "../../monitoring/alerts/jobs.ts";
import { readerOf } from "../../monitoring/alerts/stories/rollout.ts";
import { counter, gauge, type Phase, series } from "../../monitoring/alerts/stories/timeline.ts";
import { podOf, type Traffic, traffic } from "../../monitoring/alerts/stories/traffic.ts";
import { Clock, days, hours, minutes } from "../../monitoring/clock.ts";
import { rollout } from "../../monitoring/metrics/rollout.ts";
import { ruleSeries, targets } from "../../monitoring/metrics/targets.ts";
import { renderRules } from "../../monitoring/rules/render.ts";
import { httpServices, jobOf } from "../../monitoring/rules/requests.ts";
import type { MonitoredStack } from "../../monitoring/stack.ts";
import { measuredBy, metricText, type PromqlTest, type PromtoolCase } from "./promtool.ts";

/**
 * A day on which all goes well: blue alone for so long that there is a baseline, green from 0 over 10 and 50 to 100, and the
 * roles switched. Every metric that any alert reads has series in it, and no alert but the Watchdog may fire.
 */
const rungs = { alone: minutes(75), ten: minutes(15), fifty: minutes(15), all: minutes(30), switched: minutes(15) };
const { alone, ten, fifty, all, switched } = rungs;
const whole = alone + ten + fifty + all + switched;
/** When the pods of green are started: they do not answer at once. */
const started = alone - minutes(10);

/** Values of everything that a rollout does not move, by metric: what its series have beside the labels of their kind. */
type Values = readonly (readonly [labels: Readonly<Record<string, string>>, values: string])[];

const steady = (value: number, labels: Readonly<Record<string, string>> = {}): Values => [
  [labels, gauge([value, whole])],
];
const counted = (perSecond: number, labels: Readonly<Record<string, string>> = {}): Values => [
  [labels, counter([perSecond, whole])],
];

const GiB = 2 ** 30;
const disk = { device: "/dev/vda1", fstype: "ext4", mountpoint: "/" };
const primary = { pod: "postgres-1", instance: "10.0.0.11:9187" };
const replica = { pod: "postgres-2", instance: "10.0.0.12:9187" };

const healthy: Readonly<Record<string, Values>> = {
  probe_success: steady(1),
  probe_ssl_earliest_cert_expiry: steady(days(80)),
  golive_route_up: steady(1),
  golive_guard_withheld: steady(0),
  golive_guard_gateway_up: steady(1),
  golive_guard_route_up: steady(1),
  golive_tripped: [...steady(0, { colour: "blue" }), ...steady(0, { colour: "green" })],
  pg_up: steady(1),
  pg_stat_activity_count: [...steady(20, { state: "idle" }), ...steady(3, { state: "active" })],
  pg_settings_max_connections: steady(100),
  pg_settings_superuser_reserved_connections: steady(3),
  pg_stat_database_deadlocks: counted(0),
  pg_stat_activity_max_tx_duration: steady(0.2, { state: "active" }),
  cnpg_pg_replication_lag: [...steady(0, primary), ...steady(0.4, replica)],
  cnpg_pg_replication_is_wal_receiver_up: [...steady(0, primary), ...steady(1, replica)],
  cnpg_pg_replication_in_recovery: [...steady(0, primary), ...steady(1, replica)],
  cnpg_pg_replication_streaming_replicas: [...steady(2, primary), ...steady(0, replica)],
  cnpg_collector_sync_replicas: [
    ...steady(1, { ...primary, value: "expected" }),
    ...steady(1, { ...primary, value: "observed" }),
  ],
  cnpg_pg_stat_archiver_failed_count: counted(0, primary),
  backup_last_success_timestamp_seconds: steady(0),
  database_first_migration_timestamp_seconds: steady(0),
  restore_drill_last_success_timestamp_seconds: steady(0),
  kube_job_status_start_time: steady(0, { job_name: "postgres-backup-28000000" }),
  kube_job_failed: steady(0, { job_name: "postgres-backup-28000000", condition: "true" }),
  redis_up: steady(1),
  redis_aof_last_write_status: steady(1),
  redis_memory_used_bytes: steady(0.4 * GiB),
  redis_memory_max_bytes: steady(GiB),
  redis_keyspace_hits_total: counted(90),
  redis_keyspace_misses_total: counted(10),
  redis_rejected_connections_total: counted(0),
  redis_evicted_keys_total: counted(0),
  node_filesystem_avail_bytes: steady(60 * GiB, disk),
  node_filesystem_size_bytes: steady(100 * GiB, disk),
  node_filesystem_readonly: steady(0, disk),
  node_memory_MemAvailable_bytes: steady(8 * GiB),
  node_memory_MemTotal_bytes: steady(16 * GiB),
  node_cpu_seconds_total: counted(0.6, { cpu: "0", mode: "idle" }),
  kubelet_volume_stats_available_bytes: steady(70 * GiB, { persistentvolumeclaim: "data-postgres-1" }),
  kubelet_volume_stats_capacity_bytes: steady(100 * GiB, { persistentvolumeclaim: "data-postgres-1" }),
  // The Deployment of green is rolled once: for a minute none of its pods is there.
  kube_deployment_spec_replicas: steady(3),
  kube_deployment_status_replicas_available: [[{}, gauge([3, started], [0, 60], [3, whole - started - 60])]],
  kube_deployment_status_replicas_updated: [[{}, gauge([3, started], [0, 60], [3, whole - started - 60])]],
  kube_statefulset_replicas: steady(1),
  kube_statefulset_status_replicas_ready: steady(1),
  kube_statefulset_status_replicas_updated: steady(1),
  kube_daemonset_status_desired_number_scheduled: steady(3),
  kube_daemonset_status_number_ready: steady(3),
  kube_horizontalpodautoscaler_status_current_replicas: steady(3),
  kube_horizontalpodautoscaler_spec_min_replicas: steady(3),
  kube_horizontalpodautoscaler_spec_max_replicas: steady(9),
  kube_pod_container_status_restarts_total: counted(0, { container: "backend" }),
  kube_pod_container_status_waiting_reason: steady(0, { container: "backend", reason: "CrashLoopBackOff" }),
  kube_cronjob_next_schedule_time: steady(hours(5)),
  container_memory_working_set_bytes: steady(0.1 * GiB, { container: "backend" }),
  container_spec_memory_limit_bytes: steady(0.25 * GiB, { container: "backend" }),
  prometheus_rule_evaluation_failures_total: counted(0, { rule_group: "taskflow-alerts" }),
  alertmanager_notifications_failed_total: counted(0, { integration: "email" }),
  prometheus_notifications_dropped_total: counted(0),
};

/** What moves with the rollout, and so has its series from elsewhere. */
const moving = (stack: MonitoredStack): Readonly<Record<string, string>> =>
  Object.assign({}, requests(stack), route(stack), ups(stack), transactions(stack));

const weightsOf = {
  asked: [
    [0, alone],
    [10, ten],
    [50, fifty],
    [100, all],
  ],
} as const satisfies Record<string, readonly Phase[]>;

function route(stack: MonitoredStack) {
  const reader = readerOf(stack);
  const green = [...weightsOf.asked, [100, switched]] as const;
  const soaks = [0, 15, 15, 30, 0].map(minutes);
  const begins = [0, alone, alone + ten, alone + ten + fifty, whole - switched];
  const lasting = green.map(([, seconds]) => seconds);
  const each = (values: readonly number[]) =>
    gauge(...values.map((value, index): Phase => [value, lasting[index] ?? switched]));
  return {
    [series(rollout.candidateTraffic.name, { ...reader, candidate: "green" })]: gauge(...weightsOf.asked, [
      "gone",
      switched,
    ]),
    [series(rollout.candidateTraffic.name, { ...reader, candidate: "blue" })]: gauge(
      ["gone", whole - switched],
      [0, switched],
    ),
    [series(rollout.weight.name, { ...reader, colour: "green" })]: each(green.map(([percent]) => percent)),
    [series(rollout.weight.name, { ...reader, colour: "blue" })]: each(green.map(([percent]) => 100 - percent)),
    [series(rollout.soak.name, reader)]: each(soaks),
    [series(rollout.steppedAt.name, reader)]: each(begins),
  };
}

/** A few requests always fail or take long: a promise of 99.9 % is none of 100. */
const usual = { failed: 0.0002, slow: 0.01 };

function requests(stack: MonitoredStack) {
  const asked = (colour: Colour): readonly Traffic[] =>
    [...weightsOf.asked, [100, switched] as const].map(([percent, seconds]) => ({
      ...usual,
      seconds,
      rate: colour === "green" ? percent : 100 - percent,
    }));
  return Object.assign(
    {},
    ...httpServices(stack.application).flatMap(({ name }) => [
      traffic(stack, name, "blue", ...asked("blue")),
      traffic(stack, name, "green", ...asked("green")),
    ]),
  );
}

function ups(stack: MonitoredStack) {
  const { name } = targets.up;
  const services = httpServices(stack.application);
  const pods = services.flatMap((service) => [
    [series(name, podOf(stack, service.name, "blue")), gauge([1, whole])],
    [series(name, podOf(stack, service.name, "green")), gauge(["gone", started], [0, 30], [1, whole - started - 30])],
  ]);
  const { own, shared } = expectedJobs(stack);
  const jobs = services.map((service) => jobOf(stack.application, service));
  const others = [
    ...own.filter((job) => !jobs.includes(job)).map((job) => ({ job, namespace: stack.namespace, pod: `${job}-0` })),
    ...shared.map((job) => ({ job })),
  ].map((labels) => [series(name, { ...labels, instance: "10.0.0.7:9000" }), gauge([1, whole])]);
  return Object.fromEntries([...pods, ...others]);
}

function transactions(stack: MonitoredStack) {
  const [first] = httpServices(stack.application);
  const labels = { ...podOf(stack, first?.name ?? "", "blue"), query: "tasks" };
  const bucket = (le: string, perSecond: number) => [
    series("database_transaction_duration_seconds_bucket", { ...labels, le }),
    counter([perSecond, whole]),
  ];
  return Object.fromEntries([
    bucket("0.01", 90),
    bucket("0.05", 99),
    bucket("+Inf", 100),
    [series("database_transaction_duration_seconds_count", labels), counter([100, whole])],
  ]);
}

/** What a series of a kind has for each label unless it says otherwise. */
const defaults = (stack: MonitoredStack): Readonly<Record<string, string>> => ({
  ...readerOf(stack),
  instance: "10.0.0.7:9000",
  namespace: stack.namespace,
  pod: "some-pod",
  node: "node-1",
  database: stack.database ?? "",
  datname: stack.database ?? "",
  deployment: `${stack.application.name}-backend-green`,
  statefulset: "postgres",
  daemonset: "node-exporter",
  cronjob: "postgres-backup",
  horizontalpodautoscaler: `${stack.application.name}-backend-green`,
});

/** The series of one healthy rollout, and which metrics have none: a rule on those would be silent for that reason alone. */
export function healthyRollout(stack: MonitoredStack) {
  const moved = moving(stack);
  const names = new Set(Object.keys(moved).map((each) => each.replace(/(_bucket|_count|_sum)?\{.*$/, "")));
  const used = new Map(
    alertsOf(stack).flatMap((alert) => [...measuredBy(stack, alert)].map((metric) => [metric.name, metric] as const)),
  );
  // Prometheus writes ALERTS itself, of the rules that are tested.
  const still = [...used.values()].filter(({ name }) => !names.has(name) && name !== ruleSeries.alerts.name);
  const known = defaults(stack);
  const steadySeries = still.flatMap((metric) =>
    (healthy[metric.name] ?? []).map(([labels, values]) => {
      const all = Object.fromEntries(
        metric.labels.map((label) => [
          label,
          labels[label] ?? (label === "job" ? metric.source.job : known[label]) ?? "x",
        ]),
      );
      return [series(metric.name, all), values] as const;
    }),
  );
  return {
    series: { ...moved, ...Object.fromEntries(steadySeries) },
    missing: still.filter(({ name }) => healthy[name] === undefined).map(({ name }) => name),
    unused: Object.keys(healthy).filter((name) => !used.has(name)),
  };
}

/** All rules of the stack over that day: nobody is called, and what a rollout is judged by is there. */
export function healthyCase(stack: MonitoredStack): PromtoolCase {
  const at = (seconds: number) => `${seconds - 15}s`;
  const inCanary = { namespace: stack.namespace, service: httpServices(stack.application)[0]?.name ?? "" };
  const there = (expr: string, seconds: number): PromqlTest => ({
    expr: `count(${expr})`,
    eval_time: at(seconds),
    exp_samples: [{ labels: "{}", value: 1 }],
  });
  return {
    name: "healthy-rollout",
    groups: renderRules(stack, new Clock()),
    tests: [
      {
        name: "a rollout on which all goes well",
        interval: "15s",
        input_series: Object.entries(healthyRollout(stack).series).map(([name, values]) => ({ series: name, values })),
        alert_rule_test: [],
        promql_expr_test: [
          {
            expr: `count by (alertname) (count_over_time(ALERTS{alertstate="firing",alertname!="Watchdog"}[${whole}s]))`,
            eval_time: at(whole),
            exp_samples: [],
          },
          there('ALERTS{alertstate="firing",alertname="Watchdog"}', whole),
          there(
            `${metricText("golive:candidate:errors:ratio5m", { ...inCanary, colour: "green" })} < 0.001`,
            alone + ten,
          ),
          there(
            `${metricText("golive:candidate:latency:p95_5m", { ...inCanary, colour: "green" })} < 0.1`,
            alone + ten,
          ),
          there(`${metricText("golive:stable:errors:ratio5m", inCanary)} < 0.001`, alone + ten),
          there(`${metricText("golive:baseline:latency:p95", inCanary)} < 0.1`, whole),
          there(`golive:candidate:weight_percent{colour="green"} == 50`, alone + ten + fifty),
          there(`golive:stable:weight_percent{colour="blue"} == 50`, alone + ten + fifty),
          there(`golive:stable:weight_percent{colour="green"} == 100`, whole),
        ],
      },
    ],
  };
}
