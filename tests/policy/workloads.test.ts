import { describe, expect, it } from "vitest";
import { imagesArePinned } from "../../policies/images/images-are-pinned.ts";
import { releaseImagesByDigest } from "../../policies/images/release-images-by-digest.ts";
import { bytesOf } from "../../policies/quantity.ts";
import { budgetForSeveral } from "../../policies/workloads/budget-for-several.ts";
import { budgetsLetGo } from "../../policies/workloads/budgets-let-go.ts";
import { groupsAreNotRoot } from "../../policies/workloads/groups-are-not-root.ts";
import { hostPathsAreReadOnly } from "../../policies/workloads/host-paths-are-read-only.ts";
import { namespacesEnforceRestricted } from "../../policies/workloads/namespaces-enforce-restricted.ts";
import { namespacesOfTheStack } from "../../policies/workloads/namespaces-of-the-stack.ts";
import { noHiddenWorkloads } from "../../policies/workloads/no-hidden-workloads.ts";
import { readOnlyRoot } from "../../policies/workloads/read-only-root.ts";
import { requestsAndLimits } from "../../policies/workloads/requests-and-limits.ts";
import { severalPodsSpread } from "../../policies/workloads/several-pods-spread.ts";
import { threeProbes } from "../../policies/workloads/three-probes.ts";
import { namespace, object, objections, resource, workload } from "../support/policy-cases.ts";

const digest = `@sha256:${"4".repeat(64)}`;
const image = (reference: string) => workload("web", { container: { image: reference } });

describe("images-are-pinned", () => {
  it.each(["web:1", `web${digest}`, `registry:5000/web:1${digest}`])("lets %s pass", (reference) => {
    expect(objections(imagesArePinned, [image(reference)])).toEqual([]);
  });

  it("objects to latest, to no tag, to a port that is no tag, and to the image of an operator's pods", () => {
    const cluster = object("Cluster", "db", { spec: { imageName: "postgresql:latest" } });
    const bad = [image("web:latest"), image("web"), image("registry:5000/web"), cluster];
    expect(objections(imagesArePinned, bad)).toMatchInlineSnapshot(`
      [
        "Deployment/production/web spec.template.spec.containers[web].image: found web:latest; wanted a version's tag, or a digest. Fix: write name:version or name:version@sha256:…",
        "Deployment/production/web spec.template.spec.containers[web].image: found web; wanted a version's tag, or a digest. Fix: write name:version or name:version@sha256:…",
        "Deployment/production/web spec.template.spec.containers[web].image: found registry:5000/web; wanted a version's tag, or a digest. Fix: write name:version or name:version@sha256:…",
        "Cluster/production/db spec.imageName: found postgresql:latest; wanted a version's tag, or a digest. Fix: write name:version or name:version@sha256:…",
      ]
    `);
  });
});

describe("release-images-by-digest", () => {
  const release = (reference: string) =>
    workload("shop-green", { metadata: { labels: { version: "green" } }, container: { image: reference } });

  it("objects to a release that a push to the registry could change, and to no other image", () => {
    expect(objections(releaseImagesByDigest, [release(`web:1${digest}`), image("postgres:15.14")])).toEqual([]);
    expect(objections(releaseImagesByDigest, [release("web:1")])).toMatchInlineSnapshot(`
      [
        "Deployment/production/shop-green spec.template.spec.containers[web].image: found web:1; wanted a digest. Fix: write name:tag@sha256:…, as the registry says it",
      ]
    `);
    expect(objections(releaseImagesByDigest, [release("web:1@sha256:short")])).toHaveLength(1);
  });
});

describe("requests-and-limits", () => {
  const good = { requests: { cpu: "50m", memory: "96Mi" }, limits: { memory: "256Mi" } };

  it("objects to a container that could take a machine's memory, an init container too", () => {
    expect(objections(requestsAndLimits, [workload("web", { container: { resources: good } })])).toEqual([]);
    const init = { initContainers: [{ name: "init", image: "init:1", resources: { requests: { cpu: "1" } } }] };
    const bad = [
      workload("none"),
      workload("init", { container: { resources: good }, pod: init }),
      workload("above", { container: { resources: { ...good, requests: { cpu: "1", memory: "1Gi" } } } }),
      object("Cluster", "db", { spec: { resources: { requests: good.requests } } }),
    ];
    expect(objections(requestsAndLimits, bad)).toMatchInlineSnapshot(`
      [
        "Deployment/production/none spec.template.spec.containers[web].resources.requests.cpu: found none; wanted a quantity. Fix: write resources.requests.cpu",
        "Deployment/production/none spec.template.spec.containers[web].resources.requests.memory: found none; wanted a quantity. Fix: write resources.requests.memory",
        "Deployment/production/none spec.template.spec.containers[web].resources.limits.memory: found none; wanted a quantity. Fix: write resources.limits.memory",
        "Deployment/production/init spec.template.spec.initContainers[init].resources.requests.memory: found none; wanted a quantity. Fix: write resources.requests.memory",
        "Deployment/production/init spec.template.spec.initContainers[init].resources.limits.memory: found none; wanted a quantity. Fix: write resources.limits.memory",
        "Deployment/production/above spec.template.spec.containers[web].resources.requests.memory: found 1Gi, above the limit 256Mi; wanted at most the limit. Fix: lower the request or raise the limit",
        "Cluster/production/db spec.resources.limits.memory: found none; wanted a quantity. Fix: write resources.limits.memory",
      ]
    `);
  });

  it("knows that 1Gi is 1024Mi, and more than 1G", () => {
    expect(bytesOf("1Gi")).toBe(bytesOf("1024Mi"));
    expect(bytesOf("1Gi")).toBeGreaterThan(bytesOf("1G"));
    expect(bytesOf("lots")).toBeNaN();
  });
});

