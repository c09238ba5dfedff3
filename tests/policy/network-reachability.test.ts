import { describe, expect, it } from "vitest";
import { type Connection, type Pod, type Policy, passage, policiesOf } from "../../policies/network/reachability.ts";

/**
 * The cases of Kubernetes' own suite for NetworkPolicies (kubernetes/kubernetes, test/e2e/network/netpol/network_policy.go), as
 * truth tables of our own: three pods in each of three namespaces, every ordered pair asked, what is not named as closed is open.
 */

const namespaces = ["x", "y", "z"];
const names = namespaces.flatMap((namespace) => ["a", "b", "c"].map((pod) => `${namespace}/${pod}`));
const addressOf = (name: string) => `10.0.0.${names.indexOf(name) + 1}`;

interface Labels {
  readonly pods?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly namespaces?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

function podNamed(name: string, labels: Labels = {}): Pod {
  const [namespace = "", pod = ""] = name.split("/");
  return {
    namespace,
    namespaceLabels: { "kubernetes.io/metadata.name": namespace, ...labels.namespaces?.[namespace] },
    labels: { pod, ...labels.pods?.[name] },
    address: addressOf(name),
    ports: [80, 81].map((port) => ({ name: `serve-${port}-tcp`, port, protocol: "TCP" })),
  };
}

/** `x/* > x/a`: every pod of x to x/a. */
const covers = (pattern: string, from: string, to: string) => {
  const [left = "", right = ""] = pattern.split(" > ");
  const takes = (glob: string, name: string) => glob === "*" || glob === name || glob === name.replace(/\/.$/, "/*");
  return takes(left, from) && takes(right, to);
};

interface Asked {
  readonly to?: Connection;
  readonly closed: readonly string[];
  /** Of those closed, what is open all the same. */
  readonly open?: readonly string[];
  readonly labels?: Labels;
}

/** All pairs but a pod and itself: networks differ there, and so does the suite ignore it. */
const pairs = names.flatMap((from) => names.filter((to) => to !== from).map((to) => [from, to] as const));

const expected = ({ closed, open = [] }: Asked) =>
  pairs.map(([from, to]) => {
    const isClosed = closed.some((pattern) => covers(pattern, from, to));
    const reopened = open.some((pattern) => covers(pattern, from, to));
    return `${from} > ${to} ${isClosed && !reopened ? "closed" : "open"}`;
  });

const found = (policies: readonly Policy[], { to: connection = tcp(80), labels }: Asked) =>
  pairs.map(
    ([from, to]) => `${from} > ${to} ${passage(policies, podNamed(from, labels), podNamed(to, labels))(connection)}`,
  );

const tcp = (port: number): Connection => ({ port, protocol: "TCP" });
const udp = (port: number): Connection => ({ port, protocol: "UDP" });
const inX = (spec: Policy["spec"]): Policy => ({ namespace: "x", spec });
const onA = { podSelector: { matchLabels: { pod: "a" } } };
const onAll = { podSelector: {} };
const pod = (...values: readonly string[]) => ({
  podSelector: { matchExpressions: [{ key: "pod", operator: "In", values }] },
});
const named = (namespace: string) => ({
  namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
});
const notNamed = (namespace: string) => ({
  namespaceSelector: {
    matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "NotIn", values: [namespace] }],
  },
});
const port = (value: number | string, protocol?: string) => (protocol ? { port: value, protocol } : { port: value });
const ingress = (...rules: readonly object[]) => ({ policyTypes: ["Ingress"], ingress: rules });
const egress = (...rules: readonly object[]) => ({ policyTypes: ["Egress"], egress: rules });
const onlyPort81FromY = inX({ ...onA, ...ingress({ from: [named("y")], ports: [port(81, "TCP")] }) });

