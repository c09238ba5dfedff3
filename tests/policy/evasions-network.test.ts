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

  const labelled = (...values: readonly string[]) => ({
    podSelector: { matchExpressions: [{ key: "component", operator: "In", values }] },
  });
  const debug = { podSelector: { matchLabels: { debug: "true" } } };
  const home = { namespaceSelector: { matchLabels: { app: "taskflow" } } };
  const sql = [{ port: 5432 }];
  const toDatabase = (from: object) => ({ ...receives("", [from], sql), podSelector: database });

  it.each([
    [
      "one of two labels in a list",
      toDatabase(labelled("backend", "debug")),
      'a pod {"component":"debug"} in production -> postgres: 5432/TCP',
    ],
    [
      "a label in a namespace by its name",
      toDatabase({ ...named("production"), ...debug }),
      'a pod {"debug":"true"} in production -> postgres: 5432/TCP',
    ],
    [
      "a label in a namespace by its labels",
      toDatabase({ ...home, ...debug }),
      'a pod {"debug":"true"} in production -> postgres: 5432/TCP',
    ],
    [
      "the backend's label in another namespace of the stack",
      toDatabase({ ...named("monitoring"), podSelector: component("backend") }),
      'a pod {"app":"taskflow","component":"backend"} in monitoring -> postgres: 5432/TCP',
    ],
    [
      "a label that may have any value",
      toDatabase({ podSelector: { matchExpressions: [{ key: "debug", operator: "Exists" }] } }),
      'a pod {"debug":"any"} in production -> postgres: 5432/TCP',
    ],
    [
      "a receiver that nobody declared",
      sends("backend", [debug], https),
      'backend -> a pod {"debug":"true"} in production: 443/TCP',
    ],
  ])("is named with the pod that nobody declared, in a namespace of the stack: %s", (_, spec, opened) => {
    const said = objections(onlyIntendedConnections, [...production, policy(spec)]);
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/^NetworkPolicy\/production\/more spec: found open: /);
    expect(said[0]).toContain(opened);
    expect(said[0]).toContain("wanted only what the application's flows name");
    expect(said[0]).toContain("Fix: narrow the peers and ports of the rule, or name the flow in applications/");
  });

  it("opens nothing to a pod that nobody declared when it names one that is declared, by fewer labels", () => {
    expect(objections(onlyIntendedConnections, [...production, policy(toDatabase(labelled("backend")))])).toEqual([]);
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
