import { beforeAll, describe, expect, it } from "vitest";
import { judgeAll } from "../../policies/judge.ts";
import { networkRules } from "../../policies/network/rules.ts";
import type { Subject } from "../../policies/rule.ts";
import { subjectOfManifest } from "../../policies/subject.ts";
import type { Config } from "../support/config.ts";
import { external, type Stack } from "../support/platform.ts";
import { rendered } from "../support/rendered.ts";

/** What the rules say of resources, one line for each finding. */
const said = (subjects: readonly Subject[], environment: Stack = "production") =>
  judgeAll(subjects, networkRules, { environment }).map((judgement) =>
    [
      judgement.rule.id,
      judgement.subject.name,
      judgement.verdict === "violation" ? judgement.finding?.found : "undecidable",
    ].join(" | "),
  );

const byHand = { gate: { mode: "off" } };
const stacks: readonly (readonly [string, Stack, Config])[] = [
  ["local", "local", { gate: { mode: "on" } }],
  ["staging", "staging", {}],
  ["production", "production", {}],
  ["production on an external database", "production", { database: external }],
  ["staging watched by somebody else", "staging", { monitoring: { kind: "existing" }, ...byHand }],
  ["staging that nobody watches", "staging", { monitoring: { kind: "none" }, logging: { kind: "none" }, ...byHand }],
];

describe("the network of a stack", () => {
  it.each(stacks)("is in %s what its application intends, and nothing else", async (_, stack, changes) => {
    expect(said(await rendered(stack, changes), stack)).toEqual([]);
  });
});

let production: readonly Subject[];
beforeAll(async () => {
  production = await rendered("production");
}, 120_000);

type Spec = Record<string, unknown> & { ingress?: object[]; egress?: object[] };

/** Production with another spec of one policy. */
const with_ = (name: string, change: (spec: Spec) => Spec) =>
  production.map((each) => {
    if (!each.type.endsWith(":NetworkPolicy") || each.name !== name) return each;
    return { ...each, object: { ...each.object, spec: change(structuredClone(each.object.spec) as Spec) } };
  });

const without = (name: string) =>
  production.filter((each) => !(each.type.endsWith(":NetworkPolicy") && each.name === name));

const policy = (name: string, spec: object) =>
  subjectOfManifest({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name, namespace: "production" },
    spec,
  });

const pod = (labels: object, namespace = "production") =>
  subjectOfManifest({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "shell", namespace, labels },
    spec: { containers: [{ name: "shell" }] },
  });

const to = (component: string) => ({ podSelector: { matchLabels: { app: "taskflow", component } } });
const redis = to("redis");

describe("a NetworkPolicy that opens too much", () => {
  const cases: readonly (readonly [string, () => readonly Subject[], readonly string[]])[] = [
    [
      "everything to everybody",
      () => [...production, policy("open", { podSelector: {}, ingress: [{}], egress: [{}] })],
      ["only-intended-connections | production/open | open: "],
    ],
    [
      "a store to its whole namespace",
      () => with_("redis", (spec) => ({ ...spec, ingress: [{ from: [{ podSelector: {} }] }] })),
      ["only-intended-connections | redis | open: "],
    ],
    [
      "a store to a namespace of somebody else",
      () =>
        with_("redis", (spec) => ({
          ...spec,
          ingress: [
            ...(spec.ingress ?? []),
            { from: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "billing" } } }] },
          ],
        })),
      ["only-intended-connections | redis | open: a pod {} in billing -> redis: any port"],
    ],
    [
      "a store to whoever has the right labels, in any namespace",
      () =>
        with_("redis", (spec) => ({
          ...spec,
          ingress: [{ from: [{ namespaceSelector: {}, ...to("backend") }], ports: [{ port: 6379, protocol: "TCP" }] }],
        })),
      [
        'only-intended-connections | redis | open: a pod {"app":"taskflow","app.kubernetes.io/version":"1.0.0","component":"backend","version":"blue"} in elsewhere -> redis: 6379/TCP',
      ],
    ],
    [
      "a store to the world",
      () =>
        with_("redis", (spec) => ({
          ...spec,
          ingress: [...(spec.ingress ?? []), { from: [{ ipBlock: { cidr: "0.0.0.0/0" } }] }],
        })),
      ["only-intended-connections | redis | open: 198.51.100.7 -> redis: any port; 10.20.30.40 -> redis: any port"],
    ],
    [
      "a pod to the world on every port",
      () =>
        with_("backend", (spec) => ({
          ...spec,
          egress: [...(spec.egress ?? []), { to: [{ ipBlock: { cidr: "0.0.0.0/0" } }] }],
        })),
      [
        "only-intended-connections | backend | open: backend -> 198.51.100.7: any port; backend -> 10.20.30.40: any port",
      ],
    ],
    [
      "the inside of somebody's network to a pod that needs the world",
      () =>
        with_("backend", (spec) => ({
          ...spec,
          egress: [...(spec.egress ?? []), { to: [{ ipBlock: { cidr: "10.0.0.0/8" } }], ports: [{ port: 443 }] }],
        })),
      ["only-intended-connections | backend | open: backend -> 10.20.30.40: 443/TCP"],
    ],
    [
      "a port too many between two who may speak",
      () =>
        with_("postgres", (spec) => ({
          ...spec,
          ingress: [...(spec.ingress ?? []), { from: [to("backend")], ports: [{ port: 8000 }] }],
        })).map((each) =>
          each.name === "backend" && each.type.endsWith(":NetworkPolicy")
            ? {
                ...each,
                object: {
                  ...each.object,
                  spec: {
                    ...(each.object.spec as Spec),
                    egress: [{ to: [{ podSelector: { matchLabels: { "cnpg.io/cluster": "postgres" } } }] }],
                  },
                },
              }
            : each,
        ),
      ["only-intended-connections | postgres | open: backend -> postgres: 8000/TCP"],
    ],
  ];

  it.each(cases)("is named: %s", (_, subjects, lines) => {
    const all = said(subjects());
    for (const line of lines)
      expect(
        all.filter((each) => each.startsWith(line)),
        all.join("\n"),
      ).toHaveLength(1);
  });
});

