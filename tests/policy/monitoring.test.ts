import { describe, expect, it } from "vitest";
import { grafanaNeedsALogin } from "../../policies/monitoring/grafana-needs-a-login.ts";
import { monitorsFindTheirTargets } from "../../policies/monitoring/monitors-find-their-targets.ts";
import { prometheusTakesEverything } from "../../policies/monitoring/prometheus-takes-everything.ts";
import { namespace, object, objections, workload } from "../support/policy-cases.ts";

const monitor = (kind: "ServiceMonitor" | "PodMonitor", app: string, port: string, namespaces?: readonly string[]) =>
  object(kind, "watch", {
    metadata: { labels: { watch: "yes" } },
    spec: {
      selector: { matchLabels: { app } },
      [kind === "PodMonitor" ? "podMetricsEndpoints" : "endpoints"]: [{ port }],
      ...(namespaces === undefined ? {} : { namespaceSelector: { matchNames: namespaces } }),
    },
  });

describe("monitors-find-their-targets", () => {
  const service = object("Service", "web", {
    metadata: { labels: { app: "web" } },
    spec: { selector: { app: "web" }, ports: [{ name: "http", port: 80 }] },
  });
  const stack = [namespace("production"), workload("web"), service];

  it("objects to a monitor that finds nothing, since alerts that read it stay silent", () => {
    const good = [monitor("ServiceMonitor", "web", "http"), monitor("PodMonitor", "web", "http")];
    expect(objections(monitorsFindTheirTargets, [...stack, ...good])).toEqual([]);
    const bad = [
      monitor("ServiceMonitor", "wbe", "http"),
      monitor("PodMonitor", "wbe", "http"),
      monitor("ServiceMonitor", "web", "metrics"),
      monitor("PodMonitor", "web", "metrics"),
    ];
    expect(objections(monitorsFindTheirTargets, [...stack, ...bad])).toMatchInlineSnapshot(`
      [
        "ServiceMonitor/production/watch spec.selector: found labels that no Service of production has; wanted labels of the stack. Fix: write the labels of what watch is to watch",
        "PodMonitor/production/watch spec.selector: found labels that no pod of production has; wanted labels of the stack. Fix: write the labels of what watch is to watch",
        "ServiceMonitor/production/watch spec.endpoints[0].port: found metrics; wanted a port name of its targets. Fix: name the port as its targets do",
        "PodMonitor/production/watch spec.podMetricsEndpoints[0].port: found metrics; wanted a port name of its targets. Fix: name the port as its targets do",
      ]
    `);
  });

  it("leaves alone what is in a namespace of somebody else", () => {
    expect(
      objections(monitorsFindTheirTargets, [...stack, monitor("PodMonitor", "gate", "metrics", ["gateway"])]),
    ).toEqual([]);
  });
});

describe("prometheus-takes-everything", () => {
  const server = object("Prometheus", "shop", {
    spec: { serviceMonitorSelector: { matchLabels: { watch: "yes" } }, ruleSelector: {} },
  });

  it("objects to a monitor and to rules that the stack's Prometheus does not load", () => {
    const rules = object("PrometheusRule", "alerts");
    expect(objections(prometheusTakesEverything, [server, monitor("ServiceMonitor", "web", "http"), rules])).toEqual(
      [],
    );
    expect(
      objections(prometheusTakesEverything, [server, monitor("PodMonitor", "web", "http")]),
    ).toMatchInlineSnapshot(`
      [
        "PodMonitor/production/watch metadata.labels: found labels that the Prometheus of the stack does not select; wanted those of its podMonitorSelector. Fix: write the label golive/monitoring with the stack's name",
      ]
    `);
  });

  it("leaves it to somebody else's Prometheus where the stack has none", () => {
    expect(objections(prometheusTakesEverything, [monitor("PodMonitor", "web", "http")])).toEqual([]);
  });
});

describe("grafana-needs-a-login", () => {
  it("objects to dashboards that everybody on the internet can read", () => {
    const closed = [
      { name: "GF_AUTH_ANONYMOUS_ENABLED", value: "false" },
      { name: "GF_USERS_ALLOW_SIGN_UP", value: "false" },
      { name: "GF_SNAPSHOTS_ENABLED", value: "false" },
      { name: "GF_SECURITY_ADMIN_PASSWORD__FILE", value: "/etc/password" },
    ];
    const grafana = (env: readonly object[]) =>
      workload("grafana", { metadata: { labels: { component: "grafana" } }, container: { env } });
    expect(objections(grafanaNeedsALogin, [grafana(closed), workload("web")])).toEqual([]);
    expect(
      objections(grafanaNeedsALogin, [grafana([{ name: "GF_AUTH_ANONYMOUS_ENABLED", value: "true" }])]),
    ).toMatchInlineSnapshot(`
      [
        "Deployment/production/grafana spec.template.spec.containers[web].env[GF_AUTH_ANONYMOUS_ENABLED]: found true; wanted false. Fix: set GF_AUTH_ANONYMOUS_ENABLED to false",
        "Deployment/production/grafana spec.template.spec.containers[web].env[GF_USERS_ALLOW_SIGN_UP]: found nothing; wanted false. Fix: set GF_USERS_ALLOW_SIGN_UP to false",
        "Deployment/production/grafana spec.template.spec.containers[web].env[GF_SNAPSHOTS_ENABLED]: found nothing; wanted false. Fix: set GF_SNAPSHOTS_ENABLED to false",
        "Deployment/production/grafana spec.template.spec.containers[web].env[GF_SECURITY_ADMIN_PASSWORD__FILE]: found nothing: the password is admin; wanted a file of a Secret. Fix: mount the Secret, and name its file",
      ]
    `);
  });
});
