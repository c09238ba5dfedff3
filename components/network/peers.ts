import type { types } from "@pulumi/kubernetes";
import type { Flow, FlowPort, Outsider } from "../../applications/flow.ts";
import type { Settings } from "../../settings.ts";
import { serverName as postgresName } from "../database/address.ts";
import { alertmanagerName, prometheusName } from "../monitoring/names.ts";
import { blackboxName } from "../monitoring/probe.ts";

export type Peer = types.input.networking.v1.NetworkPolicyPeer;
export type Port = types.input.networking.v1.NetworkPolicyPort;

/** The namespace of the cluster's own parts: DNS, and where the API server does not reach pods itself, the agents that do. */
const system = "kube-system";
/** Where a cluster with NodeLocal DNSCache asks for names: an address of each machine, which no selector can name. */
const nodeLocalDns = "169.254.20.10/32";

/** Everything but what is inside of somebody's network: private, shared, loopback and link-local addresses (the cloud's metadata). */
const publicAddresses: readonly Peer[] = [
  {
    ipBlock: {
      cidr: "0.0.0.0/0",
      except: ["10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"],
    },
  },
  { ipBlock: { cidr: "::/0", except: ["::1/128", "fc00::/7", "fe80::/10"] } },
];

/** The namespace of this name, by the label that the API server itself gives each. */
export const namespaceNamed = (name: string): Peer => ({
  namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } },
});

/** Who sends to pods of ours. */
export function sendersOf(settings: Settings, sender: Outsider, to: string): readonly Peer[] {
  const { gateway, network } = settings;
  switch (sender) {
    case "gateway":
      // All of its namespace: a wrong label here would cost every user, and whoever runs pods there can send what the proxy can.
      return [namespaceNamed(gateway.namespace)];
    case "api-server":
      return [...blocks(network.apiServer.addresses), namespaceNamed(system)];
    case "operator":
      return [namespaceNamed(to === postgresName ? network.operators.cloudNativePg : network.operators.elastic)];
    default:
      throw new Error(`nothing of a stack listens to ${sender}`);
  }
}

/** Whom pods of ours send to. */
export function receiversOf(settings: Settings, receiver: Outsider, from: string): readonly Peer[] {
  const { gateway, monitoring, network } = settings;
  switch (receiver) {
    case "gateway": {
      const everybody = namespaceNamed(gateway.namespace);
      return [
        from === blackboxName
          ? everybody
          : { ...everybody, podSelector: { matchLabels: monitoring.gateway.podLabels } },
      ];
    }
    case "dns":
      return [
        { ...namespaceNamed(system), podSelector: { matchLabels: { "k8s-app": "kube-dns" } } },
        ...blocks([nodeLocalDns]),
      ];
    case "api-server":
      return blocks(network.apiServer.addresses);
    case "nodes":
      return blocks(network.nodes);
    case "outside":
      return blocks(network.outside);
    case "internet":
      return network.internet === undefined ? publicAddresses : blocks(network.internet);
    case "operator":
      throw new Error(`nothing of a stack sends to its ${receiver}`);
  }
}

const blocks = (ranges: readonly string[]): readonly Peer[] => ranges.map((cidr) => ({ ipBlock: { cidr } }));

/** A Prometheus that somebody else runs: its namespace. */
export const foreignPrometheus = ({ gate, monitoring }: Settings): Peer =>
  namespaceNamed(gate.prometheus?.namespace ?? monitoring.namespace);

/** The ports of a flow; undefined: every port; none: this stack's configuration names nobody there. */
export function portsOf(settings: Settings, flow: Flow): readonly Port[] | undefined {
  const { gate, monitoring } = settings;
  const foreign = monitoring.kind !== "stack" && "pods" in flow.to && flow.to.pods === prometheusName;
  if (foreign) return numbered([{ port: Number(gate.prometheus?.service.split(":")[1] ?? 9090) }]);
  return flow.ports === "configured" ? configuredPorts(settings, flow) : numbered(flow.ports);
}

function configuredPorts(settings: Settings, { from, to }: Flow): readonly Port[] | undefined {
  const sender = "pods" in from ? from.pods : "";
  const receiver = "outsider" in to ? to.outsider : undefined;
  if (receiver === "api-server") return numbered(settings.network.apiServer.ports.map((port) => ({ port })));
  if (receiver === "gateway")
    return sender === blackboxName ? undefined : [{ port: settings.monitoring.gateway.port, protocol: "TCP" }];
  return numbered([...new Set(hostPorts(settings, sender))].map((port) => ({ port })));
}

/** Ports of the hosts that the configuration names, for who connects to them. */
function hostPorts({ database, monitoring }: Settings, sender: string): readonly number[] {
  if (sender === blackboxName) return [portOf(monitoring.probe.url)];
  if (sender === alertmanagerName) {
    const { notify } = monitoring;
    // The on-call tool's address is a secret, and so is its port: it must be https.
    return notify ? [Number(notify.email.smarthost.split(":").at(-1)), ...(notify.onCall ? [443] : [])] : [];
  }
  if (database.kind === "external") return [database.port];
  if (sender === postgresName && database.kind === "cloudnative-pg")
    return [portOf(database.objectStore?.endpoint ?? "https://s3.amazonaws.com")];
  return [];
}

function portOf(url: string): number {
  const { port, protocol } = new URL(url);
  return port === "" ? (protocol === "http:" ? 80 : 443) : Number(port);
}

const numbered = (ports: readonly FlowPort[]): readonly Port[] =>
  ports.map(({ port, protocol = "TCP" }) => ({ port, protocol }));
