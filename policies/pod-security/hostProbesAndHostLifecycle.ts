import type { ContainerView } from "../pod.ts";
import { eachContainer, podSecurityRule } from "./check.ts";

export const hostProbesAndHostLifecycle = podSecurityRule({
  id: "hostProbesAndHostLifecycle",
  level: "baseline",
  since: 34,
  summary: "Probes and lifecycle hooks name no host.",
  why: "The kubelet sends them from the machine: a host of one's choice makes it ask services that the pod could not reach.",
  severity: "medium",
  example: {
    bad: "livenessProbe:\n  httpGet: {host: 169.254.169.254, path: /, port: 80}",
    good: "livenessProbe:\n  httpGet: {path: /health, port: http}",
  },
  *find(pod) {
    yield* eachContainer(pod, function* (container) {
      for (const [place, handler] of handlersOf(container)) {
        for (const kind of ["httpGet", "tcpSocket"] as const) {
          if (!handler?.[kind]?.host) continue;
          yield {
            path: `${container.path}.${place}.${kind}.host`,
            found: "a host",
            wanted: "none: the pod itself",
            fix: "remove host",
          };
        }
      }
    });
  },
});

interface Handler {
  readonly httpGet?: { readonly host?: string };
  readonly tcpSocket?: { readonly host?: string };
}

function handlersOf({ object }: ContainerView): readonly (readonly [string, Handler | undefined])[] {
  return [
    ["livenessProbe", object.livenessProbe],
    ["readinessProbe", object.readinessProbe],
    ["startupProbe", object.startupProbe],
    ["lifecycle.postStart", object.lifecycle?.postStart],
    ["lifecycle.preStop", object.lifecycle?.preStop],
  ];
}
