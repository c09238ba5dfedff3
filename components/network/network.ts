import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../../settings.ts";
import { componentPolicies, denyPolicies, type PolicyManifest } from "./policies.ts";

export interface NetworkArgs {
  readonly settings: Settings;
  /** The namespaces that the stack makes. */
  readonly namespaces: readonly pulumi.Resource[];
}

/**
 * Who may connect to whom (S4-28): exactly the flows of the application and of its platform (`applications/`). First what is
 * allowed, then that all else is not: a live stack that gets these for the first time loses no connection that it needs. Nothing
 * of a run waits for them, a way down least of all.
 */
export class Network extends pulumi.ComponentResource {
  constructor({ settings, namespaces }: NetworkArgs, opts: pulumi.ComponentResourceOptions) {
    super("golive:network:Network", `${settings.application.name}-network`, {}, opts);
    const declare = (name: string, { metadata, spec }: PolicyManifest, dependsOn: readonly pulumi.Resource[]) =>
      new kubernetes.networking.v1.NetworkPolicy(name, { metadata, spec }, { parent: this, dependsOn: [...dependsOn] });
    const allowed = componentPolicies(settings).map((each) => declare(each.metadata.name, each, namespaces));
    for (const each of denyPolicies(settings))
      declare(`${each.metadata.namespace}-${each.metadata.name}`, each, [...namespaces, ...allowed]);
    this.registerOutputs({});
  }
}
