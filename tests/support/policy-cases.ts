import type { Environment } from "../../applications/application.ts";
import { judgeAll } from "../../policies/judge.ts";
import { resourceOf } from "../../policies/manifest.ts";
import type { Rule, Subject } from "../../policies/rule.ts";
import { subjectOfManifest } from "../../policies/subject.ts";
import { messageOf } from "../../policies/verdict.ts";

/** What a rule objects to in these resources, as a reviewer reads it: one line each, the resource first. */
export const objections = (
  rule: Rule,
  subjects: readonly Subject[],
  environment: Environment = "production",
): readonly string[] =>
  judgeAll(subjects, [rule], { environment }).map(
    (judgement) => `${resourceOf(judgement.subject)} ${messageOf(judgement)}`,
  );

type Fields = Readonly<Record<string, unknown>>;

const versions: Readonly<Record<string, string>> = {
  Deployment: "apps/v1",
  StatefulSet: "apps/v1",
  DaemonSet: "apps/v1",
  PodDisruptionBudget: "policy/v1",
  HTTPRoute: "gateway.networking.k8s.io/v1",
  Role: "rbac.authorization.k8s.io/v1",
  ClusterRole: "rbac.authorization.k8s.io/v1",
  RoleBinding: "rbac.authorization.k8s.io/v1",
  ClusterRoleBinding: "rbac.authorization.k8s.io/v1",
  Cluster: "postgresql.cnpg.io/v1",
  Logstash: "logstash.k8s.elastic.co/v1alpha1",
  Elasticsearch: "elasticsearch.k8s.elastic.co/v1",
  Prometheus: "monitoring.coreos.com/v1",
  ServiceMonitor: "monitoring.coreos.com/v1",
  PodMonitor: "monitoring.coreos.com/v1",
  PrometheusRule: "monitoring.coreos.com/v1",
};

/** An object of namespace `production`; `fields` stand beside its kind, `metadata` on top of its name. */
export function object(kind: string, name: string, { metadata, ...fields }: Fields = {}, protect = false): Subject {
  const meta = { name, namespace: "production", ...Object(metadata) };
  return subjectOfManifest({ apiVersion: versions[kind] ?? "v1", kind, metadata: meta, ...fields }, protect);
}

/** A namespace that the stack declares. */
export const namespace = (name: string, labels: Fields = {}, protect = false): Subject =>
  subjectOfManifest({ apiVersion: "v1", kind: "Namespace", metadata: { name, labels } }, protect);

/** A resource of another provider. */
export const resource = (type: string, name: string, object: Fields = {}, protect = false): Subject => ({
  urn: `urn:pulumi:production::golive::${type}::${name}`,
  ...{ type, name, object, protect },
});

const container = { name: "web", image: "web:1", ports: [{ name: "http", containerPort: 3000 }] };

/** A workload of one container; `container` and `pod` on top of what is needed, `spec` on top of the workload's own. */
export function workload(
  name: string,
  parts: {
    kind?: string;
    spec?: Fields;
    pod?: Fields;
    container?: Fields;
    metadata?: Fields;
    annotations?: Fields;
  } = {},
): Subject {
  const { kind = "Deployment", metadata = {} } = parts;
  const labels = { app: name };
  return object(kind, name, {
    metadata,
    spec: {
      ...parts.spec,
      template: {
        metadata: { labels, ...(parts.annotations === undefined ? {} : { annotations: parts.annotations }) },
        spec: { containers: [{ ...container, ...parts.container }], ...parts.pod },
      },
    },
  });
}
