/** Who may connect to whom in a stack, as data: NetworkPolicies are made of it (components/network) and judged by it (policies/network). */
export interface Flow {
  readonly from: Party;
  readonly to: Party;
  /** `configured`: the port that the stack's configuration names, such as a mail server's. */
  readonly ports: readonly FlowPort[] | "configured";
  /** What stops without it. */
  readonly why: string;
  /** Only where this is so. Default: wherever both parties are. */
  readonly where?: Trait;
}

/** One end of a connection: pods of the stack by their label `component`, or somebody else's. */
export type Party = { readonly pods: string } | { readonly outsider: Outsider };

export interface FlowPort {
  readonly port: number;
  /** Default: TCP. */
  readonly protocol?: "TCP" | "UDP";
}

/**
 * Whose pods or machines the stack does not declare: the proxy behind the Gateway, the cluster's DNS, the API server, the
 * machines of the cluster, the operators of what the stack declares, hosts that its configuration names (they may have any
 * address), and the rest of the world (public addresses only).
 */
export type Outsider = "gateway" | "dns" | "api-server" | "nodes" | "operator" | "outside" | "internet";

/** What a stack has that decides whether a flow is needed, beside the parties. */
export type Trait = "cloudnative-pg" | "object-store" | "external-database" | "public-grafana";

export const pods = (component: string): Party => ({ pods: component });
export const outsider = (name: Outsider): Party => ({ outsider: name });
export const tcp = (...ports: readonly number[]): readonly FlowPort[] => ports.map((port) => ({ port }));
