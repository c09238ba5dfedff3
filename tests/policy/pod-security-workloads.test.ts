import { describe, expect, it } from "vitest";
import { judgeAll } from "../../policies/judge.ts";
import { podsOf } from "../../policies/pod.ts";
import { podSecurity } from "../../policies/pod-security/standards.ts";
import { subjectOfManifest } from "../../policies/subject.ts";

const production = { environment: "production" } as const;
const metadata = { name: "web", namespace: "production" };
const unsafe = { spec: { containers: [{ name: "web" }], initContainers: [{ name: "first" }] } };

const pathsOf = (manifest: object) =>
  podsOf(subjectOfManifest(manifest)).flatMap(({ containers }) => containers.map(({ path }) => path));

describe("no kind of workload carries a pod past the rules", () => {
  it.each([
    ["v1", "Pod", unsafe, "spec"],
    ["v1", "PodTemplate", { template: unsafe }, "template.spec"],
    ["v1", "ReplicationController", { spec: { template: unsafe } }, "spec.template.spec"],
    ["apps/v1", "Deployment", { spec: { template: unsafe } }, "spec.template.spec"],
    ["apps/v1", "DeploymentPatch", { spec: { template: unsafe } }, "spec.template.spec"],
    ["apps/v1", "ReplicaSet", { spec: { template: unsafe } }, "spec.template.spec"],
    ["apps/v1", "StatefulSet", { spec: { template: unsafe } }, "spec.template.spec"],
    ["apps/v1", "DaemonSet", { spec: { template: unsafe } }, "spec.template.spec"],
    ["batch/v1", "Job", { spec: { template: unsafe } }, "spec.template.spec"],
    [
      "batch/v1",
      "CronJob",
      { spec: { jobTemplate: { spec: { template: unsafe } } } },
      "spec.jobTemplate.spec.template.spec",
    ],
    ["kibana.k8s.elastic.co/v1", "Kibana", { spec: { podTemplate: unsafe } }, "spec.podTemplate.spec"],
    ["logstash.k8s.elastic.co/v1alpha1", "Logstash", { spec: { podTemplate: unsafe } }, "spec.podTemplate.spec"],
    [
      "beat.k8s.elastic.co/v1beta1",
      "Beat",
      { spec: { daemonSet: { podTemplate: unsafe } } },
      "spec.daemonSet.podTemplate.spec",
    ],
    [
      "beat.k8s.elastic.co/v1beta1",
      "Beat",
      { spec: { deployment: { podTemplate: unsafe } } },
      "spec.deployment.podTemplate.spec",
    ],
    [
      "elasticsearch.k8s.elastic.co/v1",
      "Elasticsearch",
      { spec: { nodeSets: [{ podTemplate: unsafe }] } },
      "spec.nodeSets[0].podTemplate.spec",
    ],
  ])("%s %s", (apiVersion, kind, body, path) => {
    const manifest = { apiVersion, kind, metadata, ...body };
    // What Elastic's operator adds by itself stands among them.
    const written = pathsOf(manifest).filter((each) => !/\[(kibana|logstash|beat|elasticsearch)\]$/.test(each));
    expect(written).toEqual([`${path}.initContainers[first]`, `${path}.containers[web]`]);
    const ids = judgeAll([subjectOfManifest(manifest)], podSecurity, production).map(({ rule }) => rule.id);
    expect(new Set(ids)).toContain("allowPrivilegeEscalation");
  });

  it("reads no pods in what has none", () => {
    expect(pathsOf({ apiVersion: "v1", kind: "Service", metadata, spec: { template: unsafe } })).toEqual([]);
  });
});

describe("the pod of a Prometheus", () => {
  const prometheus = (spec: object) =>
    subjectOfManifest({ apiVersion: "monitoring.coreos.com/v1", kind: "Prometheus", metadata, spec });
  const securityContext = { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } };
  const raised = (spec: object) =>
    judgeAll([prometheus(spec)], podSecurity, production).map(({ rule, finding }) => [rule.id, finding?.path]);

  it("has the container that the operator makes, with what stands beside", () => {
    const [pod] = podsOf(prometheus({ image: "prometheus@sha256:1", resources: { limits: { memory: "1Gi" } } }));
    expect(pod?.containers.map(({ name, object }) => [name, object.image, object.resources?.limits?.memory])).toEqual([
      ["prometheus", "prometheus@sha256:1", "1Gi"],
    ]);
  });

  it("passes when its pod level is safe: the rest the operator writes", () => {
    expect(raised({ securityContext })).toEqual([]);
  });

  it("is refused without it, or with a patch that takes the operator's own away", () => {
    expect(raised({}).map(([id]) => id)).toEqual(["runAsNonRoot", "seccompProfile_restricted"]);
    const containers = [{ name: "prometheus", securityContext: { privileged: true } }];
    expect(raised({ securityContext, containers })).toEqual([
      ["privileged", "spec.containers[prometheus].securityContext.privileged"],
    ]);
    expect(raised({ securityContext, containers: [{ name: "beside" }] }).map(([id]) => id)).toEqual([
      "allowPrivilegeEscalation",
      "capabilities_restricted",
    ]);
  });
});

describe("the security context that a container runs with", () => {
  const effective = (pod: object, container: object) => {
    const template = { spec: { securityContext: pod, containers: [{ name: "web", securityContext: container }] } };
    const subject = subjectOfManifest({ apiVersion: "v1", kind: "Pod", metadata, ...template });
    const [view] = podsOf(subject).flatMap(({ containers }) => containers);
    if (view === undefined) throw new Error("the pod has no container");
    return view.security;
  };
  const atPod = "spec.securityContext";
  const atContainer = "spec.containers[web].securityContext";

  it("is the pod's until the container says otherwise", () => {
    expect(effective({ runAsUser: 7 }, {}).runAsUser).toEqual({ value: 7, path: `${atPod}.runAsUser` });
    expect(effective({ runAsUser: 7 }, { runAsUser: 0 }).runAsUser).toEqual({
      value: 0,
      path: `${atContainer}.runAsUser`,
    });
    expect(effective({}, {}).runAsGroup).toEqual({ value: undefined, path: `${atContainer}.runAsGroup` });
  });

  it("takes a profile whole from one of the two", () => {
    const profile = { type: "RuntimeDefault" };
    const pod = { seccompProfile: { type: "Localhost", localhostProfile: "a.json" } };
    expect(effective(pod, { seccompProfile: profile }).seccompProfile.value).toEqual(profile);
  });

  it("overlays Windows options field by field", () => {
    const { windowsOptions } = effective(
      { windowsOptions: { hostProcess: true } },
      { windowsOptions: { runAsUserName: "web" } },
    );
    expect(windowsOptions.value).toEqual({ hostProcess: true, runAsUserName: "web" });
  });

  it("inherits nothing that only a container may say", () => {
    expect(effective({ readOnlyRootFilesystem: true }, {}).readOnlyRootFilesystem.value).toBeUndefined();
  });
});
