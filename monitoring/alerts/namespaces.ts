import type { Matcher } from "../promql/expression.ts";
import type { MonitoredStack } from "../stack.ts";

/** Which namespaces are a stack's: exporters of the cluster tell of those of others, too. */
export function ownNamespaces({ namespace, monitoringNamespaces = [] }: MonitoredStack): Matcher {
  return monitoringNamespaces.length === 0 ? namespace : { like: [namespace, ...monitoringNamespaces].join("|") };
}
