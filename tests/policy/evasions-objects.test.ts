import { describe, expect, it } from "vitest";
import { noEscalation } from "../../policies/access/no-escalation.ts";
import { noWildcards } from "../../policies/access/no-wildcards.ts";
import { tokensOnlyWhereNeeded } from "../../policies/access/tokens-only-where-needed.ts";
import { writesNameTheirObjects } from "../../policies/access/writes-name-their-objects.ts";
import { imagesArePinned } from "../../policies/images/images-are-pinned.ts";
import { releaseImagesByDigest } from "../../policies/images/release-images-by-digest.ts";
import { grafanaNeedsALogin } from "../../policies/monitoring/grafana-needs-a-login.ts";
import { allowPrivilegeEscalation as privilegeEscalation } from "../../policies/pod-security/allowPrivilegeEscalation.ts";
import type { Rule, Subject } from "../../policies/rule.ts";
import { productionRunsAsProduction } from "../../policies/secrets/production-runs-as-production.ts";
import { databaseRolesAreSmall } from "../../policies/stores/database-roles-are-small.ts";
import { routeWeightsSumTo100 } from "../../policies/traffic/route-weights-sum-to-100.ts";
import { routesLeadToServices } from "../../policies/traffic/routes-lead-to-services.ts";
import { servicesStayInside } from "../../policies/traffic/services-stay-inside.ts";
import { budgetForSeveral } from "../../policies/workloads/budget-for-several.ts";
import { namespacesEnforceRestricted } from "../../policies/workloads/namespaces-enforce-restricted.ts";
import { noHiddenWorkloads } from "../../policies/workloads/no-hidden-workloads.ts";
import { readOnlyRoot } from "../../policies/workloads/read-only-root.ts";
import { requestsAndLimits } from "../../policies/workloads/requests-and-limits.ts";
import { severalPodsSpread } from "../../policies/workloads/several-pods-spread.ts";
import { threeProbes } from "../../policies/workloads/three-probes.ts";
import { namespace, object, objections, resource, workload } from "../support/policy-cases.ts";

/** What is unsafe, and was once passed over: each by the rule that now names it. */
type Case = readonly [what: string, rule: Rule, subjects: readonly Subject[]];

const pod = (container: object) => [workload("web", { container: { ...container } })];
const role = (kind: string, fields: object, metadata = {}) => [object(kind, "one", { metadata, ...fields })];
const rights = (resource: string, verb: string) =>
  role("Role", { rules: [{ apiGroups: [""], resources: [resource], verbs: [verb] }] });
const tokens = { volumes: [{ name: "api", projected: { sources: [{ serviceAccountToken: { path: "token" } }] } }] };

const accounts: readonly Case[] = [
  [
    "a role that gathers those of others",
    noWildcards,
    role("ClusterRole", { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: "b" } }] } }),
  ],
  [
    "a role that joins everybody's",
    noWildcards,
    role("ClusterRole", { rules: [] }, { labels: { "rbac.authorization.k8s.io/aggregate-to-edit": "true" } }),
  ],
  ["a container that is put into a running pod", noEscalation, rights("pods/ephemeralcontainers", "patch")],
  ["a way to every port of a pod", noEscalation, rights("pods/portforward", "create")],
  ["a namespace that loses its level", noEscalation, rights("namespaces", "patch")],
  ["a NetworkPolicy that opens", noEscalation, rights("networkpolicies", "create")],
  ["somebody with more scopes", noEscalation, rights("userextras/scopes", "impersonate")],
  [
    "a name that is none",
    writesNameTheirObjects,
    role("Role", {
      rules: [{ apiGroups: [""], resources: ["configmaps"], resourceNames: [""], verbs: ["deletecollection"] }],
    }),
  ],
  [
    "a token in a projected volume",
    tokensOnlyWhereNeeded,
    [workload("web", { pod: { automountServiceAccountToken: false, ...tokens } })],
  ],
  [
    "a token without an end",
    tokensOnlyWhereNeeded,
    [object("Secret", "token", { type: "kubernetes.io/service-account-token" })],
  ],
];

