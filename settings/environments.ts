import type { ByEnvironment } from "../applications/application.ts";
import type { MonitoringImages } from "./monitoring.ts";

/** What an environment brings unless the stack's config says otherwise. */
export interface EnvironmentDefaults {
  /** Protect what holds data from deletion, and keep it when its resource is removed from the program. */
  readonly protect: boolean;
  /** Hours that a colour keeps its pods after it lost its traffic (S1-48, C13). */
  readonly retireAfterHours: number;
  /** Minutes that the check, the backup and all pending migrations of one run may take together. */
  readonly migrationMinutes: number;
  readonly database: {
    readonly kind: "statefulset" | "cloudnative-pg";
    /** PostgreSQL as its makers publish it, and as the operator CloudNativePG needs it. */
    readonly image: string;
    readonly operatorImage: string;
    readonly storage: string;
    readonly walStorage: string;
    /** A loopback port for each environment, so that two stacks may run on one machine at a time. */
    readonly forwardPort: number;
  };
  /** Backups that golive takes itself; times are UTC. */
  readonly backup: {
    readonly storage: string;
    readonly schedule: string;
    readonly drillSchedule: string;
    readonly keep: number;
    readonly leastPercentOfPrevious: number;
  };
  readonly programs: { readonly image: string };
  readonly cache: { readonly image: string; readonly storage: string; readonly memoryMiB: number };
  readonly monitoring: {
    readonly kind: "stack" | "existing" | "none";
    readonly speed: number;
    readonly images: MonitoringImages;
    readonly prometheusVersion: string;
    readonly alertmanagerVersion: string;
    readonly storage: string;
    readonly retentionDays: number;
    readonly replicas: number;
    /** What each pod of Prometheus asks for; of memory it gets no more. */
    readonly prometheus: { readonly cpu: string; readonly memory: string };
    /** Undefined: the public host, by https. */
    readonly probe: { readonly url: string; readonly host: string } | undefined;
  };
  /** Whether a step up is held until its soak is over and what was measured is good. */
  readonly gate: { readonly mode: "on" | "off" };
  readonly logging: {
    readonly kind: "eck" | "none";
    readonly version: string;
    readonly nodes: number;
    readonly storage: string;
  };
  /** Limits of the whole namespace: pods, and requests of CPU and memory as Kubernetes quantities. */
  readonly quota: { readonly pods: string; readonly cpu: string; readonly memory: string };
}

const postgres = "docker.io/library/postgres:15.14";
const images = { image: postgres, operatorImage: "ghcr.io/cloudnative-pg/postgresql:15.14" };
const redis = "docker.io/library/redis:7.2.5";
const programs = { image: "docker.io/library/node:24.11.1-bookworm-slim" };
/** Nightly; the drill in the night to Sunday, after that night's backup. S4-46: half the size of the one before is suspicious. */
const nightly = { schedule: "30 2 * * *", drillSchedule: "0 4 * * 0", leastPercentOfPrevious: 50 };

const exporters = {
  blackboxExporter: "quay.io/prometheus/blackbox-exporter:v0.23.0",
  postgresExporter: "quay.io/prometheuscommunity/postgres-exporter:v0.11.1",
  redisExporter: "docker.io/oliver006/redis_exporter:v1.45.0",
};
const monitoring = {
  kind: "stack",
  speed: 1,
  images: {
    ...exporters,
    prometheus: "quay.io/prometheus/prometheus:v3.5.0",
    alertmanager: "quay.io/prometheus/alertmanager:v0.28.1",
    nodeExporter: "quay.io/prometheus/node-exporter:v1.9.1",
    grafana: "docker.io/grafana/grafana:12.1.1",
    kubeStateMetrics: "registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.17.0",
  },
  prometheusVersion: "3.5.0",
  alertmanagerVersion: "0.28.1",
  probe: undefined,
} as const;
/**
 * Production's Prometheus, for the rest what Debian has, at fifteen times the pace: a rung of the demo lasts half a
 * minute. Nobody publishes Grafana there.
 */
const rehearsal = {
  ...monitoring,
  speed: 15,
  images: {
    ...monitoring.images,
    alertmanager: "quay.io/prometheus/alertmanager:v0.25.0",
    nodeExporter: "quay.io/prometheus/node-exporter:v1.5.0",
    grafana: undefined,
    kubeStateMetrics: undefined,
  },
  alertmanagerVersion: "0.25.0",
  probe: { url: "http://traefik.gateway.svc.cluster.local/", host: "taskflow.localhost" },
} as const;
const elastic = { kind: "eck", version: "9.1.4" } as const;

/** The one table of differences between environments. */
export const defaults: ByEnvironment<EnvironmentDefaults> = {
  local: {
    protect: false,
    retireAfterHours: 0,
    migrationMinutes: 30,
    database: { ...images, kind: "statefulset", storage: "1Gi", walStorage: "1Gi", forwardPort: 15432 },
    backup: { ...nightly, storage: "1Gi", keep: 5 },
    programs,
    cache: { image: redis, storage: "1Gi", memoryMiB: 128 },
    monitoring: {
      ...rehearsal,
      ...{ storage: "2Gi", retentionDays: 1, replicas: 1 },
      prometheus: { cpu: "50m", memory: "512Mi" },
    },
    // A demo walks by hand.
    gate: { mode: "off" },
    logging: { ...elastic, kind: "none", nodes: 1, storage: "1Gi" },
    quota: { pods: "40", cpu: "4", memory: "8Gi" },
  },
  staging: {
    protect: true,
    retireAfterHours: 24,
    migrationMinutes: 60,
    database: { ...images, kind: "statefulset", storage: "20Gi", walStorage: "5Gi", forwardPort: 15433 },
    backup: { ...nightly, storage: "20Gi", keep: 7 },
    programs,
    cache: { image: redis, storage: "2Gi", memoryMiB: 256 },
    monitoring: {
      ...monitoring,
      ...{ storage: "20Gi", retentionDays: 15, replicas: 1 },
      prometheus: { cpu: "100m", memory: "1Gi" },
    },
    gate: { mode: "on" },
    logging: { ...elastic, nodes: 1, storage: "50Gi" },
    quota: { pods: "60", cpu: "8", memory: "16Gi" },
  },
  production: {
    protect: true,
    retireAfterHours: 24,
    migrationMinutes: 240,
    database: { ...images, kind: "cloudnative-pg", storage: "100Gi", walStorage: "20Gi", forwardPort: 15434 },
    backup: { ...nightly, storage: "100Gi", keep: 30 },
    programs,
    cache: { image: redis, storage: "8Gi", memoryMiB: 1024 },
    monitoring: {
      ...monitoring,
      ...{ storage: "100Gi", retentionDays: 45, replicas: 2 },
      prometheus: { cpu: "250m", memory: "4Gi" },
    },
    gate: { mode: "on" },
    logging: { ...elastic, nodes: 3, storage: "200Gi" },
    quota: { pods: "100", cpu: "32", memory: "64Gi" },
  },
};
