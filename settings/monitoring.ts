import { z } from "zod";
import type { EnvironmentDefaults } from "./environments.ts";
import { host, name, object, quantity, text } from "./forms.ts";

/** Who watches the stack, and how. */
export interface MonitoringSettings {
  /**
   * `stack`: it runs a Prometheus, an Alertmanager and a Grafana of its own in `namespace` (the operator is the cluster's).
   * `existing`: somebody else's take its monitors, rules and dashboards by `labels`. `none`: it declares nothing of it.
   */
  readonly kind: "stack" | "existing" | "none";
  /** Where Prometheus, Alertmanager and Grafana are (S4-61, S4-62). */
  readonly namespace: string;
  /** On every monitor, probe and rule: the Prometheus selects by these. */
  readonly labels: Readonly<Record<string, string>>;
  /** How many seconds of a rule pass in one second: 1, or more to rehearse. Scrapes come every 15 s of it (S1-50). */
  readonly speed: number;
  readonly images: MonitoringImages;
  /** The versions that `images` hold: the operator must know them. */
  readonly prometheusVersion: string;
  readonly alertmanagerVersion: string;
  /** Size of the volume of Prometheus, and for how long it keeps what it measured. */
  readonly storage: string;
  readonly storageClass: string | undefined;
  readonly retentionDays: number;
  /** Pods of Prometheus and of Alertmanager. */
  readonly replicas: number;
  /** The pods of the Gateway's proxy, in the Gateway's namespace, and their port with its metrics. */
  readonly gateway: { readonly podLabels: Readonly<Record<string, string>>; readonly port: string };
  /** The public address that is probed, and the Host that is asked for where the address does not name it. */
  readonly probe: { readonly url: string; readonly host: string | undefined };
  /** Where people reach Grafana from outside, on the Gateway's public listener (S4-75). Undefined: by port-forward only. */
  readonly grafanaHostname: string | undefined;
  /** Who is told. Undefined: alerts are seen in Alertmanager only. */
  readonly notify: NotifySettings | undefined;
}

/** Images, each undefined where the environment goes without. */
export interface MonitoringImages {
  readonly prometheus: string;
  readonly alertmanager: string;
  readonly blackboxExporter: string;
  readonly postgresExporter: string;
  readonly redisExporter: string;
  readonly nodeExporter: string;
  readonly grafana: string | undefined;
  readonly kubeStateMetrics: string | undefined;
}

/** Mails go to the application's contacts; the on-call tool is a webhook whose URL is the secret `onCallUrl`. */
export interface NotifySettings {
  readonly email: {
    /** `host:port` of the mail server. */
    readonly smarthost: string;
    readonly from: string;
    /** With it the secret `smtpPassword` is needed. */
    readonly username: string | undefined;
    readonly requireTls: boolean;
  };
  readonly onCall: boolean;
}

const labels = z.record(z.string(), z.string(), "allowed: an object {label: value}");

/** `golive:monitoring` as a person writes it. */
export const monitoringForm = object({
  kind: z.enum(["stack", "existing", "none"], "allowed: stack, existing, none").optional(),
  namespace: name.optional(),
  labels: labels.optional(),
  speed: z.number("allowed: 1 to 60").min(1, "allowed: 1 to 60").max(60, "allowed: 1 to 60").optional(),
  images: object({
    prometheus: text("an image reference").optional(),
    alertmanager: text("an image reference").optional(),
    blackboxExporter: text("an image reference").optional(),
    postgresExporter: text("an image reference").optional(),
    redisExporter: text("an image reference").optional(),
    nodeExporter: text("an image reference").optional(),
    grafana: text("an image reference").optional(),
    kubeStateMetrics: text("an image reference").optional(),
  }).optional(),
  prometheusVersion: text("a version such as 3.5.0").optional(),
  alertmanagerVersion: text("a version such as 0.28.1").optional(),
  storage: quantity.optional(),
  storageClass: name.optional(),
  retentionDays: z.int("allowed: days, 1 or more").min(1, "allowed: days, 1 or more").optional(),
  replicas: z.int("allowed: 1 or 2").min(1, "allowed: 1 or 2").max(2, "allowed: 1 or 2").optional(),
  gateway: object({ podLabels: labels, port: text("the name of a container port") }).optional(),
  probe: object({ url: z.url("allowed: a URL"), host: text("a host name").optional() }).optional(),
  grafanaHostname: host.optional(),
  notify: object({
    email: object({
      smarthost: z
        .string("allowed: host:port of a mail server")
        .regex(/^[-.A-Za-z0-9]+:[0-9]{1,5}$/, "allowed: host:port of a mail server"),
      from: z.email("allowed: a mail address"),
      username: text("a user name").optional(),
      requireTls: z.boolean("allowed: true or false").default(true),
    }),
    onCall: z.boolean("allowed: true or false").default(false),
  }).optional(),
});

export const monitoringKeys: Readonly<Record<string, readonly string[]>> = {
  monitoring: Object.keys(monitoringForm.shape),
  "monitoring.images": Object.keys(monitoringForm.shape.images.unwrap().shape),
  "monitoring.gateway": ["podLabels", "port"],
  "monitoring.probe": ["url", "host"],
  "monitoring.notify": ["email", "onCall"],
  "monitoring.notify.email": ["smarthost", "from", "username", "requireTls"],
};

type Given = z.infer<typeof monitoringForm>;

/** How a stack is watched: as given, else by its environment. */
export function monitoringOf(
  given: Given = {},
  { monitoring: standard }: EnvironmentDefaults,
  stack: { readonly hostname: string; readonly environment: string },
): MonitoringSettings {
  const probe = given.probe ?? standard.probe;
  return {
    kind: given.kind ?? standard.kind,
    namespace: given.namespace ?? "monitoring",
    labels: given.labels ?? { "golive/monitoring": stack.environment },
    speed: given.speed ?? standard.speed,
    images: imagesOf(given.images ?? {}, standard.images),
    prometheusVersion: given.prometheusVersion ?? standard.prometheusVersion,
    alertmanagerVersion: given.alertmanagerVersion ?? standard.alertmanagerVersion,
    storage: given.storage ?? standard.storage,
    storageClass: given.storageClass,
    retentionDays: given.retentionDays ?? standard.retentionDays,
    replicas: given.replicas ?? standard.replicas,
    gateway: given.gateway ?? { podLabels: { "app.kubernetes.io/name": "traefik" }, port: "metrics" },
    probe:
      probe === undefined ? { url: `https://${stack.hostname}/`, host: undefined } : { ...probe, host: probe.host },
    grafanaHostname: given.grafanaHostname,
    notify: given.notify && {
      ...given.notify,
      email: { ...given.notify.email, username: given.notify.email.username },
    },
  };
}

function imagesOf(given: NonNullable<Given["images"]>, standard: MonitoringImages): MonitoringImages {
  return {
    prometheus: given.prometheus ?? standard.prometheus,
    alertmanager: given.alertmanager ?? standard.alertmanager,
    blackboxExporter: given.blackboxExporter ?? standard.blackboxExporter,
    postgresExporter: given.postgresExporter ?? standard.postgresExporter,
    redisExporter: given.redisExporter ?? standard.redisExporter,
    nodeExporter: given.nodeExporter ?? standard.nodeExporter,
    grafana: given.grafana ?? standard.grafana,
    kubeStateMetrics: given.kubeStateMetrics ?? standard.kubeStateMetrics,
  };
}