const declares = (type: string) => [resource(type, "x")];
const ref = (name: string, weight: number, more = {}) => ({ name, port: 80, weight, ...more });
const route = (...rules: readonly object[]) => [
  object("HTTPRoute", "shop", { metadata: { annotations: { "golive/candidate-traffic": "0" } }, spec: { rules } }),
  ...["a-blue", "a-green", "b-blue", "b-green"].map((name) =>
    object("Service", name, { spec: { ports: [{ port: 80 }] } }),
  ),
];
const elastic = (kind: string, spec: object) => [object(kind, "logs", { spec })];
const colour = { version: "green" };

const objects: readonly Case[] = [
  [
    "colours that change places in the second rule",
    routeWeightsSumTo100,
    route(
      { backendRefs: [ref("a-blue", 100), ref("a-green", 0)] },
      { backendRefs: [ref("b-green", 100), ref("b-blue", 0)] },
    ),
  ],
  ["one colour twice", routeWeightsSumTo100, route({ backendRefs: [ref("a-green", 50), ref("a-green", 50)] })],
  [
    "a weight that is a text",
    routeWeightsSumTo100,
    route({
      backendRefs: [
        { ...ref("a-blue", 0), weight: "90" },
        { ...ref("a-green", 0), weight: "10" },
      ],
    }),
  ],
  [
    "a backend that is no Service",
    routesLeadToServices,
    route({ backendRefs: [ref("a-blue", 100, { group: "traefik.io", kind: "TraefikService" }), ref("a-green", 0)] }),
  ],
  [
    "a copy of every request for another namespace",
    routesLeadToServices,
    route({
      filters: [
        { type: "RequestMirror", requestMirror: { backendRef: { name: "a", namespace: "elsewhere", port: 80 } } },
      ],
      backendRefs: [],
    }),
  ],
  [
    "a load balancer before Elasticsearch's other port",
    servicesStayInside,
    elastic("Elasticsearch", { transport: { service: { spec: { type: "LoadBalancer" } } } }),
  ],
  ...["Ingress", "EndpointSlice", "PersistentVolume"].map(
    (kind): Case => [`a kind that no rule reads: ${kind}`, noHiddenWorkloads, [object(kind, "x")]],
  ),
  ["a chart by another controller", noHiddenWorkloads, declares("kubernetes:helm.cattle.io/v1:HelmChart")],
  ["pods of an operator's other kind", noHiddenWorkloads, declares("kubernetes:postgresql.cnpg.io/v1:Pooler")],
  ["another provider's NetworkPolicy", noHiddenWorkloads, declares("kubernetes:cilium.io/v2:CiliumNetworkPolicy")],
  ["a patch of such a kind", noHiddenWorkloads, declares("kubernetes:networking.k8s.io/v1:IngressPatch")],
  ...[
    "command:local:Command",
    "pulumi-nodejs:dynamic:Resource",
    "pulumi-nodejs:dynamic/shell:Exec",
    "pulumi-python:dynamic:Resource",
    "docker:index/container:Container",
    "helm:index/release:Release",
    "kubectl:index/manifest:Manifest",
    "pulumi:providers:kubectl",
    "pulumi:pulumi:StackReference",
    "postgresql:index/function:Function",
  ].map((type): Case => [`a type of another provider: ${type}`, noHiddenWorkloads, declares(type)]),
  [
    "a container of Logstash that its template leaves out",
    readOnlyRoot,
    elastic("Logstash", { podTemplate: { spec: { containers: [] } } }),
  ],
  [
    "pods of Elasticsearch without any template",
    privilegeEscalation,
    elastic("Elasticsearch", { nodeSets: [{ name: "a", count: 1 }] }),
  ],
  [
    "an image in a volume",
    imagesArePinned,
    [workload("web", { pod: { volumes: [{ name: "a", image: { reference: "web:latest" } }] } })],
  ],
  [
    "a release whose pods alone say their colour",
    releaseImagesByDigest,
    [
      object("Deployment", "web", {
        spec: { template: { metadata: { labels: colour }, spec: { containers: [{ name: "web", image: "web:1" }] } } },
      }),
    ],
  ],
  [
    "a log level out of a ConfigMap's key",
    productionRunsAsProduction,
    [
      workload("web", {
        metadata: { labels: colour },
        container: {
          env: [
            { name: "NODE_ENV", value: "production" },
            { name: "LOG_LEVEL", valueFrom: { configMapKeyRef: { name: "c", key: "level" } } },
          ],
        },
      }),
      object("ConfigMap", "c", { data: { level: "debug" } }),
    ],
  ],
  [
    "a mode under another name",
    productionRunsAsProduction,
    [
      workload("web", {
        metadata: { labels: colour },
        container: { envFrom: [{ prefix: "X_", configMapRef: { name: "c" } }] },
      }),
      object("ConfigMap", "c", { data: { NODE_ENV: "production" } }),
    ],
  ],
  [
    "a budget without a selector",
    budgetForSeveral,
    [workload("web", { spec: { replicas: 3 } }), object("PodDisruptionBudget", "web", { spec: { maxUnavailable: 1 } })],
  ],
  [
    "a spread without a selector",
    severalPodsSpread,
    [
      workload("web", {
        spec: { replicas: 3 },
        pod: { topologySpreadConstraints: [{ topologyKey: "kubernetes.io/hostname" }] },
      }),
    ],
  ],
  [
    "a limit of nothing",
    requestsAndLimits,
    pod({ resources: { requests: { cpu: "1m", memory: "0" }, limits: { memory: "0" } } }),
  ],
  [
    "a request that is null",
    requestsAndLimits,
    pod({ resources: { requests: { cpu: null, memory: "1Mi" }, limits: { memory: "1Mi" } } }),
  ],
  [
    "a probe that is null",
    threeProbes,
    pod({ startupProbe: null, readinessProbe: { exec: {} }, livenessProbe: { exec: {} } }),
  ],
  [
    "a version from before the checks",
    namespacesEnforceRestricted,
    [
      namespace("production", {
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/enforce-version": "v1.0",
      }),
    ],
  ],
  [
    "a login that runs programs on the server",
    databaseRolesAreSmall,
    [
      object("Cluster", "db", {
        spec: { managed: { roles: [{ name: "a_app", inRoles: ["pg_execute_server_program"] }] } },
      }),
    ],
  ],
  [
    "the same by a grant",
    databaseRolesAreSmall,
    [resource("postgresql:index/grantRole:GrantRole", "x", { role: "a", grantRole: "pg_read_server_files" })],
  ],
  ["Grafana under another label", grafanaNeedsALogin, pod({ image: "docker.io/grafana/grafana:12.3.0" })],
];

describe("what a provider makes that no rule reads", () => {
  it("is refused with what may stand there, and what to do", () => {
    expect(objections(noHiddenWorkloads, declares("kubectl:index/manifest:Manifest"))).toEqual([
      "x type: found kubectl:index/manifest:Manifest, a kind that no rule reads; wanted an object of Kubernetes, or what golive takes of random and postgresql. Fix: declare what it makes by its own class, or teach policies/ the kind and name it in no-hidden-workloads.ts",
    ]);
  });

  it.each([
    "golive:index:Platform",
    "pulumi:pulumi:Stack",
    "pulumi:providers:postgresql",
    "random:index/randomPassword:RandomPassword",
    "postgresql:index/defaultPrivileges:DefaultPrivileges",
  ])("is not %s, which the program has", (type) => {
    expect(objections(noHiddenWorkloads, declares(type))).toEqual([]);
  });
});

describe("an unsafe object", () => {
  it.each([...accounts, ...objects])("is named: %s", (_, rule, subjects) => {
    expect(objections(rule, subjects)).not.toEqual([]);
  });
});
