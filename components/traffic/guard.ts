import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { guardName as name } from "../../rollout/gate/guard-name.ts";
import type { Settings } from "../../settings.ts";
import {
  gatewayPodsService,
  gatewayServiceName,
  guardAccount,
  guardBinding,
  guardBudget,
  guardConfigMap,
  guardDeployment,
  guardRole,
} from "./guard-manifests.ts";

export interface GuardArgs {
  readonly settings: Settings;
  /** The bundled program. */
  readonly bundle: string;
  /** What everything here needs first: the namespace. */
  readonly after: readonly pulumi.Resource[];
}

/**
 * Takes a bad candidate off the traffic by itself, in seconds, whoever else is asleep or broken: two pods that see the
 * gateway's own counters and may write the public route. No run waits for them.
 */
export class Guard extends pulumi.ComponentResource {
  constructor({ settings, bundle, after }: GuardArgs, opts: pulumi.ComponentResourceOptions) {
    super("golive:traffic:Guard", `${settings.application.name}-${name}`, {}, opts);
    const own = { parent: this, dependsOn: [...after] };
    const program = guardConfigMap(settings, bundle);
    const ready = [
      // The digest in its URN: a run that failed and is taken back finds the object of before.
      new kubernetes.core.v1.ConfigMap(program.metadata.name, program, own),
      new kubernetes.core.v1.ServiceAccount(name, guardAccount(settings), own),
      new kubernetes.rbac.v1.Role(name, guardRole(settings), own),
    ];
    const binding = new kubernetes.rbac.v1.RoleBinding(name, guardBinding(settings), {
      parent: this,
      dependsOn: ready,
    });
    const service = new kubernetes.core.v1.Service(gatewayServiceName(settings), gatewayPodsService(settings), {
      parent: this,
    });
    new kubernetes.policy.v1.PodDisruptionBudget(name, guardBudget(settings), own);
    new kubernetes.apps.v1.Deployment(name, guardDeployment(settings, program.metadata.name), {
      parent: this,
      dependsOn: [...ready, binding, service],
    });
    this.registerOutputs({});
  }
}
