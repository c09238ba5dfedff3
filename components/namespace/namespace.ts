import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { defaults } from "../../settings/environments.ts";
import type { Settings } from "../../settings.ts";

/** The namespace of an environment: Pod Security `restricted` enforced, and a quota (S4-25, S4-26, C18). */
export class Namespace extends pulumi.ComponentResource {
  readonly namespace: kubernetes.core.v1.Namespace;

  constructor(settings: Settings, opts: pulumi.ComponentResourceOptions) {
    const name = settings.namespace;
    super("golive:namespace:Namespace", name, {}, opts);
    const { protect, quota } = defaults[settings.environment];
    this.namespace = new kubernetes.core.v1.Namespace(
      name,
      { metadata: { name, labels: namespaceLabels(settings.application.name) } },
      // It holds the volumes: deleting it would delete the data with it.
      { parent: this, protect, retainOnDelete: protect },
    );
    new kubernetes.core.v1.ResourceQuota(
      `${name}-quota`,
      {
        metadata: { name: "quota", namespace: name },
        spec: { hard: { pods: quota.pods, "requests.cpu": quota.cpu, "requests.memory": quota.memory } },
      },
      { parent: this, dependsOn: this.namespace },
    );
    this.registerOutputs({});
  }
}

/** Labels of the namespace: what Pod Security admits in it, and whose it is. */
export function namespaceLabels(application: string): Readonly<Record<string, string>> {
  return {
    app: application,
    "pod-security.kubernetes.io/enforce": "restricted",
    "pod-security.kubernetes.io/enforce-version": "latest",
    "pod-security.kubernetes.io/warn": "restricted",
  };
}
