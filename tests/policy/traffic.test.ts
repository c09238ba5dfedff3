import { describe, expect, it } from "vitest";
import { routeWeightsSumTo100 } from "../../policies/traffic/route-weights-sum-to-100.ts";
import { routesLeadToServices } from "../../policies/traffic/routes-lead-to-services.ts";
import { servicesSelectPods } from "../../policies/traffic/services-select-pods.ts";
import { servicesStayInside } from "../../policies/traffic/services-stay-inside.ts";
import { namespace, object, objections, workload } from "../support/policy-cases.ts";

const told = { annotations: { "golive/candidate-traffic": "10" } };
const ref = (name: string, weight?: unknown) => ({ name, port: 80, ...(weight === undefined ? {} : { weight }) });
const route = (rules: readonly (readonly unknown[])[], metadata: Record<string, unknown> = told) =>
  object("HTTPRoute", "shop", { metadata, spec: { rules: rules.map((backendRefs) => ({ backendRefs })) } });
const service = (name: string, spec: Record<string, unknown>, metadata = {}) =>
  object("Service", name, { metadata, spec });

describe("route-weights-sum-to-100", () => {
  it("lets 90 and 10 in every rule pass, and one backend without a weight", () => {
    const split = [ref("a-blue", 90), ref("a-green", 10)];
    expect(objections(routeWeightsSumTo100, [route([split, split])])).toEqual([]);
    expect(objections(routeWeightsSumTo100, [route([[ref("a-blue")]], {})])).toEqual([]);
  });

  it("objects to a missing weight, which sends half of all users to a candidate that was meant to get none", () => {
    const said = objections(routeWeightsSumTo100, [route([[ref("a-blue", 100), ref("a-green")]])]);
    expect(said).toMatchInlineSnapshot(`
      [
        "HTTPRoute/production/shop spec.rules[0].backendRefs[1].weight: found no weight, which means 1; wanted an integer from 0 to 100. Fix: write the weight, 0 too",
      ]
    `);
  });

  it("objects to a sum that is not 100, half percents, a colour left out, and rules that differ", () => {
    expect(
      [
        [[ref("a-blue", 90), ref("a-green", 20)]],
        [[ref("a-blue", 89.5), ref("a-green", 10.5)]],
        [[ref("a-blue", 100)]],
        [
          [ref("a-blue", 90), ref("a-green", 10)],
          [ref("b-blue", 50), ref("b-green", 50)],
        ],
      ].flatMap((rules) => objections(routeWeightsSumTo100, [route(rules)])),
    ).toMatchInlineSnapshot(`
      [
        "HTTPRoute/production/shop spec.rules[0].backendRefs: found weights 90 + 20 = 110; wanted 100 together. Fix: write percents that sum to 100",
        "HTTPRoute/production/shop spec.rules[0].backendRefs[0].weight: found 89.5; wanted an integer from 0 to 100. Fix: write the weight, 0 too",
        "HTTPRoute/production/shop spec.rules[0].backendRefs[1].weight: found 10.5; wanted an integer from 0 to 100. Fix: write the weight, 0 too",
        "HTTPRoute/production/shop spec.rules[0].backendRefs: found 1 of 2 backends; wanted one for each colour. Fix: name both colours' Services",
        "HTTPRoute/production/shop spec.rules[1].backendRefs: found weights blue 50, green 50; wanted blue 90, green 10, as in rule 0. Fix: write the same split in every rule, or a page meets an API of the other release",
      ]
    `);
  });
});

describe("routes-lead-to-services", () => {
  it("objects to a backend that is not declared, has not that port, or is another namespace's", () => {
    const declared = service("a-blue", { ports: [{ port: 80 }] });
    const backends = [
      ref("a-bleu", 1),
      { ...ref("a-blue", 1), port: 8080 },
      { ...ref("a-blue", 1), namespace: "other" },
    ];
    expect(objections(routesLeadToServices, [declared, route([[ref("a-blue", 1)]])])).toEqual([]);
    expect(objections(routesLeadToServices, [declared, route([backends])])).toMatchInlineSnapshot(`
      [
        "HTTPRoute/production/shop spec.rules[0].backendRefs[0].name: found a-bleu; wanted one of: a-blue. Fix: name a declared Service",
        "HTTPRoute/production/shop spec.rules[0].backendRefs[1].port: found 8080; wanted 80. Fix: name a port of the Service",
        "HTTPRoute/production/shop spec.rules[0].backendRefs[2].namespace: found other; wanted production. Fix: leave the namespace out",
      ]
    `);
  });
});

