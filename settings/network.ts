import { isIP } from "node:net";
import { z } from "zod";
import { name, object, port } from "./forms.ts";

/** Where those are whom the stack's pods connect to, or who connect to them, and whose pods no NetworkPolicy can name. */
export interface NetworkSettings {
  /** Ranges of the API server's addresses, and its ports behind the Service `kubernetes`. */
  readonly apiServer: { readonly addresses: readonly string[]; readonly ports: readonly number[] };
  /** Ranges of the addresses of the cluster's machines. */
  readonly nodes: readonly string[];
  /** Ranges that hosts may be in which the stack's configuration names: mail server, object store, database, public address. */
  readonly outside: readonly string[];
  /** Ranges that an application reaches where it connects to the world. Undefined: every public address. */
  readonly internet: readonly string[] | undefined;
  /** Namespaces of the operators. */
  readonly operators: { readonly cloudNativePg: string; readonly elastic: string };
}

const range = z.string("allowed: an address range such as 10.0.0.0/16").refine(isRange, {
  error: "allowed: an address range such as 10.0.0.0/16",
});
const ranges = z.array(range, "allowed: a list of address ranges").min(1, "allowed: one range at least");

function isRange(text: string): boolean {
  const [address = "", bits = "", ...rest] = text.split("/");
  const most = { 4: 32, 6: 128 }[isIP(address)];
  return most !== undefined && rest.length === 0 && /^[0-9]{1,3}$/.test(bits) && Number(bits) <= most;
}

/** `golive:network` as a person writes it. */
export const networkForm = object({
  apiServer: object({
    addresses: ranges.optional(),
    ports: z.array(port, "allowed: a list of ports").min(1, "allowed: one port at least").optional(),
  }).optional(),
  nodes: ranges.optional(),
  outside: ranges.optional(),
  internet: ranges.optional(),
  operators: object({ cloudNativePg: name.optional(), elastic: name.optional() }).optional(),
});

export const networkKeys: Readonly<Record<string, readonly string[]>> = {
  network: Object.keys(networkForm.shape),
  "network.apiServer": Object.keys(networkForm.shape.apiServer.unwrap().shape),
  "network.operators": Object.keys(networkForm.shape.operators.unwrap().shape),
};

const anywhere = ["0.0.0.0/0", "::/0"];

/**
 * Who is where: as given, else anywhere. A cluster without these settings works, and is as open towards the API server, the
 * machines and the hosts of the configuration as their ports allow.
 */
export function networkOf(given: z.infer<typeof networkForm> = {}): NetworkSettings {
  return {
    apiServer: { addresses: given.apiServer?.addresses ?? anywhere, ports: given.apiServer?.ports ?? [443, 6443] },
    nodes: given.nodes ?? anywhere,
    outside: given.outside ?? anywhere,
    internet: given.internet,
    operators: {
      cloudNativePg: given.operators?.cloudNativePg ?? "cnpg-system",
      elastic: given.operators?.elastic ?? "elastic-system",
    },
  };
}
