import type { V1ResourceRequirements } from "@kubernetes/client-node";
import { everywhere } from "../levels.ts";
import { at, treeOf } from "../manifest.ts";
import { podsOf } from "../pod.ts";
import { bytesOf } from "../quantity.ts";
import type { Finding, ResourceRule, Subject } from "../rule.ts";
import { kindOf } from "../subject.ts";

/** CPU needs no limit: throttling costs latency and saves nothing. Memory does: the kernel kills whoever is near. */
export const requestsAndLimits: ResourceRule = {
  id: "requests-and-limits",
  summary: "Every container asks for CPU and memory and has a memory limit not below what it asks for.",
  why: "Without a request the scheduler puts it on a full machine; without a limit it takes the machine's memory and its neighbours die.",
  severity: "high",
  sources: [
    "S2-21",
    "S4-26",
    "CKV_K8S_10",
    "CKV_K8S_12",
    "CKV_K8S_13",
    "KSV015",
    "KSV016",
    "KSV018",
    "C-0270",
    "C-0271",
  ],
  levels: everywhere,
  example: {
    bad: "containers:\n  - name: backend\n    resources: {requests: {cpu: 50m}}",
    good: "containers:\n  - name: backend\n    resources: {requests: {cpu: 50m, memory: 96Mi}, limits: {memory: 256Mi}}",
  },
  judge: (subject) => placesOf(subject).flatMap(([path, resources]) => problemsOf(path, resources)),
};

function placesOf(subject: Subject): readonly (readonly [path: string, resources: V1ResourceRequirements])[] {
  // Neither has a pod template; the plugin's sidecar runs beside the database.
  if (kindOf(subject) === "Cluster") return [["spec.resources", treeOf(at(subject.object, "spec", "resources"))]];
  if (kindOf(subject) === "ObjectStore")
    return [
      [
        "spec.instanceSidecarConfiguration.resources",
        treeOf(at(subject.object, "spec", "instanceSidecarConfiguration", "resources")),
      ],
    ];
  return podsOf(subject).flatMap(({ containers }) =>
    containers
      .filter(({ list }) => list !== "ephemeralContainers")
      .map(({ path, object }) => [`${path}.resources`, object.resources ?? {}] as const),
  );
}

function problemsOf(path: string, { requests = {}, limits = {} }: V1ResourceRequirements): readonly Finding[] {
  const lacks = (field: string): Finding => ({
    path: `${path}.${field}`,
    found: "none",
    wanted: "a quantity",
    fix: `write ${path.split(".").at(-1)}.${field}`,
  });
  const missing = [
    // A limit alone is a request, too.
    ...(requests.cpu === undefined && limits.cpu === undefined ? [lacks("requests.cpu")] : []),
    ...(requests.memory === undefined ? [lacks("requests.memory")] : []),
    // Nothing is no limit to the kubelet.
    ...(limits.memory === undefined || bytesOf(limits.memory) === 0 ? [lacks("limits.memory")] : []),
  ];
  if (requests.memory === undefined || limits.memory === undefined) return missing;
  // What is no quantity compares with nothing, and is no limit.
  if (bytesOf(requests.memory) <= bytesOf(limits.memory)) return missing;
  return [
    ...missing,
    {
      path: `${path}.requests.memory`,
      found: `${requests.memory}, above the limit ${limits.memory}`,
      wanted: "at most the limit",
      fix: "lower the request or raise the limit",
    },
  ];
}
