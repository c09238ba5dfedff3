import { beforeAll, describe, expect, it } from "vitest";
import { namespacesDenyByDefault } from "../../policies/network/namespaces-deny-by-default.ts";
import { onlyIntendedConnections } from "../../policies/network/only-intended-connections.ts";
import type { Subject } from "../../policies/rule.ts";
import { subjectOfManifest } from "../../policies/subject.ts";
import { namespace, objections } from "../support/policy-cases.ts";
import { rendered } from "../support/rendered.ts";

describe("a NetworkPolicy that opens more than it seems to", () => {
  let production: readonly Subject[];
  beforeAll(async () => {
    production = await rendered("production");
  }, 120_000);
  const policy = (spec: object, home = "production") =>
    subjectOfManifest({
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "more", namespace: home },
      spec,
    });
  const range = [{ port: 9200, endPort: 9300 }];
  const database = { matchLabels: { "cnpg.io/cluster": "postgres" } };
  const component = (name: string) => ({ matchLabels: { app: "taskflow", component: name } });
  const search = component("elasticsearch");
  const named = (...values: readonly string[]) => ({
    namespaceSelector: { matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "In", values }] },
  });
  const https = [{ port: 443, protocol: "TCP" }];
  const receives = (name: string, from: readonly object[], ports: readonly object[]) => ({
    podSelector: component(name),
    policyTypes: ["Ingress"],
    ingress: [{ from, ports }],
  });
  const sends = (name: string, to: readonly object[], ports?: readonly object[]) => ({
    podSelector: component(name),
    policyTypes: ["Egress"],
    egress: [{ to, ...(ports === undefined ? {} : { ports }) }],
  });

  it.each([
    ["a second namespace in a list", receives("backend", [named("gateway", "shop")], [{ port: 3000 }])],
    [
      "a namespace of everybody's instead of an operator's",
      { ...receives("", [named("default")], [{ port: 5432 }]), podSelector: database },
    ],
    [
      "ports between two that are meant",
      {
        podSelector: search,
        ingress: [{ from: [{ podSelector: search }], ports: range }],
        egress: [{ to: [{ podSelector: search }], ports: range }],
      },
      "logging",
    ],
    ["every port of a third protocol", receives("backend", [named("gateway")], [{ protocol: "SCTP" }])],
    ["private addresses among public ones", sends("backend", [{ ipBlock: { cidr: "172.0.0.0/8" } }], https)],
    ["private addresses of IPv6", sends("backend", [{ ipBlock: { cidr: "::/0" } }], https)],
    [
      "every port for a pod that needs one that the configuration names",
      sends("guard", [{ ipBlock: { cidr: "0.0.0.0/0" } }]),
    ],
    [
      "everybody, behind a peer that is null",
      receives("redis", [{ ipBlock: null, namespaceSelector: {} }], [{ port: 6379 }]),
    ],
  ])("is named: %s", (_, spec, home = "production") => {
    expect(objections(onlyIntendedConnections, [...production, policy(spec, home)])).not.toEqual([]);
  });

  it("does not deny by default when it leaves out whoever has a label", () => {
    const none = {
      podSelector: { matchExpressions: [{ key: "app", operator: "DoesNotExist" }] },
      policyTypes: ["Ingress", "Egress"],
    };
    const own = namespace("production");
    expect(objections(namespacesDenyByDefault, [own, policy({ ...none, podSelector: {} })])).toEqual([]);
    expect(objections(namespacesDenyByDefault, [own, policy(none)])).toHaveLength(2);
  });
});
