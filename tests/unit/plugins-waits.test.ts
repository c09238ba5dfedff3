import { describe, expect, it } from "vitest";
import { parseJsonPath } from "../../local/plugins/kubernetes/await/json-path.ts";
import { problemsOfPod } from "../../local/plugins/kubernetes/await/pod-problems.ts";
import {
  claimReadiness,
  deploymentReadiness,
  jobReadiness,
  serviceReadiness,
  statefulSetReadiness,
} from "../../local/plugins/kubernetes/await/readiness.ts";
import { timeoutSeconds } from "../../local/plugins/kubernetes/await/wait.ts";
import { askedReadiness } from "../../local/plugins/kubernetes/await/wait-for.ts";
import type { Properties } from "../../local/plugins/rpc/properties.ts";

const available = { type: "Available", status: "True" };

describe("a Deployment", () => {
  const deployment = (status: Properties, replicas = 3) => ({
    kind: "Deployment",
    metadata: { generation: 2 },
    spec: { replicas },
    status: { observedGeneration: 2, conditions: [available], ...status },
  });

  it.each([
    ["when every replica is new and available", { replicas: 3, updatedReplicas: 3, availableReplicas: 3 }, true],
    ["not while an old replica is left", { replicas: 4, updatedReplicas: 3, availableReplicas: 4 }, false],
    ["not while a new one is missing", { replicas: 3, updatedReplicas: 2, availableReplicas: 3 }, false],
    ["not while one is not available", { replicas: 3, updatedReplicas: 3, availableReplicas: 2 }, false],
    [
      "not before its controller has seen it",
      { observedGeneration: 1, replicas: 3, updatedReplicas: 3, availableReplicas: 3 },
      false,
    ],
  ] as const)("is ready %s", (_, status, ready) => {
    expect(deploymentReadiness(deployment(status)).ready).toBe(ready);
  });

  it("of no replicas is ready", () => {
    expect(deploymentReadiness(deployment({}, 0)).ready).toBe(true);
  });

  it("says what stands in the way", () => {
    const conditions = [
      available,
      { type: "ReplicaFailure", status: "True", reason: "FailedCreate", message: "quota exceeded" },
    ];
    expect(deploymentReadiness(deployment({ conditions })).problems).toEqual(["[FailedCreate] quota exceeded"]);
  });
});

describe("a StatefulSet", () => {
  const set = (status: Properties) => ({
    metadata: { generation: 1 },
    spec: { replicas: 1 },
    status: {
      observedGeneration: 1,
      currentRevision: "a",
      updateRevision: "a",
      replicas: 1,
      readyReplicas: 1,
      currentReplicas: 1,
      ...status,
    },
  });

  it.each([
    ["when its replicas are ready and of one revision", {}, true],
    ["not while a revision rolls out", { updateRevision: "b" }, false],
    ["not while a pod is not ready", { readyReplicas: 0 }, false],
  ] as const)("is ready %s", (_, status, ready) => {
    expect(statefulSetReadiness(set(status)).ready).toBe(ready);
  });
});

describe("a Job", () => {
  const job = (type: string) => ({
    status: { failed: 1, conditions: [{ type, status: "True", reason: "BackoffLimitExceeded", message: "too often" }] },
  });

  it("is ready when complete, and never when failed", () => {
    expect(jobReadiness(job("Complete")).ready).toBe(true);
    expect(jobReadiness(job("Failed"))).toMatchObject({
      ready: false,
      failed: true,
      problems: ["[BackoffLimitExceeded] too often"],
    });
    expect(jobReadiness({}).failed).toBe(false);
  });
});

describe("a Service", () => {
  const service = (spec: Properties) => ({ kind: "Service", spec: { selector: { app: "a" }, ...spec } });
  const slice = (...ready: readonly boolean[]) => ({ endpoints: ready.map((it) => ({ conditions: { ready: it } })) });

  it("is ready when no pod that it selects is not; none at all is no reason to wait", () => {
    expect(serviceReadiness(service({}), [slice()]).ready).toBe(true);
    expect(serviceReadiness(service({}), [slice(true, true)]).ready).toBe(true);
    expect(serviceReadiness(service({}), [slice(true, false)]).ready).toBe(false);
    expect(serviceReadiness(service({}), []).ready).toBe(false);
  });

  it("without pods of its own is ready at once", () => {
    for (const spec of [{ selector: {} }, { clusterIP: "None" }, { type: "ExternalName" }]) {
      expect(serviceReadiness(service(spec), []).ready).toBe(true);
    }
  });

  it("of type LoadBalancer waits for its address", () => {
    expect(serviceReadiness(service({ type: "LoadBalancer" }), [slice()]).ready).toBe(false);
  });
});

