import { existsSync, readdirSync, statSync } from "node:fs";
import { mkdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../../cli/failure.ts";
import type { Progress } from "../../cli/progress.ts";
import { hostTools } from "../debian/host-tools.ts";
import { outcomeOf, run } from "../run.ts";
import { network, node, ports } from "./layout.ts";
import { covered } from "./node-config.ts";
import { readOwner } from "./owner.ts";

/** What the cluster changes on the machine, as it was before: put back by `local down`. */
export interface Before {
  readonly sysctls: Readonly<Record<string, string>>;
  /** Directories that did not exist. */
  readonly directories: readonly string[];
}

/** Kernel settings that the kubelet and the network plugin write. */
const sysctls = [
  "net/ipv4/ip_forward",
  "vm/overcommit_memory",
  "vm/panic_on_oom",
  "kernel/panic",
  "kernel/panic_on_oops",
  "kernel/keys/root_maxkeys",
  "kernel/keys/root_maxbytes",
] as const;

const sysctlFile = (name: string) => join("/proc/sys", name);

export async function observeMachine(): Promise<Before> {
  const found: Record<string, string> = {};
  for (const name of sysctls) found[name] = (await readFile(sysctlFile(name), "utf8")).trim();
  return { sysctls: found, directories: Object.keys(covered).filter((path) => !existsSync(path)) };
}

/** Makes the machine ready: directories, cgroups, the node's address, and a rule that closes what pods may reach to the outside. */
export async function prepareMachine(): Promise<void> {
  for (const [path, ours] of Object.entries(covered)) {
    await mkdir(path, { recursive: true });
    await mkdir(ours, { recursive: true });
  }
  for (const root of cgroupRoots()) {
    await passControllersOn(root);
    await mkdir(join(root, node.cgroup), { recursive: true });
  }
  await writeFile(sysctlFile("net/ipv4/ip_forward"), "1");
  if (!hasInterface()) await run(hostTools.ip, ["link", "add", network.bridge, "type", "bridge"]);
  await run(hostTools.ip, ["address", "replace", `${network.node}/32`, "dev", network.bridge]);
  await run(hostTools.ip, ["link", "set", network.bridge, "up"]);
  await run(hostTools.nft, ["-f", "-"], { input: ourRules() });
}

const hasInterface = () => existsSync(join("/sys/class/net", network.bridge));

const closed = [ports.api, ports.traefikMetrics, ports.traefikInside].join(", ");

export const ourRules = () => `table inet ${network.nftTable}
delete table inet ${network.nftTable}
table inet ${network.nftTable} {
  chain input {
    type filter hook input priority filter; policy accept;
    iifname != "lo" tcp dport { ${closed} } ip saddr != ${network.block} drop
  }
}
`;

/** Takes back what `prepareMachine` and the cluster's processes did. No process of the cluster may run any more. */
export async function restoreMachine(before: Before | undefined, progress: Progress): Promise<void> {
  for (const [family, table] of await ourTables()) await run(hostTools.nft, ["delete", "table", family, table]);
  // Links of pods go with their pods, but the kernel may take many seconds for it: those that are still there are deleted.
  await eventually("network interfaces", async () => {
    for (const name of interfaces()) await outcomeOf(hostTools.ip, ["link", "delete", name]);
    return interfaces().length === 0;
  });
  await eventually("control groups", async () => {
    for (const directory of cgroupDirectories()) await rmdir(directory).catch(ignoreBusy);
    return cgroupDirectories().length === 0;
  });
  if (before === undefined) return;
  for (const [name, value] of Object.entries(before.sysctls)) await writeFile(sysctlFile(name), value);
  for (const path of before.directories)
    if (!(await removeEmpty(path))) progress.note(`${path} is not empty: it stays`);
}

async function eventually(what: string, isGone: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await isGone())) {
    if (performance.now() > deadline)
      throw new Error(`${what} of the cluster are still there 10 s after its processes`);
    await sleep(50);
  }
}

