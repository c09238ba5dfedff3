import * as kubernetes from "@pulumi/kubernetes";
import * as random from "@pulumi/random";
import type { Settings } from "../../settings.ts";

/** The providers of a stack. Default ones are disabled in its config, so that nothing reaches whatever context is current. */
export function providers(settings: Settings): readonly [kubernetes.Provider, random.Provider] {
  return [clusterProvider(settings), new random.Provider("random")];
}

function clusterProvider({ cluster, stack }: Settings): kubernetes.Provider {
  return new kubernetes.Provider("cluster", {
    context: cluster.context,
    ...(cluster.kubeconfig === undefined ? {} : { kubeconfig: cluster.kubeconfig }),
    // Without it a changed kubeconfig (a new certificate) is guessed to be another cluster, and everything is replaced.
    clusterIdentifier: `golive-${stack}`,
    enableServerSideApply: true,
    // A data change is an update: else it is a delete and a create, and pods that start in between find nothing.
    enableConfigMapMutable: true,
    enableSecretMutable: true,
    upsertExistingObjects: false,
  });
}
