import type { Rule } from "../rule.ts";
import { intendedConnectionsAreOpen } from "./intended-connections-are-open.ts";
import { namespacesDenyByDefault } from "./namespaces-deny-by-default.ts";
import { networkPoliciesSelectPods } from "./network-policies-select-pods.ts";
import { onlyIntendedConnections } from "./only-intended-connections.ts";
import { podsAreIsolated } from "./pods-are-isolated.ts";

/** What NetworkPolicies must be, for themselves and together. */
export const networkRules: readonly Rule[] = [
  intendedConnectionsAreOpen,
  namespacesDenyByDefault,
  networkPoliciesSelectPods,
  onlyIntendedConnections,
  podsAreIsolated,
];
