import { describe, expect, it } from "vitest";
import { type Config, complete, completeProduction, problemsOf, settingsWith } from "../support/config.ts";

const email = { smarthost: "smtp.example.com:587", from: "alerts@example.com" };
const told = (notify: Config): Config => ({ ...completeProduction, monitoring: { notify } });
const secret = (values: Config) => ({ secretKeys: new Set(Object.keys(values)) });

describe("how a stack is watched", () => {
  it("is at fifteen times the pace on a throw-away cluster, with production's Prometheus and what Debian has", () => {
    expect(settingsWith().monitoring).toEqual({
      kind: "stack",
      namespace: "monitoring",
      labels: { "golive/monitoring": "local" },
      speed: 15,
      images: {
        prometheus: "quay.io/prometheus/prometheus:v3.5.0",
        alertmanager: "quay.io/prometheus/alertmanager:v0.25.0",
        blackboxExporter: "quay.io/prometheus/blackbox-exporter:v0.23.0",
        postgresExporter: "quay.io/prometheuscommunity/postgres-exporter:v0.11.1",
        redisExporter: "docker.io/oliver006/redis_exporter:v1.45.0",
        nodeExporter: "quay.io/prometheus/node-exporter:v1.5.0",
        grafana: undefined,
        kubeStateMetrics: undefined,
      },
      prometheusVersion: "3.5.0",
      alertmanagerVersion: "0.25.0",
      storage: "2Gi",
      storageClass: undefined,
      retentionDays: 1,
      replicas: 1,
      gateway: { podLabels: { "app.kubernetes.io/name": "traefik" }, port: "metrics" },
      probe: { url: "http://traefik.gateway.svc.cluster.local/", host: "taskflow.localhost" },
      grafanaHostname: undefined,
      notify: undefined,
    });
  });

  it("is in real time and twice over in production, with a probe of the public host by https", () => {
    const { monitoring } = settingsWith(completeProduction);
    expect(monitoring).toMatchObject({
      speed: 1,
      replicas: 2,
      retentionDays: 45,
      labels: { "golive/monitoring": "production" },
    });
    expect(monitoring.probe).toEqual({ url: "https://taskflow.localhost/", host: undefined });
    expect(monitoring.notify).toEqual({ email: { ...email, username: undefined, requireTls: true }, onCall: false });
  });
});

describe("a configuration is refused before anything is touched, and says why:", () => {
  it("in production, alerts that reach nobody", () => {
    expect(problemsOf({ ...completeProduction, monitoring: {} })).toEqual([
      "golive:monitoring.notify  got nothing: in production alerts must reach somebody; allowed: {email: {smarthost, from}, onCall}, or another kind of monitoring",
    ]);
    const gate = { prometheus: { namespace: "monitoring", service: "prometheus-operated:9090" } };
    expect(problemsOf({ ...completeProduction, monitoring: { kind: "existing" }, gate })).toEqual([]);
    expect(problemsOf(complete)).toEqual([]);
  });

  it("a mail server's user without the password, and an on-call tool without its address; a preview needs neither", () => {
    const config = told({ email: { ...email, username: "alerts" }, onCall: true });
    expect(problemsOf(config)).toEqual([
      "golive:smtpPassword  got nothing; golive:monitoring.notify.email.username needs it: pulumi config set --secret golive:smtpPassword",
      "golive:onCallUrl     got nothing; golive:monitoring.notify.onCall needs it: pulumi config set --secret golive:onCallUrl",
    ]);
    expect(problemsOf(config, { preview: true })).toEqual([]);
    const secrets = { smtpPassword: "hunter2", onCallUrl: "https://on-call.example.com/hook" };
    expect(problemsOf({ ...config, ...secrets }, secret(secrets))).toEqual([]);
  });

  it("an address of the on-call tool that is none, without showing it", () => {
    const secrets = { onCallUrl: "hunter2" };
    expect(problemsOf({ ...told({ email, onCall: true }), ...secrets }, secret(secrets))).toEqual([
      "golive:onCallUrl  got a value that is no URL; allowed: an http or https URL",
    ]);
  });

  it.each(["existing", "none"])("receivers of alerts where kind %s has somebody else decide", (kind) => {
    expect(problemsOf({ ...complete, monitoring: { kind, notify: { email } } })).toEqual([
      `golive:monitoring.notify  has no effect with kind ${kind}: who is told is decided where the Alertmanager is; allowed: with kind stack`,
    ]);
  });

  it("an image that may be another one tomorrow", () => {
    const images = { prometheus: "quay.io/prometheus/prometheus:latest", grafana: "grafana" };
    expect(problemsOf({ ...complete, monitoring: { images } })).toEqual([
      'golive:monitoring.images.prometheus  got "quay.io/prometheus/prometheus:latest"; latest may be another image tomorrow: name a version or a digest',
      'golive:monitoring.images.grafana     got "grafana"; a tag or a digest is required: name:tag or name@sha256:…',
    ]);
  });

  it.each([
    ["a speed that is none", { speed: 0.5 }, "golive:monitoring.speed  got 0.5; allowed: 1 to 60"],
    [
      "an unknown key, with what was meant",
      { retentionDay: 3 },
      "golive:monitoring.retentionDay  unknown key; did you mean retentionDays?",
    ],
    [
      "an address that is no host name",
      { grafanaHostname: "https://grafana.example.com" },
      'golive:monitoring.grafanaHostname  got "https://grafana.example.com"; allowed: a DNS name',
    ],
  ])("%s", (_, monitoring, says) => {
    expect(problemsOf({ ...complete, monitoring })).toEqual([says]);
  });
});
