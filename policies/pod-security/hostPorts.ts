import { eachContainer, podSecurityRule } from "./check.ts";

export const hostPorts = podSecurityRule({
  id: "hostPorts",
  level: "baseline",
  summary: "No container takes a port of its machine.",
  why: "The port answers on the machine's address, beside the gateway and its rules, and two such pods do not fit on one machine.",
  severity: "high",
  example: {
    bad: "ports:\n  - {name: http, containerPort: 8080, hostPort: 8080}",
    good: "ports:\n  - {name: http, containerPort: 8080}",
  },
  *find(pod) {
    yield* eachContainer(pod, function* ({ object, path }) {
      for (const [index, { hostPort, name }] of (object.ports ?? []).entries()) {
        // The API reads 0 as none.
        if (!hostPort) continue;
        yield {
          path: `${path}.ports[${name ?? index}].hostPort`,
          found: `${hostPort}`,
          wanted: "none",
          fix: "remove hostPort, and reach the pod through a Service",
        };
      }
    });
  },
});
