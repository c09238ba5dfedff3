import { bindingsStayInside } from "./access/bindings-stay-inside.ts";
import { noEscalation } from "./access/no-escalation.ts";
import { noSecretReads } from "./access/no-secret-reads.ts";
import { noWildcards } from "./access/no-wildcards.ts";
import { tokensOnlyWhereNeeded } from "./access/tokens-only-where-needed.ts";
import { writesNameTheirObjects } from "./access/writes-name-their-objects.ts";
import { imagesArePinned } from "./images/images-are-pinned.ts";
import { releaseImagesByDigest } from "./images/release-images-by-digest.ts";
import { grafanaNeedsALogin } from "./monitoring/grafana-needs-a-login.ts";
import { monitorsFindTheirTargets } from "./monitoring/monitors-find-their-targets.ts";
import { prometheusTakesEverything } from "./monitoring/prometheus-takes-everything.ts";
import type { Rule } from "./rule.ts";
import { noCredentialsInConfigmaps } from "./secrets/no-credentials-in-configmaps.ts";
import { noCredentialsInObjects } from "./secrets/no-credentials-in-objects.ts";
import { noCredentialsInPods } from "./secrets/no-credentials-in-pods.ts";
import { noDocumentedCredentials } from "./secrets/no-documented-credentials.ts";
import { productionRunsAsProduction } from "./secrets/production-runs-as-production.ts";
import { dataIsProtected } from "./stores/data-is-protected.ts";
import { databaseNeedsTls } from "./stores/database-needs-tls.ts";
import { databaseRolesAreSmall } from "./stores/database-roles-are-small.ts";
import { volumesOutliveTheirServer } from "./stores/volumes-outlive-their-server.ts";
import { routeWeightsSumTo100 } from "./traffic/route-weights-sum-to-100.ts";
import { routesLeadToServices } from "./traffic/routes-lead-to-services.ts";
import { servicesSelectPods } from "./traffic/services-select-pods.ts";
import { servicesStayInside } from "./traffic/services-stay-inside.ts";
import { budgetForSeveral } from "./workloads/budget-for-several.ts";
import { budgetsLetGo } from "./workloads/budgets-let-go.ts";
import { groupsAreNotRoot } from "./workloads/groups-are-not-root.ts";
import { hostPathsAreReadOnly } from "./workloads/host-paths-are-read-only.ts";
import { namespacesEnforceRestricted } from "./workloads/namespaces-enforce-restricted.ts";
import { namespacesOfTheStack } from "./workloads/namespaces-of-the-stack.ts";
import { noHiddenWorkloads } from "./workloads/no-hidden-workloads.ts";
import { readOnlyRoot } from "./workloads/read-only-root.ts";
import { requestsAndLimits } from "./workloads/requests-and-limits.ts";
import { severalPodsSpread } from "./workloads/several-pods-spread.ts";
import { threeProbes } from "./workloads/three-probes.ts";

/** What this product asks of its resources beside Kubernetes' own Pod Security, by folder. */
export const productRules: readonly Rule[] = [
  bindingsStayInside,
  noEscalation,
  noSecretReads,
  noWildcards,
  tokensOnlyWhereNeeded,
  writesNameTheirObjects,
  imagesArePinned,
  releaseImagesByDigest,
  grafanaNeedsALogin,
  monitorsFindTheirTargets,
  prometheusTakesEverything,
  noCredentialsInConfigmaps,
  noCredentialsInObjects,
  noCredentialsInPods,
  noDocumentedCredentials,
  productionRunsAsProduction,
  dataIsProtected,
  databaseNeedsTls,
  databaseRolesAreSmall,
  volumesOutliveTheirServer,
  routeWeightsSumTo100,
  routesLeadToServices,
  servicesSelectPods,
  servicesStayInside,
  budgetForSeveral,
  budgetsLetGo,
  groupsAreNotRoot,
  hostPathsAreReadOnly,
  namespacesEnforceRestricted,
  namespacesOfTheStack,
  noHiddenWorkloads,
  readOnlyRoot,
  requestsAndLimits,
  severalPodsSpread,
  threeProbes,
];