describe("a NetworkPolicy that closes too much", () => {
  const egressWithout = (port: number, protocol: string) => (spec: Spec) => ({
    ...spec,
    egress: (spec.egress ?? []).map((rule) => {
      const { ports } = rule as { ports?: { port: number; protocol: string }[] };
      return { ...rule, ports: ports?.filter((each) => !(each.port === port && each.protocol === protocol)) };
    }),
  });

  it.each([
    ["DNS by TCP", () => with_("backend", egressWithout(53, "TCP")), "backend | backend -> dns is closed"],
    [
      "Prometheus' scrapes",
      () =>
        with_("guard", (spec) => {
          const { ingress: _, ...closed } = spec;
          return closed;
        }),
      "guard | prometheus -> guard is closed",
    ],
    [
      "the Gateway, by a namespace that was mistyped",
      () =>
        with_("frontend", (spec) => ({
          ...spec,
          ingress: JSON.parse(JSON.stringify(spec.ingress).replace('"gateway"', '"gatewy"')),
        })),
      "frontend | gateway -> frontend is closed",
    ],
    [
      "a store for the one who needs it",
      () => with_("redis", (spec) => ({ ...spec, ingress: (spec.ingress ?? []).slice(0, 1) })),
      "redis | redis-exporter -> redis is closed",
    ],
    [
      "the API server for the guard",
      () =>
        with_("guard", (spec) => ({
          ...spec,
          egress: (spec.egress ?? []).filter((rule) => !JSON.stringify(rule).includes("6443")),
        })),
      "guard | guard -> api-server is closed",
    ],
  ])("is named: %s", (_, subjects, line) => {
    const all = said(subjects());
    expect(
      all.filter((each) => each.startsWith(`intended-connections-are-open | ${line}`)),
      all.join("\n"),
    ).toHaveLength(1);
  });
});

describe("a pod that no NetworkPolicy selects", () => {
  it("is named with the direction in which it is open", () => {
    expect(said([...without("production-default-deny"), pod({ app: "taskflow", component: "shell" })])).toEqual([
      "namespaces-deny-by-default | production | no NetworkPolicy selects all its pods for Ingress",
      "namespaces-deny-by-default | production | no NetworkPolicy selects all its pods for Egress",
      "pods-are-isolated | production/shell | no NetworkPolicy of production selects it for Ingress",
      "pods-are-isolated | production/shell | no NetworkPolicy of production selects it for Egress",
    ]);
  });

  it("is closed by the default of its namespace", () => {
    expect(said([...production, pod({ app: "taskflow", component: "shell" })])).toEqual([]);
  });
});

describe("a NetworkPolicy for nobody", () => {
  it("is named, as is a peer that nobody is", () => {
    const gone = policy("gone", { podSelector: { matchLabels: { component: "backed" } }, policyTypes: ["Ingress"] });
    const peer = policy("peer", { ...redis, policyTypes: ["Ingress"], ingress: [{ from: [to("cache-client")] }] });
    expect(said([...production, gone, peer])).toEqual([
      'network-policies-select-pods | production/gone | {"matchLabels":{"component":"backed"}}, which no pod of production has',
      'network-policies-select-pods | production/peer | {"matchLabels":{"app":"taskflow","component":"cache-client"}}, which no pod of production has',
      'only-intended-connections | production/peer | open: a pod {"app":"taskflow","component":"cache-client"} in production -> redis: any port',
    ]);
  });
});
