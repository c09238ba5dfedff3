import type { Accepted } from "../support/peers/ledger.ts";

/**
 * What checkov and kube-score object to and what stays as it is, each with its reason. An entry that nobody finds any more turns
 * the test red; what is decided for `all` pods is decided, what names objects is an exception of those.
 */

const colours = ["blue", "green"] as const;
const here = (kind: string, ...names: readonly string[]) => names.map((name) => `${kind}/<environment>/${name}`);

const nodeExporter = "DaemonSet/monitoring-nodes/node-exporter";
const kubeStateMetrics = "Deployment/monitoring/kube-state-metrics";
const grafana = "Deployment/monitoring/grafana";
const [postgres, redis] = here("StatefulSet", "postgres", "redis") as [string, string];
const releases = colours.flatMap((colour) =>
  here("Deployment", `taskflow-backend-${colour}`, `taskflow-frontend-${colour}`),
);
const guard = here("Deployment", "guard");
const programs = [...guard, ...here("Deployment", "rollout-metrics")];
const exporters = here("Deployment", "blackbox-exporter", "postgres-exporter", "redis-exporter");
const databasePrograms = [
  ...here("CronJob", "postgres-backup", "postgres-restore-drill", "postgres-tools"),
  ...here("Deployment", "postgres-metrics"),
  ...here("Job", "taskflow-migrate"),
];

const noCpuLimit =
  "Decided for every pod: a CPU limit throttles a pod while its node idles, and costs exactly the latency that the gate measures. Requests divide the CPU when it is short; memory, which cannot be shared, has a limit everywhere.";
const noAlways =
  "Every image has an exact version, releases in production a digest. With Always the registry would have to answer before a pod starts anew: a rollback, a drained node and the guard must not wait for it.";
const imageUser =
  "The user of the official image: it owns the files on the volume that these programs share, and PostgreSQL's and Redis's own programs ask for its name. It is no root, has no capability and no way to gain one.";
const releaseUser =
  "The user that the application's images are built for and whose files are in them: only a new image can change it. It is no root, has no capability and no way to gain one.";
const asksApi =
  "It asks the API server for what it tells or guards, by a Role of its own; every other pod has no token.";
const tokenNeeded = [kubeStateMetrics, ...programs];
const oneIsEnough =
  "What watches is one pod: two would be two targets that say the same, and nothing that serves a request waits for it. Prometheus itself tells when it is gone (an alert of its own).";

const madeByOperator =
  "Their pods are made by an operator, from resources that kube-score does not know. policies/network judges these, too.";

const checkov: readonly Accepted[] = [
  { judge: "checkov", check: "CKV_K8S_11", objects: "all", reason: noCpuLimit },
  { judge: "checkov", check: "CKV_K8S_15", objects: "all", reason: noAlways },
  {
    judge: "checkov",
    check: "CKV_K8S_19",
    objects: [nodeExporter],
    reason:
      "It reads the node's own network interfaces. It stands alone in a namespace whose Pod Security level allows it, so that nothing else may.",
  },
  {
    judge: "checkov",
    check: "CKV_K8S_26",
    objects: [nodeExporter],
    reason:
      "Whoever is in the node's network has its ports there: the API server sets hostPort itself when it is left out.",
  },
  {
    judge: "checkov",
    check: "CKV_K8S_35",
    objects: releases,
    reason:
      "The application reads its environment (S0-02, S1-28): DATABASE_URL and the like by envFrom from one Secret for each colour. Other passwords that golive's own programs need are files.",
  },
  {
    judge: "checkov",
    check: "CKV_K8S_35",
    objects: [redis],
    reason:
      "redis-cli of the probes takes a password from its environment or from an argument that every process can read.",
  },
  {
    judge: "checkov",
    check: "CKV_K8S_35",
    objects: here("Deployment", "redis-exporter"),
    reason:
      "Its password file is a map from server addresses to passwords, which the Secret of the server would have to be written for; the user can read figures and no key.",
  },
  { judge: "checkov", check: "CKV_K8S_38", objects: tokenNeeded, reason: asksApi },
  {
    judge: "checkov",
    check: "CKV_K8S_40",
    objects: [postgres, redis, grafana, ...databasePrograms],
    reason: imageUser,
  },
  { judge: "checkov", check: "CKV_K8S_40", objects: releases, reason: releaseUser },
  {
    judge: "checkov",
    check: "CKV_K8S_43",
    objects: "all",
    reason:
      "Releases in production must have a digest (settings and policy see to it). The public images of others are named by exact version, and `imageMirrors` replaces each with a digest of the user's own registry: one that we wrote down would be the digest of one platform, and could not be checked here.",
  },
];

