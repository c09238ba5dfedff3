import { beforeAll, describe, expect, it } from "vitest";
import { podsOf } from "../../policies/pod.ts";
import { checkov, ensureCheckov } from "../support/peers/checkov.ts";
import { ensureKubeScore, kubeScore } from "../support/peers/kube-score.ts";
import { reconcile } from "../support/peers/ledger.ts";
import { rendered, renderedYaml } from "../support/rendered.ts";
import { accepted } from "./peers-accepted.ts";

const stacks = ["staging", "production"] as const;

/** A Deployment as nobody should write it, and that asks to be left alone. */
const careless = `---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: careless
  namespace: staging
  annotations:
    checkov.io/skip1: CKV_K8S_16=we need it
    kube-score/ignore: container-security-context-privileged
spec:
  selector: { matchLabels: { app: careless } }
  template:
    metadata: { labels: { app: careless } }
    spec: { containers: [{ name: web, image: "web:latest", securityContext: { privileged: true } }] }
`;

/** Each peer, a check that `careless` fails, and checks that pass on each stack: far fewer, and it has read only a part. */
const peers = [
  { judge: "checkov", ask: checkov, fails: "CKV_K8S_16", atLeast: 1_000 },
  { judge: "kube-score", ask: kubeScore, fails: "container-security-context-privileged", atLeast: 300 },
] as const;

describe("peers as judges", () => {
  beforeAll(() => Promise.all([ensureCheckov(), ensureKubeScore()]), 15 * 60_000);

  it.each(peers)(
    "$judge finds nothing in staging and production that has no reason, and no reason is about nothing",
    async ({ judge, ask, atLeast }) => {
      const verdicts = [];
      // One after the other: each takes a core and some hundred MiB.
      for (const stack of stacks) verdicts.push(await ask(await renderedYaml(stack), stack));
      const { open, stale } = reconcile(
        verdicts.flatMap(({ findings }) => findings),
        accepted.filter((entry) => entry.judge === judge),
      );
      expect(open, "found, and neither mended nor in tests/policy/peers-accepted.ts").toEqual([]);
      expect(stale, "in tests/policy/peers-accepted.ts, and found by nobody: take it out").toEqual([]);
      for (const { passed } of verdicts) expect(passed, "checks that passed").toBeGreaterThan(atLeast);
    },
  );

  it.each(peers)("$judge is heard on a careless Deployment, whatever its annotations ask", async ({ ask, fails }) => {
    const { findings } = await ask(careless, "staging");
    const privileged = findings.filter(({ check }) => check === fails);
    expect(privileged.map(({ object }) => object)).toEqual(["Deployment/<environment>/careless"]);
    expect(reconcile(privileged, accepted).open).toHaveLength(1);
  });
});

describe("what the ledger's reasons rest on", () => {
  it.each(stacks)(
    "no pod of %s can fill the disk of its node: its root is read-only, its directories have a limit",
    async (stack) => {
      const pods = (await rendered(stack)).filter(({ custom }) => custom).flatMap(podsOf);
      expect(pods.length).toBeGreaterThan(15);
      const without = pods.flatMap(({ subject, spec, containers, operated }) => [
        ...containers
          .filter(({ object }) => object.securityContext?.readOnlyRootFilesystem !== true && !operated)
          .map(({ path }) => `${subject.name} ${path}`),
        ...(spec.volumes ?? [])
          .filter(({ emptyDir }) => emptyDir !== undefined && emptyDir.sizeLimit === undefined)
          .map(({ name }) => `${subject.name} volume ${name}`),
      ]);
      expect(without).toEqual([]);
    },
  );

  it.each(stacks)("liveness of %s is never quicker than readiness where both ask the same", async (stack) => {
    const pods = (await rendered(stack)).filter(({ custom }) => custom).flatMap(podsOf);
    const asked = pods.flatMap(({ subject, containers }) =>
      containers.flatMap(({ object: { readinessProbe: ready, livenessProbe: live } }) =>
        ready?.httpGet && live?.httpGet && live.httpGet.path === ready.httpGet.path
          ? [{ name: subject.name, ready: patienceOf(ready), live: patienceOf(live) }]
          : [],
      ),
    );
    expect(asked.length).toBeGreaterThan(5);
    for (const { name, ready, live } of asked) expect(live, name).toBeGreaterThanOrEqual(2 * ready);
  });
});

/** Seconds of silence until the kubelet acts on it. */
const patienceOf = ({ periodSeconds = 10, failureThreshold = 3 }) => periodSeconds * failureThreshold;