const cases: readonly (readonly [string, readonly Policy[], readonly Asked[]])[] = [
  ["default-deny-ingress", [inX({ ...onAll, ...ingress() })], [{ closed: ["* > x/*"] }]],
  ["default-deny-all", [inX({ ...onAll, policyTypes: ["Ingress", "Egress"] })], [{ closed: ["* > x/*", "x/* > *"] }]],
  [
    "pods of the server's namespace, by PodSelector",
    [inX({ ...onA, ...ingress({ from: [{ podSelector: { matchLabels: { pod: "b" } } }] }) })],
    [{ closed: ["* > x/a"], open: ["x/b > x/a"] }],
  ],
  [
    "ingress for one target of a closed namespace",
    [
      inX({ ...onAll, ...ingress() }),
      inX({ ...onA, ...ingress({ from: [{ podSelector: {}, namespaceSelector: {} }] }) }),
    ],
    [{ closed: ["* > x/*"], open: ["* > x/a"] }],
  ],
  ["pods of all namespaces", [inX({ ...onA, ...ingress({ from: [{ namespaceSelector: {} }] }) })], [{ closed: [] }]],
  [
    "a different namespace only, by NamespaceSelector",
    [inX({ ...onA, ...ingress({ from: [named("y")] }) })],
    [{ closed: ["x/* > x/a", "z/* > x/a"] }],
  ],
  [
    "PodSelector with MatchExpressions",
    [inX({ ...onA, ...ingress({ from: [pod("b")] }) })],
    [{ closed: ["* > x/a"], open: ["x/b > x/a"] }],
  ],
  [
    "NamespaceSelector with MatchExpressions",
    [
      inX({
        ...onA,
        ...ingress({
          from: [
            {
              namespaceSelector: {
                matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "In", values: ["y"] }],
              },
            },
          ],
        }),
      }),
    ],
    [{ closed: ["x/* > x/a", "z/* > x/a"] }],
  ],
  [
    "PodSelector or NamespaceSelector: two peers",
    [inX({ ...onA, ...ingress({ from: [notNamed("x"), pod("b")] }) })],
    [{ closed: ["x/c > x/a"] }],
  ],
  [
    "PodSelector and NamespaceSelector: one peer",
    [inX({ ...onA, ...ingress({ from: [{ ...notNamed("x"), ...pod("b") }] }) })],
    [{ closed: ["* > x/a"], open: ["y/b > x/a", "z/b > x/a"] }],
  ],
  [
    "several PodSelectors and NamespaceSelectors",
    [inX({ ...onA, ...ingress({ from: [{ ...notNamed("x"), ...pod("b", "c") }] }) })],
    [{ closed: ["x/* > x/a", "y/a > x/a", "z/a > x/a"] }],
  ],
  [
    "any PodSelectors",
    [inX({ ...onA, ...ingress({ from: [pod("b"), pod("c")] }) })],
    [{ closed: ["* > x/a"], open: ["x/b > x/a", "x/c > x/a"] }],
  ],
  [
    "a pod of a different namespace, by both selectors",
    [inX({ ...onA, ...ingress({ from: [{ ...named("y"), ...pod("a") }] }) })],
    [{ closed: ["* > x/a"], open: ["y/a > x/a"] }],
  ],
  ["ports", [onlyPort81FromY], [{ to: tcp(81), closed: ["x/* > x/a", "z/* > x/a"] }]],
  [
    "stacked policies, before the second",
    [onlyPort81FromY],
    [
      { to: tcp(81), closed: ["x/* > x/a", "z/* > x/a"] },
      { to: tcp(80), closed: ["* > x/a"] },
    ],
  ],
  [
    "stacked policies with overlapping PodSelectors add up",
    [onlyPort81FromY, inX({ ...onA, ...ingress({ from: [named("y")], ports: [port(80, "TCP")] }) })],
    [
      { to: tcp(81), closed: ["x/* > x/a", "z/* > x/a"] },
      { to: tcp(80), closed: ["x/* > x/a", "z/* > x/a"] },
    ],
  ],
  [
    "allow-all",
    [inX({ ...onAll, ...ingress({}) })],
    [
      { to: tcp(80), closed: [] },
      { to: tcp(81), closed: [] },
    ],
  ],
  [
    "ingress on one named port",
    [inX({ ...onAll, ...ingress({ ports: [port("serve-81-tcp")] }) })],
    [
      { to: tcp(81), closed: [] },
      { to: tcp(80), closed: ["* > x/*"] },
    ],
  ],
  [
    "ingress from a namespace on one named port",
    [inX({ ...onA, ...ingress({ from: [named("y")], ports: [port("serve-80-tcp", "TCP")] }) })],
    [
      { to: tcp(80), closed: ["x/* > x/a", "z/* > x/a"] },
      { to: tcp(81), closed: ["* > x/a"] },
    ],
  ],
  [
    "egress on one named port",
    [inX({ ...onAll, ...egress({ ports: [port("serve-80-tcp")] }) })],
    [
      { to: tcp(80), closed: [] },
      { to: tcp(81), closed: ["x/* > *"] },
    ],
  ],
  ["a policy updated to deny all", [inX({ ...onAll, ...ingress() })], [{ to: tcp(81), closed: ["* > x/*"] }]],
  [
    "an updated namespace",
    [inX({ ...onA, ...ingress({ from: [{ namespaceSelector: { matchLabels: { ns2: "updated" } } }] }) })],
    [
      { closed: ["* > x/a"] },
      { closed: ["* > x/a"], open: ["y/* > x/a"], labels: { namespaces: { y: { ns2: "updated" } } } },
    ],
  ],
  [
    "an updated pod",
    [inX({ ...onA, ...ingress({ from: [{ podSelector: { matchLabels: { pod: "b", pod2: "updated" } } }] }) })],
    [
      { closed: ["* > x/a"] },
      { closed: ["* > x/a"], open: ["x/b > x/a"], labels: { pods: { "x/b": { pod2: "updated" } } } },
    ],
  ],
  [
    "no ingress from other namespaces",
    [inX({ ...onAll, ...ingress({ from: [{ podSelector: { matchLabels: {} } }] }) })],
    [{ closed: ["y/* > x/*", "z/* > x/*"] }],
  ],
  [
    "a pod that becomes isolated",
    [inX({ podSelector: { matchLabels: { target: "isolated" } }, ...ingress() })],
    [{ closed: [] }, { closed: ["* > x/a"], labels: { pods: { "x/a": { target: "isolated" } } } }],
  ],
  ["no egress from a pod", [inX({ ...onA, ...egress() })], [{ closed: ["x/a > *"] }]],
  ["no egress from a namespace", [inX({ ...onAll, ...egress() })], [{ closed: ["x/* > *"] }]],
  [
    "ingress and egress together",
    [
      inX({
        ...onA,
        policyTypes: ["Egress", "Ingress"],
        ingress: [{ from: [pod("b")] }],
        egress: [{ ports: [port(80)] }],
      }),
    ],
    [
      { to: tcp(80), closed: ["* > x/a"], open: ["x/b > x/a"] },
      { to: tcp(81), closed: ["* > x/a", "x/a > *"], open: ["x/b > x/a"] },
    ],
  ],
  [
    "egress closed at the client, although the server allows it",
    [
      inX({ ...onA, ...egress({ to: [{ ...named("y"), ...pod("a") }] }) }),
      ...["a", "b"].map((name) => ({
        namespace: "y",
        spec: { ...pod(name), ...ingress({ from: [{ ...named("x"), ...pod("a") }] }) },
      })),
    ],
    [{ closed: ["x/a > *", "* > y/a", "* > y/b"], open: ["x/a > y/a"] }],
  ],
  [
    "egress to a pod of a different namespace, by both selectors",
    [inX({ ...onA, ...egress({ to: [{ ...named("y"), ...pod("a") }] }) })],
    [{ closed: ["x/a > *"], open: ["x/a > y/a"] }],
  ],
  [
    "any port of one protocol",
    [inX({ ...onA, ...ingress({ ports: [{ protocol: "TCP" }] }) })],
    [
      { to: tcp(80), closed: [] },
      { to: udp(80), closed: ["* > x/a"] },
    ],
  ],
  [
    "an ingress that allows all takes precedence",
    [inX({ ...onAll, ...ingress({ ports: [port(80)] }) }), inX({ ...onAll, ...ingress({}) })],
    [{ to: tcp(81), closed: [] }],
  ],
  [
    "an egress that allows all takes precedence",
    [inX({ ...onAll, ...egress({ ports: [port(80)] }) }), inX({ ...onAll, ...egress({}) })],
    [{ to: tcp(81), closed: [] }],
  ],
  ["no policies, or none any more", [], [{ closed: [] }]],
  [
    "egress to an address range",
    [inX({ ...onA, ...egress({ to: [{ ipBlock: { cidr: `${addressOf("y/b")}/32` } }] }) })],
    [{ closed: ["x/a > *"], open: ["x/a > y/b"] }],
  ],
  [
    "egress to an address range with an exception",
    [inX({ ...onA, ...egress({ to: [{ ipBlock: { cidr: "10.0.0.0/8", except: [`${addressOf("x/b")}/32`] } }] }) })],
    [{ closed: ["x/a > x/b"] }],
  ],
  [
    "an address that one policy excepts and another allows",
    [
      inX({ ...onA, ...egress({ to: [{ ipBlock: { cidr: "10.0.0.0/8", except: [`${addressOf("x/b")}/32`] } }] }) }),
      inX({ ...onA, ...egress({ to: [{ ipBlock: { cidr: `${addressOf("x/b")}/32` } }] }) }),
    ],
    [{ closed: [] }],
  ],
  [
    "ingress and egress controlled independently",
    [inX({ ...onA, ...egress({}) }), inX({ ...onA, ...ingress() })],
    [{ closed: ["* > x/a"] }],
  ],
  [
    "SCTP is not TCP",
    [inX({ ...onAll, ...ingress() }), inX({ ...onA, ...ingress({ ports: [port(81, "SCTP")] }) })],
    [{ to: tcp(81), closed: ["* > x/*"] }],
  ],
  [
    "a policy that allows only SCTP isolates for TCP",
    [inX({ ...onA, ...ingress({ ports: [port(80, "SCTP")] }) })],
    [{ to: tcp(80), closed: ["* > x/a"] }],
  ],
  [
    "UDP is not TCP",
    [inX({ ...onAll, ...ingress() }), inX({ ...onA, ...ingress({ ports: [port(81, "UDP")] }) })],
    [
      { to: tcp(81), closed: ["* > x/*"] },
      { to: udp(81), closed: ["* > x/*"], open: ["* > x/a"] },
    ],
  ],
  [
    "a range of ports",
    [inX({ ...onA, ...ingress({ ports: [{ port: 80, endPort: 81 }] }) })],
    [
      { to: tcp(81), closed: [] },
      { to: tcp(82), closed: ["* > x/a"] },
    ],
  ],
  // What people believe of NetworkPolicies, and what is so.
  [
    "policyTypes without Egress make an egress rule mean nothing",
    [inX({ ...onA, policyTypes: ["Ingress"], ingress: [{}], egress: [{ to: [pod("b")] }] })],
    [{ closed: [] }],
  ],
  [
    "without policyTypes, an egress rule counts, and what comes in is closed, too",
    [inX({ ...onA, egress: [{ to: [pod("b")] }] })],
    [{ closed: ["* > x/a", "x/a > *"], open: ["x/a > x/b"] }],
  ],
  [
    "without policyTypes, and with rules for what comes in alone, what goes out is open",
    [inX({ ...onA, ingress: [{ from: [pod("b")] }] })],
    [{ closed: ["* > x/a"], open: ["x/b > x/a"] }],
  ],
  [
    "a policy holds in its own namespace only",
    [{ namespace: "y", spec: { ...onA, ...ingress() } }],
    [{ closed: ["* > y/a"] }],
  ],
  [
    "a label that is not there is not one of the values that are not wanted",
    [inX({ podSelector: { matchExpressions: [{ key: "tier", operator: "NotIn", values: ["front"] }] }, ...ingress() })],
    [{ closed: ["* > x/*"] }, { closed: ["* > x/b", "* > x/c"], labels: { pods: { "x/a": { tier: "front" } } } }],
  ],
];

