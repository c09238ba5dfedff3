import type { types } from "@pulumi/kubernetes";
import type { Settings } from "../../settings.ts";
import { namespaceLabels } from "../namespace/namespace.ts";
import { nodesNamespace } from "./names.ts";

/** The namespace of Prometheus, Alertmanager and Grafana: Pod Security `restricted`, as everywhere. */
export function serversNamespace({ application, monitoring }: Settings): types.input.core.v1.Namespace {
  return { metadata: { name: monitoring.namespace, labels: namespaceLabels(application.name) } };
}

/** The one namespace whose pods may see the machine that they run on. */
export function nodeExporterNamespace(settings: Settings): types.input.core.v1.Namespace {
  const labels = {
    ...namespaceLabels(settings.application.name),
    "pod-security.kubernetes.io/enforce": "privileged",
    "pod-security.kubernetes.io/warn": "privileged",
  };
  return { metadata: { name: nodesNamespace(settings), labels } };
}