function ignoreBusy(error: NodeJS.ErrnoException): void {
  if (error.code !== "EBUSY" && error.code !== "ENOENT") throw error;
}

/** Removes a directory, or says that somebody has put something into it meanwhile. */
export async function removeEmpty(path: string): Promise<boolean> {
  try {
    await rmdir(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOTEMPTY") return false;
    if (code !== "ENOENT") throw error;
  }
  return true;
}

type Table = readonly [family: string, table: string];

const isOfKubeProxy = ([, table]: Table) => table === "kube-proxy";

/** Whether there are rules of a kube-proxy, ours or another. */
export async function hasKubeProxyTables(): Promise<boolean> {
  return (await nftTables()).some(isOfKubeProxy);
}

/**
 * The nftables tables of the cluster: ours and those of its kube-proxy, which chooses their name itself. Without an
 * owner's record no kube-proxy of ours was started: it is written only after it was seen that the machine has none.
 */
export async function ourTables(): Promise<Table[]> {
  return ofCluster(await nftTables(), (await readOwner()) !== undefined);
}

export function ofCluster(tables: readonly Table[], hasOwner: boolean): Table[] {
  return tables.filter((table) => table[1] === network.nftTable || (hasOwner && isOfKubeProxy(table)));
}

async function nftTables(): Promise<Table[]> {
  if (!existsSync(hostTools.nft)) return [];
  const { stdout } = await outcomeOf(hostTools.nft, ["list", "tables"]);
  return tablesIn(stdout);
}

export function tablesIn(listing: string): Table[] {
  const lines = listing.split("\n").map((line) => line.trim().split(" "));
  return lines.flatMap(([word, family, table]): Table[] =>
    word === "table" && family !== undefined && table !== undefined ? [[family, table]] : [],
  );
}

/** Where control groups are mounted: one directory a controller (version 1), or one for all (version 2). */
export function cgroupRoots(): string[] {
  const root = "/sys/fs/cgroup";
  if (existsSync(join(root, "cgroup.controllers"))) return [root];
  return readdirSync(root)
    .map((name) => join(root, name))
    .filter((path) => statSync(path).isDirectory() && existsSync(join(path, "cgroup.procs")));
}

/** In version 2 a control group below another has only the controllers that are passed on to it; the kubelet needs these. */
async function passControllersOn(root: string): Promise<void> {
  if (!existsSync(join(root, "cgroup.controllers"))) return;
  const names = async (file: string) => (await readFile(join(root, file), "utf8")).trim().split(" ");
  const present = await names("cgroup.controllers");
  const passedOn = await names("cgroup.subtree_control");
  for (const name of ["cpu", "cpuset", "memory", "pids", "hugetlb"]) {
    if (!present.includes(name) || passedOn.includes(name)) continue;
    await writeFile(join(root, "cgroup.subtree_control"), `+${name}`).catch((error: NodeJS.ErrnoException) => {
      throw new Failure(
        `the control group controller "${name}" cannot be passed on below ${root} (${error.code}). In a container that is ` +
          "so when it holds processes in its root group: start it with --cgroupns=host, or use GOLIVE_KUBECONFIG=FILE.",
        2,
        { cause: error },
      );
    });
  }
}

/** Our control groups, innermost first. */
export function cgroupDirectories(): string[] {
  const below = (directory: string): string[] => {
    if (!existsSync(directory)) return [];
    const children = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return [...children.flatMap(({ name }) => below(join(directory, name))), directory];
  };
  return cgroupRoots().flatMap((root) => below(join(root, node.cgroup)));
}

/** The interfaces of ours that exist: the bridge, and the machine's ends of pods' links, which have the pods' gateway address. */
export function interfaces(): string[] {
  const [gatewayOfPods] = network.pods.replace(".0/", ".1/").split("/");
  const links = Object.entries(networkInterfaces()).filter(([, addresses]) =>
    addresses?.some(({ address }) => address === gatewayOfPods),
  );
  return [...(hasInterface() ? [network.bridge] : []), ...links.map(([name]) => name)];
}
