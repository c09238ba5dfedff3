import type { Break } from "./break.ts";

const kubernetes = "tests/policy/pod-security.test.ts";
const evaluator = "tests/policy/pod-security-evaluator.test.ts";
const judge = "tests/policy/judge.test.ts";
const workloads = "tests/policy/pod-security-workloads.test.ts";
const crossguard = "tests/policy/crossguard.test.ts";

/** What the policy pack makes of a pod that Kubernetes would refuse, and of what it cannot know yet. */
export const breaks: readonly Break[] = [
  {
    promise: "A container that turns off what its pod says is found (where Trivy's KSV012 is silent).",
    file: "policies/pod-security/effective.ts",
    find: "if (own.value !== undefined) return own;",
    replace: "if (own.value === undefined) return own;",
    test: kubernetes,
    name: "restricted of v1.37",
  },
  {
    promise: "Users of its own excuse a pod since 1.35, and not before.",
    file: "policies/pod-security/check.ts",
    find: "minor >= 35 && spec.hostUsers === false",
    replace: "spec.hostUsers === false",
    test: kubernetes,
    name: "restricted of v1.34",
  },
  {
    promise: "A list of dropped capabilities is not all of them.",
    file: "policies/pod-security/capabilities_restricted.ts",
    find: 'if (!dropped.includes("ALL")) {',
    replace: "if (dropped.length === 0) {",
    test: kubernetes,
    name: "restricted of v1.37",
  },
  {
    promise: "A container that was added to a running pod is judged like the others.",
    file: "policies/pod.ts",
    find: '["initContainers", "containers", "ephemeralContainers"] as const',
    replace:
      '["initContainers", "containers"] as unknown as readonly ["initContainers", "containers", "ephemeralContainers"]',
    test: kubernetes,
    name: "is refused by privileged",
  },
  {
    promise: "Our verdict on a pod is the one of Kubernetes' own code, for pods that nobody wrote a case for.",
    file: "policies/pod-security/check.ts",
    find: 'spec.os?.name === "windows"',
    replace: "spec.os !== undefined",
    test: evaluator,
    name: "breaks the same checks here as in Kubernetes' own code",
  },
  {
    promise: "A CronJob's pods are judged like any other's.",
    file: "policies/pod.ts",
    find: 'CronJob: "spec.jobTemplate.spec.template"',
    replace: 'CronJob: "spec.template"',
    test: workloads,
    name: "batch/v1 CronJob",
  },
  {
    promise: "What a preview does not know yet is never taken for a pass.",
    file: "policies/judge.ts",
    find: 'if (unknown !== undefined) said.push({ rule, subject, verdict: "undecidable", unknown });\n  return said;\n}\n\nfunction judgeStack',
    replace: "if (unknown !== undefined) return said;\n  return said;\n}\n\nfunction judgeStack",
    test: judge,
    name: "is undecidable on an unknown value, never a pass",
  },
  {
    promise: "An unknown value does not hide what is wrong with the container beside it.",
    file: "policies/unknown.ts",
    find: "unknown ??= error;",
    replace: "throw error;",
    test: judge,
    name: "is found although the first is not known yet",
  },
  {
    promise: "A resource is judged as it is now, not as it was when the rule was asked last.",
    file: "policies/crossguard.ts",
    find: "this.#made === undefined || this.#asked.has(rule)",
    replace: "this.#made === undefined",
    test: crossguard,
    name: "judges a resource as it is now",
  },
  {
    promise: "A pack that was told nothing of its stack judges as in production.",
    file: "policies/circumstances.ts",
    find: 'return { environment: "production", exemptions: [] };',
    replace: 'return { environment: "local", exemptions: [] };',
    test: crossguard,
    name: "judges as in production",
  },
  {
    promise: "An exemption lets pass what it names, and nothing else.",
    file: "policies/pack.ts",
    find: "excuseBy(exemptions, today)",
    replace: "() => []",
    test: crossguard,
    name: "fails the preview of a privileged container",
  },
];
