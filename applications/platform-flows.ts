import { type Flow, outsider, pods, tcp } from "./flow.ts";

/** The connections that every application's stack needs beside the application's own. Probes come from the kubelet, which no NetworkPolicy stops. */

const prometheus = pods("prometheus");
const postgres = pods("postgres");
const elasticsearch = pods("elasticsearch");
const alertmanager = pods("alertmanager");
const apiServer = outsider("api-server");

/** What runs beside the database and logs in to it. */
const databasePrograms = {
  "postgres-migrate": "migrations",
  "postgres-backup": "backups",
  "postgres-restore-drill": "the drill's comparison with what is live",
  "postgres-tools": "./golive database",
  "postgres-metrics": "the figures of backups and of the schema",
  "postgres-exporter": "the server's own figures",
} as const;

/** Ports of what says something of itself, by the label `component`. */
const metrics = {
  "postgres-exporter": 9187,
  "redis-exporter": 9121,
  "postgres-metrics": 9188,
  "rollout-metrics": 9189,
  guard: 9189,
  "blackbox-exporter": 9115,
  alertmanager: 9093,
  prometheus: 9090,
  "kube-state-metrics": 8080,
} as const;

const database: readonly Flow[] = [
  ...Object.entries(databasePrograms).flatMap(([program, why]) => toDatabase(program, why)),
  { from: pods("redis-exporter"), to: pods("redis"), ports: tcp(6379), why: "the server's own figures" },
  // 8000: each instance asks the others whether they see it, before it takes itself for cut off.
  {
    from: postgres,
    to: postgres,
    ports: tcp(5432, 8000),
    why: "replication and isolation checks",
    where: "cloudnative-pg",
  },
  { from: outsider("operator"), to: postgres, ports: tcp(5432, 8000), why: "failover", where: "cloudnative-pg" },
  { from: postgres, to: apiServer, ports: "configured", why: "an instance learns its role", where: "cloudnative-pg" },
  {
    from: postgres,
    to: outsider("outside"),
    ports: "configured",
    why: "the archive of the log",
    where: "object-store",
  },
];

const watching: readonly Flow[] = [
  ...Object.entries(metrics).map(([component, port]) => ({
    ...{ from: prometheus, to: pods(component), ports: tcp(port) },
    why: component === "alertmanager" ? "alerts and its own figures" : "scrapes",
  })),
  { from: prometheus, to: postgres, ports: tcp(9187), why: "scrapes", where: "cloudnative-pg" },
  { from: prometheus, to: outsider("gateway"), ports: "configured", why: "scrapes: all that the gate judges by" },
  { from: prometheus, to: outsider("nodes"), ports: tcp(9100, 10250), why: "scrapes of machines and kubelets" },
  { from: prometheus, to: apiServer, ports: "configured", why: "Prometheus learns whom to scrape" },
  { from: apiServer, to: prometheus, ports: tcp(9090), why: "the gate asks Prometheus through the API server" },
  { from: pods("kube-state-metrics"), to: apiServer, ports: "configured", why: "what there should be" },
  { from: pods("grafana"), to: prometheus, ports: tcp(9090), why: "dashboards" },
  {
    from: outsider("gateway"),
    to: pods("grafana"),
    ports: tcp(3000),
    why: "people see dashboards",
    where: "public-grafana",
  },
  {
    from: alertmanager,
    to: alertmanager,
    ports: [{ port: 9094 }, { port: 9094, protocol: "UDP" }],
    why: "nobody is told twice",
  },
  { from: alertmanager, to: outsider("outside"), ports: "configured", why: "mails and pages" },
  // A public address may lead straight to the Gateway's pods, whose port behind their Service is theirs alone to know.
  {
    from: pods("blackbox-exporter"),
    to: outsider("gateway"),
    ports: "configured",
    why: "the public address is probed",
  },
  {
    from: pods("blackbox-exporter"),
    to: outsider("outside"),
    ports: "configured",
    why: "the public address is probed",
  },
];

const rollout: readonly Flow[] = [
  { from: pods("rollout-metrics"), to: apiServer, ports: "configured", why: "the route is read" },
  { from: pods("guard"), to: apiServer, ports: "configured", why: "a bad candidate is taken off the traffic" },
  { from: pods("guard"), to: outsider("gateway"), ports: "configured", why: "the guard counts requests" },
  { from: pods("guard"), to: prometheus, ports: tcp(9090), why: "the guard's slower triggers" },
];

const logging: readonly Flow[] = [
  { from: pods("filebeat"), to: pods("logstash"), ports: tcp(5044), why: "lines of the pods" },
  { from: pods("logstash"), to: elasticsearch, ports: tcp(9200), why: "lines are kept" },
  { from: pods("kibana"), to: elasticsearch, ports: tcp(9200), why: "people read lines" },
  { from: elasticsearch, to: elasticsearch, ports: tcp(9200, 9300), why: "nodes of one cluster" },
  { from: outsider("operator"), to: elasticsearch, ports: tcp(9200), why: "users, upgrades, scaling" },
];

export const platformFlows: readonly Flow[] = [...database, ...watching, ...rollout, ...logging];

/** The database is in pods of the stack, or on a host that its configuration names. */
export function toDatabase(component: string, why: string): readonly Flow[] {
  const from = pods(component);
  return [
    { from, to: postgres, ports: tcp(5432), why },
    { from, to: outsider("outside"), ports: "configured", why, where: "external-database" },
  ];
}