describe("services-select-pods", () => {
  const home = namespace("production");
  const pods = workload("web");

  it("objects to a Service whose requests nobody answers: other labels, no labels, another port", () => {
    const good = { selector: { app: "web" }, ports: [{ port: 80, targetPort: "http" }] };
    expect(objections(servicesSelectPods, [home, pods, service("web", good)])).toEqual([]);
    const bad = [
      service("typo", { ...good, selector: { app: "wbe" } }),
      service("none", { ports: good.ports }),
      service("port", { ...good, ports: [{ port: 80, targetPort: "htpp" }] }),
      service("number", { ...good, ports: [{ port: 3001 }] }),
    ];
    expect(objections(servicesSelectPods, [home, pods, ...bad])).toMatchInlineSnapshot(`
      [
        "Service/production/typo spec.selector: found {"app":"wbe"}, which no pod of production has; wanted the labels of pods that the stack declares. Fix: write the labels of its pods",
        "Service/production/none spec.selector: found none; wanted labels of pods. Fix: write the labels of its pods",
        "Service/production/port spec.ports[0].targetPort: found htpp, which production/web does not have; wanted one of its ports: http. Fix: name a port of the container",
        "Service/production/number spec.ports[0].targetPort: found 3001, which production/web does not have; wanted one of its ports: http. Fix: name a port of the container",
      ]
    `);
  });

  it("lets a colour's Service wait for its first release as long as nobody is sent there", () => {
    const green = service("a-green", { selector: { app: "a", version: "green" }, ports: [{ port: 80 }] });
    const at = (weight: number) => [home, green, route([[ref("a-blue", 100 - weight), ref("a-green", weight)]])];
    expect(objections(servicesSelectPods, at(0))).toEqual([]);
    expect(objections(servicesSelectPods, at(10))).toHaveLength(1);
  });

  it("leaves Services in namespaces of others alone: their pods are not declared here", () => {
    const elsewhere = service("metrics", { selector: { app: "gateway" } }, { namespace: "gateway" });
    expect(objections(servicesSelectPods, [home, elsewhere])).toEqual([]);
  });
});

describe("services-stay-inside", () => {
  it("objects to every way past the Gateway, also through an operator", () => {
    expect(
      objections(servicesStayInside, [
        service("inside", { type: "ClusterIP" }),
        service("node", { type: "NodePort" }),
        service("balancer", { type: "LoadBalancer" }),
        service("name", { type: "ExternalName" }),
        service("ips", { externalIPs: ["203.0.113.9"] }),
        service("port", { ports: [{ port: 80, nodePort: 30080 }] }),
        object("Logstash", "logs", { spec: { services: [{ service: { spec: { type: "NodePort" } } }] } }),
        object("Elasticsearch", "search", { spec: { http: { service: { spec: { type: "LoadBalancer" } } } } }),
        object("Cluster", "db", {
          spec: { managed: { services: { additional: [{ serviceTemplate: { spec: { type: "LoadBalancer" } } }] } } },
        }),
      ]),
    ).toMatchInlineSnapshot(`
      [
        "Service/production/node spec.type: found NodePort; wanted ClusterIP. Fix: leave the type out, and lead traffic in by an HTTPRoute",
        "Service/production/balancer spec.type: found LoadBalancer; wanted ClusterIP. Fix: leave the type out, and lead traffic in by an HTTPRoute",
        "Service/production/name spec.type: found ExternalName; wanted ClusterIP. Fix: leave the type out, and lead traffic in by an HTTPRoute",
        "Service/production/ips spec.externalIPs: found 1 addresses; wanted none. Fix: leave the type out, and lead traffic in by an HTTPRoute",
        "Service/production/port spec.ports[0].nodePort: found 30080; wanted none. Fix: leave the type out, and lead traffic in by an HTTPRoute",
        "Logstash/production/logs spec.services[0].service.spec.type: found NodePort; wanted ClusterIP. Fix: leave the type out, and lead traffic in by an HTTPRoute",
        "Elasticsearch/production/search spec.http.service.spec.type: found LoadBalancer; wanted ClusterIP. Fix: leave the type out, and lead traffic in by an HTTPRoute",
        "Cluster/production/db spec.managed.services.additional[0].serviceTemplate.spec.type: found LoadBalancer; wanted ClusterIP. Fix: leave the type out, and lead traffic in by an HTTPRoute",
      ]
    `);
  });
});
