import { everywhere } from "../levels.ts";
import { type ContainerView, podsOf } from "../pod.ts";
import type { Finding, ResourceRule } from "../rule.ts";
import { kindOf } from "../subject.ts";

const probes = ["startupProbe", "readinessProbe", "livenessProbe"] as const;

/** What runs for good says when it has started, when it can serve, and when it must be started anew. */
export const threeProbes: ResourceRule = {
  id: "three-probes",
  summary: "Every container that runs for good has a startup, a readiness and a liveness probe, at ports that it has.",
  why: "A pod without readiness gets users before it can serve them; without liveness it hangs for ever; without startup a slow one is killed while it starts.",
  severity: "medium",
  sources: [
    "S2-20",
    "CKV_K8S_8",
    "CKV_K8S_9",
    "C-0056",
    "C-0018",
    "kube-linter no-startup-probe",
    "kube-linter readiness-port",
  ],
  levels: everywhere,
  example: {
    bad: "livenessProbe: {httpGet: {path: /health, port: http}}",
    good: "startupProbe: {httpGet: {path: /ready, port: http}}\nreadinessProbe: {httpGet: {path: /ready, port: http}}\nlivenessProbe: {httpGet: {path: /health, port: http}}",
  },
  judge: (subject) =>
    ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController"].includes(kindOf(subject) ?? "")
      ? podsOf(subject).flatMap(({ containers }) =>
          containers.filter(({ list }) => list === "containers").flatMap(problemsOf),
        )
      : [],
};

function problemsOf({ path, object }: ContainerView): readonly Finding[] {
  const ports = object.ports ?? [];
  return probes.flatMap((kind) => {
    const probe = object[kind];
    if (probe === undefined)
      return [{ path: `${path}.${kind}`, found: "none", wanted: "a probe", fix: `write a ${kind}` }];
    const port: number | string | undefined = (probe.httpGet ?? probe.tcpSocket ?? probe.grpc)?.port as
      | number
      | string
      | undefined;
    const known = ports.some(({ name, containerPort }) => port === name || port === containerPort);
    return port === undefined || known
      ? []
      : [
          {
            path: `${path}.${kind}`,
            found: `port ${port}`,
            wanted: `one of ${ports.map(({ name, containerPort }) => name ?? containerPort).join(", ")}`,
            fix: "name a port of the container",
          },
        ];
  });
}
