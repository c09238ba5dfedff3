import { everywhere } from "../levels.ts";
import { at, type Tree, textsOf, treeOf, treesOf } from "../manifest.ts";
import type { Finding, ResourceRule, Subject } from "../rule.ts";
import { kindOf } from "../subject.ts";

/** The Gateway is the one way in: no Service of the stack opens another. */
export const servicesStayInside: ResourceRule = {
  id: "services-stay-inside",
  summary: "No Service is a LoadBalancer, a NodePort or an ExternalName, or has external addresses.",
  why: "Whatever answers beside the Gateway has neither its TLS nor its traffic split: a database on a node port is on the internet.",
  severity: "critical",
  sources: ["S1-09", "S4-28", "kube-linter exposed-services", "CKV2_K8S external IPs"],
  levels: everywhere,
  example: { bad: "spec:\n  type: NodePort", good: "spec:\n  type: ClusterIP" },
  judge: (subject) => specsOf(subject).flatMap(([path, spec]) => problemsOf(path, spec)),
};

/** The Services that a subject is, or makes its operator write. */
function specsOf(subject: Subject): readonly (readonly [path: string, spec: Tree])[] {
  const { spec } = subject.object;
  switch (kindOf(subject)) {
    case "Service":
      return [["spec", treeOf(spec)]];
    case "Elasticsearch":
    case "Kibana":
      return ["http", "transport"].map((way) => [`spec.${way}.service.spec`, treeOf(at(spec, way, "service", "spec"))]);
    case "Logstash":
      return treesOf(at(spec, "services")).map((service, index) => [
        `spec.services[${index}].service.spec`,
        treeOf(at(service, "service", "spec")),
      ]);
    case "Cluster":
      return treesOf(at(spec, "managed", "services", "additional")).map((service, index) => [
        `spec.managed.services.additional[${index}].serviceTemplate.spec`,
        treeOf(at(service, "serviceTemplate", "spec")),
      ]);
    default:
      return [];
  }
}

function problemsOf(path: string, spec: Tree): readonly Finding[] {
  const { type = "ClusterIP", ports, externalIPs } = spec;
  const fix = "leave the type out, and lead traffic in by an HTTPRoute";
  if (type !== "ClusterIP") return [{ path: `${path}.type`, found: String(type), wanted: "ClusterIP", fix }];
  const opened = treesOf(ports).flatMap(({ nodePort }, index) =>
    nodePort === undefined
      ? []
      : [{ path: `${path}.ports[${index}].nodePort`, found: String(nodePort), wanted: "none", fix }],
  );
  const outside = textsOf(externalIPs).length;
  return outside === 0
    ? opened
    : [...opened, { path: `${path}.externalIPs`, found: `${outside} addresses`, wanted: "none", fix }];
}
