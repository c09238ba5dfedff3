import { Resolver } from "node:dns/promises";
import { readFile } from "node:fs/promises";

/** The part of a DNS resolver that is asked. */
export interface Names {
  resolveSrv(name: string): Promise<readonly { readonly name: string; readonly port: number }[]>;
  resolve4(name: string): Promise<readonly string[]>;
  resolve6(name: string): Promise<readonly string[]>;
}

/** Patience of one question to DNS, and how often it is asked. */
const patient = { timeout: 1000, tries: 2 } as const;

export const clusterNames = (): Names => new Resolver(patient);

/**
 * Where the gateway's pods have their metrics, as `host:port`, by what DNS says of a headless Service. DNS needs no right: a
 * list of the pods would be one to read all that stands in them, in a namespace that is not ours.
 * @throws Error when DNS has no such name, or does not answer.
 */
export async function gatewayPods(names: Names, service: string): Promise<readonly string[]> {
  const found = await names.resolveSrv(service);
  const hosts = await Promise.all(
    found.map(async ({ name, port }) => (await addressesOf(names, name)).map((address) => `${address}:${port}`)),
  );
  return [...new Set(hosts.flat())].sort();
}

async function addressesOf(names: Names, name: string): Promise<readonly string[]> {
  try {
    return await names.resolve4(name);
  } catch {
    // A cluster that has IPv6 alone.
    return (await names.resolve6(name)).map((address) => `[${address}]`);
  }
}

const resolvConf = "/etc/resolv.conf";

/**
 * The domain of the cluster, as the kubelet wrote it for this pod: `cluster.local` nearly everywhere. Names are asked for in
 * full, since a resolver of Node appends nothing.
 * @throws Error when the file names none.
 */
export async function clusterDomain(file = resolvConf): Promise<string> {
  const words = (await readFile(file, "utf8")).split(/\s+/);
  const domain = words.find((word) => word.startsWith("svc."));
  if (domain === undefined) throw new Error(`${file} has no search domain that begins with svc.`);
  return domain.slice("svc.".length);
}