describe("what NetworkPolicies let through, as Kubernetes' own suite has it", () => {
  it.each(cases)("%s", (_, policies, asked) => {
    for (const each of asked) expect(found(policies, each)).toEqual(expected(each));
  });
});

describe("an end that has no address yet", () => {
  const { address: _, ...planned } = podNamed("x/b");
  const anywhere = [inX({ ...onA, ...egress({ to: [{ ipBlock: { cidr: "0.0.0.0/0" } }] }) })];

  it("may be in a range or not: nobody is told that it is safe", () => {
    expect(passage(anywhere, podNamed("x/a"), planned)(tcp(80))).toBe("maybe");
    expect(passage(anywhere, podNamed("x/a"), { address: "10.0.0.9" })(tcp(80))).toBe("open");
  });

  it("is closed all the same where its own side closes it", () => {
    const closed = inX({ podSelector: { matchLabels: { pod: "b" } }, ...ingress() });
    expect(passage([...anywhere, closed], podNamed("x/a"), planned)(tcp(80))).toBe("closed");
  });
});

describe("a pod", () => {
  it("is isolated in the directions of the policies that select it", () => {
    const policies = [inX({ ...onA, egress: [{}] }), inX({ ...onAll, ...ingress() })];
    expect(policiesOf(policies, "Egress", podNamed("x/a"))).toEqual([policies[0]]);
    expect(policiesOf(policies, "Ingress", podNamed("x/a"))).toEqual(policies);
    expect(policiesOf(policies, "Egress", podNamed("x/b"))).toEqual([]);
  });
});
