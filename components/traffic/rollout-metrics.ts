import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../../settings.ts";
import {
  bundleConfigMap,
  rolloutMetricsName as name,
  rolloutMetricsDeployment,
  routeReaderAccount,
  routeReaderBinding,
  routeReaderRole,
} from "./rollout-metrics-manifests.ts";

export interface RolloutMetricsArgs {
  readonly settings: Settings;
  /** The bundled program. */
  readonly bundle: string;
  /** What everything here needs first: the namespace. */
  readonly after: readonly pulumi.Resource[];
}

/**
 * Tells Prometheus how far a rollout is: weights, rung, soak, trips, and what was written down of it. It reads the public route
 * and the ledger, and nothing else; a step never waits for it.
 */
export class RolloutMetrics extends pulumi.ComponentResource {
  constructor({ settings, bundle, after }: RolloutMetricsArgs, opts: pulumi.ComponentResourceOptions) {
    super("golive:traffic:RolloutMetrics", `${settings.application.name}-${name}`, {}, opts);
    const own = { parent: this, dependsOn: [...after] };
    const program = bundleConfigMap(settings, bundle);
    const ready = [
      // The digest in its URN: a run that failed and is taken back finds the object of before.
      new kubernetes.core.v1.ConfigMap(program.metadata.name, program, own),
      new kubernetes.core.v1.ServiceAccount(name, routeReaderAccount(settings), own),
      new kubernetes.rbac.v1.Role(name, routeReaderRole(settings), own),
    ];
    const binding = new kubernetes.rbac.v1.RoleBinding(name, routeReaderBinding(settings), {
      parent: this,
      dependsOn: ready,
    });
    new kubernetes.apps.v1.Deployment(name, rolloutMetricsDeployment(settings, program.metadata.name), {
      parent: this,
      dependsOn: [...ready, binding],
    });
    this.registerOutputs({});
  }
}