const kubeScore: readonly Accepted[] = [
  {
    judge: "kube-score",
    check: "container-resources",
    objects: "all",
    said: "CPU limit is not set",
    reason: noCpuLimit,
  },
  { judge: "kube-score", check: "container-image-pull-policy", objects: "all", reason: noAlways },
  {
    judge: "kube-score",
    check: "container-ephemeral-storage-request-and-limit",
    objects: "all",
    reason:
      "Every root is read-only and every emptyDir has a sizeLimit (the test below holds that), so only logs are left, which the kubelet rotates. A request would keep pods off nodes that do not count their disk, which some do not, the one of stack local among them.",
  },
  {
    judge: "kube-score",
    check: "container-security-context-user-group-id",
    objects: [postgres, redis, grafana, ...databasePrograms],
    reason: imageUser,
  },
  { judge: "kube-score", check: "container-security-context-user-group-id", objects: releases, reason: releaseUser },
  {
    judge: "kube-score",
    check: "deployment-has-host-podantiaffinity",
    objects: [...releases, ...guard],
    reason:
      "topologySpreadConstraints by node (releases by zone, too) say the same and still place a pod where no other node is left; kube-score has a check for those, which passes.",
  },
  {
    judge: "kube-score",
    check: "deployment-replicas",
    objects: [grafana, ...here("Deployment", "blackbox-exporter", "postgres-metrics")],
    reason: oneIsEnough,
  },
  {
    judge: "kube-score",
    check: "deployment-strategy",
    objects: here("Deployment", "blackbox-exporter"),
    reason: "Recreate, as every exporter: two at a time would be two targets that say the same.",
  },
  {
    judge: "kube-score",
    check: "networkpolicy-targets-pod",
    objects: [
      // In staging its pod is a StatefulSet's, which kube-score sees.
      ...here("NetworkPolicy", "postgres"),
      "NetworkPolicy/monitoring/prometheus",
      "NetworkPolicy/monitoring/alertmanager",
      ...["default-deny", "elasticsearch", "kibana", "logstash"].map((name) => `NetworkPolicy/logging/${name}`),
      ...["default-deny", "filebeat"].map((name) => `NetworkPolicy/logging-nodes/${name}`),
    ],
    reason: madeByOperator,
  },
  {
    judge: "kube-score",
    check: "pod-probes-identical",
    objects: [
      nodeExporter,
      kubeStateMetrics,
      grafana,
      ...programs,
      ...exporters,
      ...here("Deployment", "postgres-metrics"),
    ],
    reason:
      "The path answers for the program alone, whatever it watches is up or down, so a restart is the right answer when it stays silent; liveness waits twice as long as readiness.",
  },
  {
    judge: "kube-score",
    check: "service-targets-pod",
    objects: ["Service/monitoring/alertmanager", "Service/monitoring/prometheus"],
    reason: madeByOperator,
  },
  {
    judge: "kube-score",
    check: "service-targets-pod",
    objects: ["Service/gateway/golive-<environment>-taskflow"],
    reason: "It finds the pods of the Gateway, which is there before the stack and is not declared by it.",
  },
];

export const accepted: readonly Accepted[] = [...checkov, ...kubeScore];
