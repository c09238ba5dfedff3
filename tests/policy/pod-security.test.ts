import { afterAll, describe, expect, it } from "vitest";
import { judgeAll } from "../../policies/judge.ts";
import { newestMinor, oldestMinor } from "../../policies/pod-security/check.ts";
import { baseline, podSecurity } from "../../policies/pod-security/standards.ts";
import type { Rule, Subject } from "../../policies/rule.ts";
import { subjectOfManifest } from "../../policies/subject.ts";
import { messageOf } from "../../policies/verdict.ts";
import { type PodCase, podCases, type Standard, standards, wrappings } from "../support/pod-security-fixtures.ts";

const minors = Array.from({ length: newestMinor - oldestMinor + 1 }, (_, index) => oldestMinor + index);
const rulesOf: Readonly<Record<Standard, readonly Rule[]>> = { baseline, restricted: podSecurity };

/**
 * What else a case of one check breaks. Kubernetes asks the stricter of two checks alone, where we ask both; the API server refuses a
 * privileged container that forbids escalation, and a Windows process of the machine without its network, so no case can have one
 * without the other.
 */
const besides: Readonly<Record<string, string>> = {
  // Its fourth case has no security context at all.
  allowprivilegeescalation: "capabilities_restricted",
  capabilities_baseline: "capabilities_restricted",
  hostpathvolumes: "restrictedvolumes",
  privileged: "allowprivilegeescalation",
  procmount: "procmount_restricted",
  procmount_restricted: "procmount",
  restrictedvolumes: "hostpathvolumes",
  seccompprofile_baseline: "seccompprofile_restricted",
  seccompprofile_restricted: "seccompprofile_baseline",
  windowshostprocess: "hostnamespaces",
};

const counts = { files: 0, judged: 0, disagreements: 0 };

function raised(subject: Subject, standard: Standard, minor: number): readonly string[] {
  const judgements = judgeAll([subject], rulesOf[standard], { environment: "production", podSecurityMinor: minor });
  return [...new Set(judgements.map(({ rule, verdict }) => (verdict === "violation" ? rule.id : `${rule.id}?`)))];
}

/** Where a case and our rules differ, in words; undefined where they do not. */
function disagreement({ file, breaks, pod }: PodCase, kind: string, standard: Standard, minor: number) {
  const wrap = wrappings[kind];
  if (wrap === undefined) throw new Error(`no way to wrap a pod as a ${kind}`);
  const ids = raised(subjectOfManifest(wrap(pod)), standard, minor).map((id) => id.toLowerCase());
  const own = breaks === undefined || ids.includes(breaks);
  const others = ids.filter((id) => id !== breaks && id !== besides[breaks ?? ""]);
  return own && others.length === 0 ? undefined : `${file} as ${kind}: raised ${ids.join(", ") || "nothing"}`;
}

describe("a pod that Kubernetes would refuse is refused in the preview, and no other", () => {
  afterAll(() => {
    console.log(
      `Pod Security: ${counts.files} cases of Kubernetes as ${Object.keys(wrappings).join(", ")}: ${counts.judged} judged, ${counts.disagreements} disagreements`,
    );
  });

  for (const standard of standards) {
    it.each(minors)(`${standard} of v1.%i`, async (minor) => {
      const cases = await podCases(standard, minor);
      const wrong = cases.flatMap((podCase) =>
        Object.keys(wrappings).flatMap((kind) => disagreement(podCase, kind, standard, minor) ?? []),
      );
      counts.files += cases.length;
      counts.judged += cases.length * Object.keys(wrappings).length;
      counts.disagreements += wrong.length;
      expect(wrong).toEqual([]);
      // A folder that came empty would agree with everything.
      expect(cases.filter(({ breaks }) => breaks === undefined).length).toBeGreaterThan(10);
      const broken = new Set(cases.flatMap(({ breaks }) => breaks ?? []));
      const known = rulesOf[standard].map(({ id }) => id.toLowerCase()).filter((id) => since(id) <= minor);
      expect([...broken].toSorted()).toEqual(known.toSorted());
    });
  }
});

