import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { colours } from "../../applications/application.ts";
import type { Allowed } from "../../rollout/decide.ts";
import type { Settings } from "../../settings.ts";
import { assetRoute, type HttpRoute, internalRoute, publicRoute } from "./http-route.ts";

export interface TrafficArgs {
  readonly settings: Settings;
  readonly decision: Allowed;
  /** Run before and after the public route is written. */
  readonly hooks: pulumi.ResourceHookBinding;
  /** The Services of both colours. Nothing else: a way down must not wait for a broken pod. */
  readonly services: readonly pulumi.Resource[];
}

/** Where requests go: the public route with both weights, each colour alone, and each colour's assets. */
export class Traffic extends pulumi.ComponentResource {
  /** The public route. */
  readonly route: pulumi.Resource;

  constructor({ settings, decision, hooks, services }: TrafficArgs, opts: pulumi.ComponentResourceOptions) {
    super("golive:traffic:Traffic", `${settings.application.name}-traffic`, {}, opts);
    const own = { parent: this, dependsOn: [...services] };
    this.route = declare(publicRoute(settings, decision.weights, decision.told), { ...own, hooks });
    for (const colour of colours) {
      declare(internalRoute(settings, colour), own);
      const assets = assetRoute(settings, colour);
      if (assets) declare(assets, own);
    }
    this.registerOutputs({});
  }
}

function declare({ metadata, spec }: HttpRoute, opts: pulumi.CustomResourceOptions) {
  return new kubernetes.apiextensions.CustomResource(
    metadata.name,
    { apiVersion: "gateway.networking.k8s.io/v1", kind: "HTTPRoute", metadata, spec },
    opts,
  );
}
