import { beforeAll, describe, expect, it } from "vitest";
import { flowsOf } from "../../applications/flows.ts";
import { platformFlows } from "../../applications/platform-flows.ts";
import { taskflow } from "../../applications/taskflow.ts";
import { namespacesOf, placesOf } from "../../components/network/places.ts";
import { componentPolicies, denyPolicies } from "../../components/network/policies.ts";
import { declaredPods } from "../../policies/network/pods.ts";
import type { Declaration } from "../support/harness.ts";
import { declarePlatform, external, firstRun, type Stack, stackSettings } from "../support/platform.ts";
import { rag } from "../support/rag.ts";
import { rendered } from "../support/rendered.ts";

const policyOf = (name: string, ...args: Parameters<typeof stackSettings>) => {
  const found = componentPolicies(stackSettings(...args)).find(({ metadata }) => metadata.name === name);
  if (found === undefined) throw new Error(`no policy ${name}`);
  return found;
};
const named = (namespace: string) => ({
  namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
});
const component = (name: string) => ({ podSelector: { matchLabels: { app: "taskflow", component: name } } });
const tcp = (...ports: readonly (number | string)[]) => ports.map((port) => ({ port, protocol: "TCP" }));
const anywhere = [{ ipBlock: { cidr: "0.0.0.0/0" } }, { ipBlock: { cidr: "::/0" } }];
const dns = {
  to: [
    { ...named("kube-system"), podSelector: { matchLabels: { "k8s-app": "kube-dns" } } },
    { ipBlock: { cidr: "169.254.20.10/32" } },
  ],
  ports: [
    { port: 53, protocol: "UDP" },
    { port: 53, protocol: "TCP" },
  ],
};

describe("the NetworkPolicy of a component", () => {
  it("says in one object all that its pods receive and send: nothing is closed while a part of it is on its way", () => {
    expect(policyOf("backend", "staging")).toEqual({
      metadata: { name: "backend", namespace: "staging", labels: { app: "taskflow", component: "backend" } },
      spec: {
        ...component("backend"),
        policyTypes: ["Ingress", "Egress"],
        ingress: [
          { from: [named("gateway")], ports: tcp(3000) },
          { from: [{ ...named("monitoring"), ...component("prometheus") }], ports: tcp(3000) },
        ],
        egress: [
          { to: [component("postgres")], ports: tcp(5432) },
          { to: [component("redis")], ports: tcp(6379) },
          {
            to: [
              {
                ipBlock: {
                  cidr: "0.0.0.0/0",
                  except: [
                    "10.0.0.0/8",
                    "100.64.0.0/10",
                    "127.0.0.0/8",
                    "169.254.0.0/16",
                    "172.16.0.0/12",
                    "192.168.0.0/16",
                  ],
                },
              },
              { ipBlock: { cidr: "::/0", except: ["::1/128", "fc00::/7", "fe80::/10"] } },
            ],
            ports: tcp(443),
          },
          dns,
        ],
      },
    });
  });

  it("lets a server that connects to nobody send nothing at all, not even for names", () => {
    expect(policyOf("redis", "staging").spec).not.toHaveProperty("egress");
    expect(policyOf("postgres", "staging").spec).not.toHaveProperty("egress");
  });

  it("selects the servers of CloudNativePG by the name that the operator gives them, and lets it and each other in", () => {
    const { spec } = policyOf("postgres", "production");
    const servers = { podSelector: { matchLabels: { "cnpg.io/cluster": "postgres" } } };
    expect(spec).toMatchObject({
      ...servers,
      ingress: expect.arrayContaining([
        { from: [servers], ports: tcp(5432, 8000) },
        { from: [named("cnpg-system")], ports: tcp(5432, 8000) },
        { from: [{ ...named("monitoring"), ...component("prometheus") }], ports: tcp(9187) },
      ]),
      egress: expect.arrayContaining([
        { to: anywhere, ports: tcp(443, 6443) },
        { to: anywhere, ports: tcp(443) },
      ]),
    });
  });

  it("lets the guard reach the API server, the proxy's metrics and Prometheus, and be scraped", () => {
    expect(policyOf("guard", "production").spec).toEqual({
      ...component("guard"),
      policyTypes: ["Ingress", "Egress"],
      ingress: [{ from: [{ ...named("monitoring"), ...component("prometheus") }], ports: tcp(9189) }],
      egress: [
        { to: anywhere, ports: tcp(443, 6443) },
        {
          to: [{ ...named("gateway"), podSelector: { matchLabels: { "app.kubernetes.io/name": "traefik" } } }],
          ports: tcp("metrics"),
        },
        { to: [{ ...named("monitoring"), ...component("prometheus") }], ports: tcp(9090) },
        dns,
      ],
    });
  });

  it("lets Alertmanager reach the mail server's port and the on-call tool's, and only them", () => {
    expect(policyOf("alertmanager", "production").spec.egress).toContainEqual({ to: anywhere, ports: tcp(587, 443) });
  });

  it("lets all that works on an external database out to its port", () => {
    const to = (name: string) => policyOf(name, "production", { database: { ...external, port: 6432 } }).spec.egress;
    for (const name of ["backend", "postgres-migrate", "postgres-backup", "postgres-exporter"])
      expect(to(name), name).toContainEqual({ to: anywhere, ports: tcp(6432) });
  });

  it("lets a Prometheus in that somebody else runs, and out to it", () => {
    const prometheus = { namespace: "observability", service: "prometheus-operated:9091" };
    const changes = { monitoring: { kind: "existing" }, gate: { prometheus } };
    const { ingress, egress } = policyOf("guard", "staging", changes).spec;
    expect(ingress).toEqual([{ from: [named("observability")], ports: tcp(9189) }]);
    expect(egress).toContainEqual({ to: [named("observability")], ports: tcp(9091) });
  });

  it("knows the addresses and namespaces that the configuration names", () => {
    const network = {
      apiServer: { addresses: ["10.9.0.1/32"], ports: [16443] },
      nodes: ["10.8.0.0/16"],
      outside: ["192.168.4.0/24"],
      internet: ["203.0.113.0/24"],
      operators: { cloudNativePg: "postgres-operator", elastic: "eck" },
    };
    const spec = (name: string) => policyOf(name, "production", { network }).spec;
    const at = (cidr: string) => [{ ipBlock: { cidr } }];
    expect(spec("guard").egress).toContainEqual({ to: at("10.9.0.1/32"), ports: tcp(16443) });
    expect(spec("prometheus").egress).toContainEqual({ to: at("10.8.0.0/16"), ports: tcp(9100, 10250) });
    expect(spec("prometheus").ingress).toContainEqual({
      from: [...at("10.9.0.1/32"), named("kube-system")],
      ports: tcp(9090),
    });
    expect(spec("alertmanager").egress).toContainEqual({ to: at("192.168.4.0/24"), ports: tcp(587, 443) });
    expect(spec("backend").egress).toContainEqual({ to: at("203.0.113.0/24"), ports: tcp(443) });
    expect(spec("postgres").ingress).toContainEqual({ from: [named("postgres-operator")], ports: tcp(5432, 8000) });
    expect(spec("elasticsearch").ingress).toContainEqual({ from: [named("eck")], ports: tcp(9200) });
  });
});