/** The first version that has a check, for those that came after the oldest version here. */
const since = (id: string) => ({ hostprobesandhostlifecycle: 34, procmount_restricted: 35 })[id] ?? 0;

describe("a container that was added to a running pod", () => {
  const safe = {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ["ALL"] },
  };
  const pod = (ephemeral: object, spec: object = {}) =>
    subjectOfManifest({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "web", namespace: "production" },
      spec: {
        securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
        containers: [{ name: "web", securityContext: safe }],
        ephemeralContainers: [{ name: "debug", ...ephemeral }],
        ...spec,
      },
    });
  const path = "spec.ephemeralContainers[debug]";

  it("passes when it is as safe as the others", () => {
    expect(judgeAll([pod({ securityContext: safe })], podSecurity, { environment: "production" })).toEqual([]);
  });

  it.each([
    ["privileged", { securityContext: { ...safe, privileged: true } }, `${path}.securityContext.privileged`],
    [
      "capabilities_baseline",
      { securityContext: { ...safe, capabilities: { drop: ["ALL"], add: ["SYS_PTRACE"] } } },
      `${path}.securityContext.capabilities.add`,
    ],
    [
      "capabilities_restricted",
      { securityContext: { allowPrivilegeEscalation: false } },
      `${path}.securityContext.capabilities.drop`,
    ],
    [
      "allowPrivilegeEscalation",
      { securityContext: { capabilities: { drop: ["ALL"] } } },
      `${path}.securityContext.allowPrivilegeEscalation`,
    ],
    ["runAsNonRoot", { securityContext: { ...safe, runAsNonRoot: false } }, `${path}.securityContext.runAsNonRoot`],
    ["runAsUser", { securityContext: { ...safe, runAsUser: 0 } }, `${path}.securityContext.runAsUser`],
    [
      "seccompProfile_baseline",
      { securityContext: { ...safe, seccompProfile: { type: "Unconfined" } } },
      `${path}.securityContext.seccompProfile.type`,
    ],
    [
      "appArmorProfile",
      { securityContext: { ...safe, appArmorProfile: { type: "Unconfined" } } },
      `${path}.securityContext.appArmorProfile.type`,
    ],
    [
      "seLinuxOptions",
      { securityContext: { ...safe, seLinuxOptions: { type: "spc_t" } } },
      `${path}.securityContext.seLinuxOptions.type`,
    ],
    ["procMount", { securityContext: { ...safe, procMount: "Unmasked" } }, `${path}.securityContext.procMount`],
    [
      "windowsHostProcess",
      { securityContext: { ...safe, windowsOptions: { hostProcess: true } } },
      `${path}.securityContext.windowsOptions.hostProcess`,
    ],
    ["hostPorts", { securityContext: safe, ports: [{ containerPort: 80, hostPort: 80 }] }, `${path}.ports[0].hostPort`],
    [
      "hostProbesAndHostLifecycle",
      { securityContext: safe, lifecycle: { preStop: { httpGet: { host: "10.0.0.1", port: 80 } } } },
      `${path}.lifecycle.preStop.httpGet.host`,
    ],
  ])("is refused by %s", (id, container, where) => {
    const found = judgeAll([pod(container)], podSecurity, { environment: "production" });
    const own = found.filter(({ rule }) => rule.id === id);
    expect(own.map(({ finding }) => finding?.path)).toEqual([where]);
  });

  it("is refused when nothing says that it is not root, and the message says where to say it", () => {
    const subject = pod({ securityContext: safe }, { securityContext: { seccompProfile: { type: "RuntimeDefault" } } });
    expect(judgeAll([subject], podSecurity, { environment: "production" }).map(messageOf)).toEqual(
      ["containers[web]", "ephemeralContainers[debug]"].map(
        (container) =>
          `spec.${container}.securityContext.runAsNonRoot: found nothing, at the container and at the pod; wanted true. Fix: set runAsNonRoot: true in the pod's securityContext`,
      ),
    );
  });
});