describe("a claim", () => {
  it("is ready when bound, or pending where the volume comes with the first pod", () => {
    const claim = (phase: string) => ({ status: { phase } });
    expect(claimReadiness(claim("Bound"), "").ready).toBe(true);
    expect(claimReadiness(claim("Pending"), "").ready).toBe(false);
    expect(claimReadiness(claim("Pending"), "WaitForFirstConsumer").ready).toBe(true);
  });
});

describe("pulumi.com/waitFor", () => {
  const object = {
    metadata: { generation: 2 },
    status: {
      phase: "Up",
      parents: [
        {
          conditions: [
            { type: "Accepted", status: "True" },
            { type: "Resolved", status: "False" },
          ],
        },
      ],
      conditions: [
        { type: "Ready", status: "True", observedGeneration: 2 },
        { type: "Old", status: "True", observedGeneration: 1 },
      ],
    },
  };
  const judged = (expression: string) =>
    askedReadiness({ ...object, metadata: { generation: 2, annotations: { "pulumi.com/waitFor": expression } } })?.(
      object,
    );

  it.each([
    ["jsonpath={.status.phase}", true],
    ["jsonpath={.status.phase}=Up", true],
    ["jsonpath={.status.phase}=Down", false],
    ["jsonpath={.status.missing}", false],
    ['jsonpath={.status.parents[0].conditions[?(@.type=="Accepted")].status}=True', true],
    ['jsonpath={.status.parents[*].conditions[?(@.type=="Resolved")].status}=True', false],
    ["condition=Ready", true],
    ["condition=Ready=False", false],
    ["condition=Old", false],
    ["condition=Missing", false],
    ['["condition=Ready", "jsonpath={.status.phase}=Up"]', true],
    ['["condition=Ready", "jsonpath={.status.phase}=Down"]', false],
  ] as const)("%s is met: %j", (expression, ready) => {
    expect(judged(expression)?.ready).toBe(ready);
  });

  it.each([
    ["phase=Up", 'it starts with "jsonpath=" or "condition="'],
    ["jsonpath=.status.phase", "the form is jsonpath={.path}"],
    ["jsonpath={..phase}", "is not understood"],
    ["jsonpath={.status.conditions}=x", "is never equal"],
    ["[]", "must hold one or more strings"],
  ] as const)("%s is refused: %s", (expression, message) => {
    expect(() => judged(expression)).toThrow(message);
  });

  it("is not there on most objects", () => {
    expect(askedReadiness(object)).toBeUndefined();
  });
});

describe("a JSONPath", () => {
  const value = { a: [{ n: 1 }, { n: 2, "x-y": "z" }], "d.e": true };

  it.each([
    ["$.a[0].n", [1]],
    ["$.a[-1].n", [2]],
    ["$.a[*].n", [1, 2]],
    ["$['d.e']", [true]],
    ["$.a[?(@.n==2)]['x-y']", ["z"]],
    ["$.a[?@.n != 2].n", [1]],
    ["$.a[?(@['x-y'])].n", [2]],
    ["$.b", []],
  ] as const)("%s selects %j", (path, found) => {
    expect(parseJsonPath(path).select(value)).toEqual(found);
  });
});

describe("why a pod is not ready", () => {
  it.each([
    [
      "its scheduling",
      { conditions: [{ type: "PodScheduled", status: "False", message: "0/1 nodes fit" }] },
      ["pod p: 0/1 nodes fit"],
    ],
    [
      "an image that cannot be had",
      {
        containerStatuses: [
          { name: "c", ready: false, state: { waiting: { reason: "ErrImagePull", message: "no such image" } } },
        ],
      },
      ["pod p, container c: [ErrImagePull] no such image"],
    ],
    [
      "a crash",
      {
        containerStatuses: [
          {
            name: "c",
            ready: false,
            state: { waiting: { reason: "CrashLoopBackOff", message: "back-off" } },
            lastState: { terminated: { exitCode: 3, reason: "Error", message: "no database\n" } },
          },
        ],
      },
      [
        "pod p, container c: [CrashLoopBackOff] back-off",
        "pod p, container c: ended before with exit code 3 (Error): no database",
      ],
    ],
    ["nothing, when it is ready", { conditions: [{ type: "Ready", status: "True" }] }, []],
    [
      "nothing, while it is made",
      { containerStatuses: [{ name: "c", state: { waiting: { reason: "ContainerCreating" } } }] },
      [],
    ],
  ])("is %s", (_, status, lines) => {
    expect(problemsOfPod({ metadata: { name: "p" }, status })).toEqual(lines);
  });
});

describe("a time limit", () => {
  it("is the resource's own, else the annotation's, else ten minutes", () => {
    const annotated = { metadata: { annotations: { "pulumi.com/timeoutSeconds": "20" } } };
    expect([timeoutSeconds(5, annotated), timeoutSeconds(0, annotated), timeoutSeconds(0, {})]).toEqual([5, 20, 600]);
  });
});