describe("three-probes", () => {
  const probe = { httpGet: { path: "/", port: "http" } };
  const good = { startupProbe: probe, readinessProbe: probe, livenessProbe: { tcpSocket: { port: 3000 } } };

  it("objects to a missing probe and to one at a port that nobody listens on; a Job needs none", () => {
    expect(objections(threeProbes, [workload("web", { container: good }), workload("job", { kind: "Job" })])).toEqual(
      [],
    );
    const wrong = { ...good, readinessProbe: { httpGet: { path: "/", port: "htpp" } } };
    expect(
      objections(threeProbes, [
        workload("none", { container: { readinessProbe: probe } }),
        workload("web", { container: wrong }),
      ]),
    ).toMatchInlineSnapshot(`
      [
        "Deployment/production/none spec.template.spec.containers[web].startupProbe: found none; wanted a probe. Fix: write a startupProbe",
        "Deployment/production/none spec.template.spec.containers[web].livenessProbe: found none; wanted a probe. Fix: write a livenessProbe",
        "Deployment/production/web spec.template.spec.containers[web].readinessProbe: found port htpp; wanted one of http. Fix: name a port of the container",
      ]
    `);
  });
});

describe("what several pods need", () => {
  const spread = {
    topologySpreadConstraints: [
      { topologyKey: "kubernetes.io/hostname", labelSelector: { matchLabels: { app: "web" } } },
    ],
  };
  const several = workload("web", { spec: { replicas: 3 }, pod: spread });
  const budget = (spec: Record<string, unknown>) =>
    object("PodDisruptionBudget", "web", { spec: { selector: { matchLabels: { app: "web" } }, ...spec } });

  it("is to be on several machines", () => {
    expect(objections(severalPodsSpread, [several, workload("one", { spec: { replicas: 1 } })])).toEqual([]);
    const bad = [workload("web", { spec: { replicas: 2 } }), object("Cluster", "db", { spec: { instances: 3 } })];
    expect(objections(severalPodsSpread, bad)).toMatchInlineSnapshot(`
      [
        "Deployment/production/web spec.template.spec.topologySpreadConstraints: found 2 pods, nothing that keeps them on different machines; wanted a constraint on kubernetes.io/hostname that selects them. Fix: write topologySpreadConstraints with the pods' own labels",
        "Cluster/production/db spec.affinity: found 3 pods, nothing that keeps them on different machines; wanted a constraint on kubernetes.io/hostname that selects them. Fix: write topologySpreadConstraints with the pods' own labels",
      ]
    `);
  });

  it("is a budget of their own", () => {
    expect(objections(budgetForSeveral, [several, budget({ maxUnavailable: 1 })])).toEqual([]);
    expect(objections(budgetForSeveral, [several])).toMatchInlineSnapshot(`
      [
        "Deployment/production/web spec.replicas: found 3 pods, no disruption budget that selects them; wanted a PodDisruptionBudget. Fix: declare one with maxUnavailable: 1",
      ]
    `);
  });

  it("is a budget that lets one of them go, or no machine can ever be drained", () => {
    for (const good of [{ maxUnavailable: 1 }, { minAvailable: 2 }, { minAvailable: "50%" }])
      expect(objections(budgetsLetGo, [several, budget(good)]), JSON.stringify(good)).toEqual([]);
    const bad = [{ maxUnavailable: 0 }, { maxUnavailable: "0%" }, { minAvailable: 3 }, { minAvailable: "100%" }];
    expect(bad.flatMap((spec) => objections(budgetsLetGo, [several, budget(spec)]))).toMatchInlineSnapshot(`
      [
        "PodDisruptionBudget/production/web spec.maxUnavailable: found 0 for 3 pods; wanted one pod that may go. Fix: write maxUnavailable: 1 and the labels of the pods",
        "PodDisruptionBudget/production/web spec.maxUnavailable: found 0% for 3 pods; wanted one pod that may go. Fix: write maxUnavailable: 1 and the labels of the pods",
        "PodDisruptionBudget/production/web spec.minAvailable: found 3 for 3 pods; wanted one pod that may go. Fix: write maxUnavailable: 1 and the labels of the pods",
        "PodDisruptionBudget/production/web spec.minAvailable: found 100% for 3 pods; wanted one pod that may go. Fix: write maxUnavailable: 1 and the labels of the pods",
      ]
    `);
    expect(objections(budgetsLetGo, [budget({ maxUnavailable: 1 })])).toHaveLength(1);
  });
});

