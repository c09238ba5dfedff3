import { httpServices, jobOf } from "../rules/requests.ts";
import type { MonitoredStack } from "../stack.ts";

/** The jobs of a stack that must be there: an exporter that is gone takes every alert on its metrics with it. */
export interface ExpectedJobs {
  /** In the stack's own namespace, which their series name. */
  readonly own: readonly string[];
  /** Of the cluster, or of the monitoring itself. */
  readonly shared: readonly string[];
}

export function expectedJobs({
  application,
  database,
  databaseKind,
  environment,
  guarded,
}: MonitoredStack): ExpectedJobs {
  const stores = [
    ...(database === undefined ? [] : ["postgres", "postgres-operations"]),
    ...(database !== undefined && databaseKind === "cloudnative-pg" ? ["cloudnative-pg"] : []),
    ...(application.stores.redis === undefined ? [] : ["redis"]),
  ];
  const shared = ["gateway", "node", "kubelet", "cadvisor", "probe", "prometheus", "alertmanager"];
  return {
    own: [
      ...httpServices(application).map((service) => jobOf(application, service)),
      ...stores,
      "rollout",
      ...(guarded === true ? ["guard"] : []),
    ],
    // No registry has its image for the throw-away cluster.
    shared: environment === "local" ? shared : [...shared, "kube-state-metrics"],
  };
}