describe("every namespace that a stack makes", () => {
  it.each(["local", "staging", "production"] as const)(
    "of %s denies what nobody allowed, in both directions",
    async (stack) => {
      const settings = stackSettings(stack);
      const made = (await rendered(stack))
        .filter(({ type }) => type === "kubernetes:core/v1:Namespace")
        .map(({ name }) => name);
      expect(namespacesOf(settings).toSorted()).toEqual(made.toSorted());
      expect(denyPolicies(settings).map(({ metadata, spec }) => [metadata.namespace, spec])).toEqual(
        namespacesOf(settings).map((namespace) => [namespace, { podSelector: {}, policyTypes: ["Ingress", "Egress"] }]),
      );
    },
  );
});

describe("every pod that a stack declares", () => {
  const stacks: readonly (readonly [Stack, object])[] = [
    ["local", {}],
    ["local", { gate: { mode: "on" } }],
    ["staging", {}],
    ["production", {}],
    ["production", { database: external }],
    ["staging", { monitoring: { kind: "none" }, logging: { kind: "none" }, gate: { mode: "off" } }],
  ];

  it.each(stacks)(
    "has a NetworkPolicy of its own, and no NetworkPolicy is for nobody: %s %j",
    async (stack, changes) => {
      const pods = declaredPods(await rendered(stack, { ...changes }));
      const places = [...placesOf(stackSettings(stack, { ...changes }))].map(
        ([name, { namespace }]) => `${namespace}/${name}`,
      );
      expect(new Set(pods.map(({ namespace, component: name }) => `${namespace}/${name}`))).toEqual(new Set(places));
    },
  );
});

describe("the flows of the platform", () => {
  it("name only components that some stack has: a renamed one would silently lose its connections", () => {
    const known = new Set(
      ["local", "staging", "production"].flatMap((stack) => [...placesOf(stackSettings(stack as Stack)).keys()]),
    );
    const parties = platformFlows.flatMap(({ from, to }) => [from, to]);
    expect(parties.flatMap((party) => ("pods" in party && !known.has(party.pods) ? [party.pods] : []))).toEqual([]);
  });

  it("are those of any application: another one brings its services and what they reach", () => {
    const own = (application: typeof taskflow) =>
      flowsOf(application, new Set())
        .filter((flow) => !platformFlows.includes(flow))
        .map(({ from, to }) => [from, to]);
    expect(own(rag)).toContainEqual([{ outsider: "gateway" }, { pods: "retrieval" }]);
    expect(own(rag)).not.toContainEqual([{ outsider: "gateway" }, { pods: "indexing" }]);
    const reaching = {
      ...taskflow,
      services: taskflow.services.map((each) => ({
        ...each,
        reaches: [{ service: "search", port: 7700, why: "results" }],
      })),
    };
    expect(own(reaching)).toContainEqual([{ pods: "backend" }, { pods: "search" }]);
    expect(own(reaching)).toContainEqual([{ pods: "frontend" }, { outsider: "dns" }]);
  });
});

describe("a live stack that gets NetworkPolicies for the first time", () => {
  let declared: Declaration;
  beforeAll(async () => {
    declared = await declarePlatform(firstRun(stackSettings("production")));
  }, 120_000);

  it("is told what is allowed before all else is denied, and no step waits for it", () => {
    const policies = declared.names("NetworkPolicy");
    const allowed = policies.filter((name) => !name.endsWith("-default-deny"));
    expect(allowed).toEqual([...placesOf(stackSettings("production")).keys()].toSorted());
    for (const name of policies.filter((each) => !allowed.includes(each)))
      for (const policy of allowed)
        expect(
          declared.find("NetworkPolicy", name).dependsOn.some((on) => on.endsWith(`:NetworkPolicy::${policy}`)),
          `${name} waits for ${policy}`,
        ).toBe(true);
    const waiting = declared.all.filter(
      ({ type, dependsOn }) =>
        !type.endsWith(":NetworkPolicy") && dependsOn.some((on) => on.includes(":NetworkPolicy::")),
    );
    expect(waiting.map(({ name }) => name)).toEqual([]);
  });
});