describe("what a container must not be", () => {
  it("is able to write its own image", () => {
    const good = workload("web", { container: { securityContext: { readOnlyRootFilesystem: true } } });
    expect(objections(readOnlyRoot, [good])).toEqual([]);
    expect(objections(readOnlyRoot, [workload("web")])).toMatchInlineSnapshot(`
      [
        "Deployment/production/web spec.template.spec.containers[web].securityContext.readOnlyRootFilesystem: found a root that the container can write; wanted true. Fix: write readOnlyRootFilesystem: true, and an emptyDir for what must be written",
      ]
    `);
  });

  it("is able to write a machine's files", () => {
    const mount = (readOnly?: boolean) =>
      workload("web", {
        pod: { volumes: [{ name: "host", hostPath: { path: "/" } }] },
        container: { volumeMounts: [{ name: "host", mountPath: "/host", ...(readOnly ? { readOnly } : {}) }] },
      });
    expect(objections(hostPathsAreReadOnly, [mount(true)])).toEqual([]);
    expect(objections(hostPathsAreReadOnly, [mount()])).toMatchInlineSnapshot(`
      [
        "Deployment/production/web spec.template.spec.containers[web].volumeMounts[/host]: found volume host of the machine, to write; wanted readOnly: true. Fix: write readOnly: true",
      ]
    `);
  });

  it("is in the group of root, by word or by omission", () => {
    const context = (securityContext: object) => workload("web", { pod: { securityContext } });
    expect(objections(groupsAreNotRoot, [context({ runAsUser: 1000, runAsGroup: 1000 }), context({})])).toEqual([]);
    const bad = [context({ runAsUser: 1000 }), context({ runAsUser: 1000, runAsGroup: 0 }), context({ fsGroup: 0 })];
    expect(objections(groupsAreNotRoot, bad)).toMatchInlineSnapshot(`
      [
        "Deployment/production/web spec.template.spec.containers[web].securityContext.runAsGroup: found nothing; wanted a group above 0. Fix: write runAsGroup",
        "Deployment/production/web spec.template.spec.containers[web].securityContext.runAsGroup: found 0; wanted a group above 0. Fix: write runAsGroup",
        "Deployment/production/web spec.template.spec.securityContext.fsGroup: found 0; wanted a group above 0. Fix: write fsGroup with the program's own group",
      ]
    `);
  });
});

describe("where pods run", () => {
  const enforce = "pod-security.kubernetes.io/enforce";

  it("is a namespace in which the API server refuses what no preview has seen", () => {
    const good = namespace("production", { [enforce]: "restricted", [`${enforce}-version`]: "latest" });
    expect(objections(namespacesEnforceRestricted, [good])).toEqual([]);
    expect(
      objections(namespacesEnforceRestricted, [namespace("other", { [enforce]: "baseline" })]),
    ).toMatchInlineSnapshot(`
      [
        "Namespace/other metadata.labels[pod-security.kubernetes.io/enforce]: found baseline; wanted restricted. Fix: label it pod-security.kubernetes.io/enforce: restricted",
        "Namespace/other metadata.labels[pod-security.kubernetes.io/enforce-version]: found none; wanted latest, or a version from v1.30 on. Fix: label it pod-security.kubernetes.io/enforce-version: latest",
      ]
    `);
  });

  it("is a namespace of the stack", () => {
    const home = namespace("production");
    expect(objections(namespacesOfTheStack, [home, workload("web")])).toEqual([]);
    const bad = [
      workload("web", { metadata: { namespace: "default" } }),
      workload("two", { metadata: { namespace: undefined } }),
    ];
    expect(objections(namespacesOfTheStack, [home, ...bad])).toMatchInlineSnapshot(`
      [
        "Deployment/default/web metadata.namespace: found default; wanted one of production. Fix: write a namespace of the stack",
        "Deployment/two metadata.namespace: found none, which is default; wanted one of production. Fix: write a namespace of the stack",
      ]
    `);
  });
});

describe("no-hidden-workloads", () => {
  it.each([
    "kubernetes:helm.sh/v3:Release",
    "kubernetes:helm.sh/v3:Chart",
    "kubernetes:helm.sh/v4:Chart",
    "kubernetes:yaml:ConfigGroup",
    "kubernetes:yaml:ConfigFile",
    "kubernetes:yaml/v2:ConfigGroup",
    "kubernetes:kustomize:Directory",
    "kubernetes:kustomize/v2:Directory",
    "kubernetes:core/v1:ServiceList",
  ])("objects to %s: nobody sees what is in it", (type) => {
    expect(objections(noHiddenWorkloads, [resource(type, "redis")])).toEqual([
      `${type.split(":").at(-1)}/redis type: found ${type}; wanted typed resources. Fix: declare each object by its own class`,
    ]);
  });

  it("lets typed resources pass", () => {
    expect(
      objections(noHiddenWorkloads, [workload("web"), resource("random:index/randomPassword:RandomPassword", "x")]),
    ).toEqual([]);
  });
});
