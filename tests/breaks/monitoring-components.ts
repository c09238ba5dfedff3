import type { Break } from "./break.ts";

const test = "tests/component/monitoring.test.ts";
const at = (file: string) => `components/monitoring/${file}.ts`;

/** What a stack that watches itself promises. */
export const breaks: readonly Break[] = [
  {
    promise: "no monitor, probe or rule goes unselected in silence",
    file: at("scrape"),
    find: "({ app: application.name, ...monitoring.labels })",
    replace: "({ app: application.name, ...(monitoring.speed > 1 ? monitoring.labels : {}) })",
    test,
    name: "of production takes every monitor",
  },
  {
    promise: "no pod is left out because its port has another name",
    file: at("scrape"),
    find: 'metricsPort = "metrics"',
    replace: 'metricsPort = "http-metrics"',
    test,
    name: "of staging are exactly the pods that have metrics",
  },
  {
    promise: "series say which colour they are of",
    file: at("application-monitor"),
    find: 'fromPod("version", "colour")',
    replace: 'fromPod("colour", "colour")',
    test,
    name: "of local are exactly the pods that have metrics",
  },
  {
    promise: "a step does not wait for a Grafana that does not start",
    file: at("grafana"),
    find: 'metadata: { ...metadataOf(settings), annotations: { "pulumi.com/skipAwait": "true" } },\n    spec: {\n      replicas',
    replace: "metadata: metadataOf(settings),\n    spec: {\n      replicas",
    test,
    name: "of production waits for nothing that only watches",
  },
  {
    promise: "Prometheus sees no Secret of the cluster",
    file: at("access"),
    find: '"services", "pods", "nodes"]',
    replace: '"services", "pods", "nodes", "secrets"]',
    test,
    name: "may find targets and read kubelets, and nothing else",
  },
  {
    promise: "exporters start with a password that the server knows",
    file: at("monitoring"),
    find: "{ parent, dependsOn: [...after, ...database.ready] }",
    replace: "{ parent, dependsOn: [...after] }",
    test,
    name: "read PostgreSQL as the login that sees no rows",
  },
  {
    promise: "somebody else's Grafana does not show every dashboard twice",
    file: at("dashboards"),
    find: '...(own ? {} : { grafana_dashboard: "1" })',
    replace: 'grafana_dashboard: "1"',
    test,
    name: "finds its data source and every dashboard in files",
  },
  {
    promise: "alerts of production reach somebody",
    file: "settings/checks.ts",
    find: 'environment === "production" ? [nobodyIsTold] : []',
    replace: "[]",
    test: "tests/unit/settings-monitoring.test.ts",
    name: "in production, alerts that reach nobody",
  },
  {
    promise: "the exporter of Redis sees no key and no argument of a command",
    file: "components/cache/statefulset.ts",
    find: "resetkeys resetchannels -@all",
    replace: "~* resetchannels +@all",
    test: "tests/unit/statefulset.test.ts",
    name: "lets nobody in without a password",
  },
];
