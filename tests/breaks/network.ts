import type { Break } from "./break.ts";

const component = "tests/component/network.test.ts";
const policy = "tests/policy/network.test.ts";
const suite = "tests/policy/network-reachability.test.ts";
const reachability = "policies/network/reachability.ts";

/** Who may connect to whom, and who notices when it is somebody else. */
export const breaks: readonly Break[] = [
  {
    promise: "What nobody allowed is closed, for what a pod sends, too.",
    file: "components/network/policies.ts",
    find: '    spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },\n',
    replace: '    spec: { podSelector: {}, policyTypes: ["Ingress"] },\n',
    test: policy,
    name: "is in staging what its application intends",
  },
  {
    promise: "A live stack is told what is allowed before all else is denied.",
    file: "components/network/network.ts",
    find: "[...namespaces, ...allowed]",
    replace: "namespaces",
    test: component,
    name: "is told what is allowed before all else is denied",
  },
  {
    promise: "No pod is cut off from names by UDP or by TCP.",
    file: "applications/flows.ts",
    find: 'ports: [{ port: 53, protocol: "UDP" }, { port: 53 }],',
    replace: 'ports: [{ port: 53, protocol: "UDP" }],',
    test: component,
    name: "says in one object all that its pods receive and send",
  },
  {
    promise: "A peer in another namespace is one in that namespace alone.",
    file: "components/network/policies.ts",
    find: "{ ...namespaceNamed(place.namespace), podSelector }",
    replace: "{ namespaceSelector: {}, podSelector }",
    test: policy,
    name: "is in staging what its application intends",
  },
  {
    promise: "An application that reaches the world does not reach the inside of somebody's network.",
    file: "components/network/peers.ts",
    find: "network.internet === undefined ? publicAddresses : blocks(network.internet)",
    replace: "blocks(network.internet ?? network.outside)",
    test: policy,
    name: "is in staging what its application intends",
  },
  {
    promise: "A store that is open to whoever has the right labels, wherever, is named.",
    file: "policies/network/strangers.ts",
    find: "const impostors = pods.map(({ labels }) => podIn(elsewhere, labels));",
    replace: "const impostors = pods.slice(0, 0).map(({ labels }) => podIn(elsewhere, labels));",
    test: policy,
    name: "is named: a store to whoever has the right labels",
  },
  {
    promise: "A policy that lets in a pod of the stack's own namespace that nobody declared is named.",
    file: "policies/network/strangers.ts",
    find: ", ...undeclaredMeant(peer, { home, own, pods })]",
    replace: "]",
    test: "tests/policy/evasions-network.test.ts",
    name: "in a namespace of the stack: one of two labels in a list",
  },
  {
    promise: "A pod that nobody declared is not thought to be closed by the policies of the pods around it.",
    file: "policies/network/matrix.ts",
    find: '      if (!("pod" in from)) return receives(policiesOfEnd(ends[1]), ...ends);\n',
    replace: "",
    test: "tests/policy/evasions-network.test.ts",
    name: "in a namespace of the stack: a label in a namespace by its labels",
  },
  {
    promise: "The policy that names somebody is blamed, and not one whose range may take the address.",
    file: "policies/network/only-intended-connections.ts",
    find: 'policies.find((each) => reach(each) === "open") ??',
    replace: "",
    test: "tests/policy/evasions-network.test.ts",
    name: "in a namespace of the stack: a receiver that nobody declared",
  },
  {
    promise: "A NetworkPolicy without an address for the sender opens nothing to it.",
    file: reachability,
    find: '  if (!isPod(end)) return "closed";\n',
    replace: '  if (!isPod(end)) return "open";\n',
    test: policy,
    name: "is in staging what its application intends",
  },
  {
    promise: "Both selectors of one peer must hold.",
    file: reachability,
    find: "return near && selects(podSelector, end.labels)",
    replace: "return near || selects(podSelector, end.labels)",
    test: suite,
    name: "PodSelector and NamespaceSelector: one peer",
  },
  {
    promise: "A policy without policyTypes is about what goes out only if it says something of it.",
    file: reachability,
    find: 'listOf(spec.egress).length > 0 ? ["Ingress", "Egress"] : ["Ingress"]',
    replace: '["Ingress", "Egress"]',
    test: suite,
    name: "without policyTypes, and with rules for what comes in alone",
  },
  {
    promise: "A pod that no policy selects in a direction is found.",
    file: "policies/network/pods-are-isolated.ts",
    find: 'const directions: readonly Direction[] = ["Ingress", "Egress"];',
    replace: 'const directions: readonly Direction[] = ["Ingress"];',
    test: policy,
    name: "is named with the direction in which it is open",
  },
];
