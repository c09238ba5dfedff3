import { existsSync } from "node:fs";
import { readdir, readFile, readlink, statfs } from "node:fs/promises";
import { delimiter, join } from "node:path";
import process from "node:process";
import { Failure } from "../../cli/failure.ts";
import { isUnpacked } from "../debian/packages.ts";
import { gateway } from "../gateway.ts";
import { type GoModuleName, isBuilt } from "../go/build.ts";
import { places } from "../places.ts";
import { outcomeOf } from "../run.ts";
import { network, ports } from "./layout.ts";
import { hasKubeProxyTables } from "./machine.ts";
import { describe, everyProcess } from "./processes.ts";

/** What a cluster needs that runs already or not: checked before anything is touched. */
export function requireRoot(): void {
  if (process.getuid?.() === 0) return;
  throw new Failure(
    `the throw-away cluster needs root (namespaces, mounts, network); this is user ${process.getuid?.() ?? "?"}. ` +
      "Start it as root, or name a cluster of your own: GOLIVE_KUBECONFIG=FILE.",
    2,
  );
}

const goModules: readonly GoModuleName[] = [
  "etcd",
  "kubernetes",
  "coredns",
  "traefik",
  "prometheus-operator",
  "prometheus",
];

/** What starting a cluster anew needs of the machine. Every reason against it in one Failure. */
export async function requireMachine(): Promise<void> {
  const unbuilt: GoModuleName[] = [];
  for (const name of goModules) if (!(await isBuilt(name))) unbuilt.push(name);
  const packed = !(await isUnpacked());
  const problems = [
    ...platform(),
    ...missingTools(unbuilt.length > 0, packed),
    ...(await fullDisk(unbuilt.length > 0)),
    ...(await portsInUse()),
    ...(await overlappingRoutes()),
    ...(await droppedPackets()),
  ];
  refuseFor(problems);
}

function refuseFor(problems: readonly string[]): void {
  if (problems.length === 0) return;
  const list = problems.map((problem) => `  ${problem}`).join("\n");
  const title =
    problems.length === 1
      ? "the throw-away cluster cannot start:"
      : `${problems.length} reasons keep the throw-away cluster from starting:`;
  throw new Failure(`${title}\n${list}`, 2);
}

function platform(): string[] {
  const got = `${process.platform} ${process.arch}`;
  return got === "linux x64" ? [] : [`this machine is ${got}; linux x64 is needed (or GOLIVE_KUBECONFIG=FILE)`];
}

function missingTools(builds: boolean, unpacks: boolean): string[] {
  const needed = [
    ...["sh", "unshare", "nsenter", "mount", "umount"],
    ...(unpacks ? ["apt-get", "dpkg-deb", "tar", "bash"] : []),
    ...(builds ? ["go"] : []),
  ];
  const missing = needed.filter((tool) => !onPath(tool));
  return missing.length === 0 ? [] : [`not on PATH: ${missing.join(", ")}; install what is missing`];
}

function onPath(tool: string): boolean {
  const directories = (process.env.PATH ?? "").split(delimiter).filter((directory) => directory !== "");
  return directories.some((directory) => existsSync(join(directory, tool)));
}

const gibibyte = 1024 ** 3;

async function fullDisk(builds: boolean): Promise<string[]> {
  const needed = builds ? 8 : 2;
  const { bavail, bsize } = await statfs(places.root);
  const free = (bavail * bsize) / gibibyte;
  if (free >= needed) return [];
  return [
    `${places.root} has ${free.toFixed(1)} GiB free; ${needed} GiB are needed${builds ? " for the first build" : ""}`,
  ];
}

/** The ports that a cluster listens on, with what for. */
const listening: readonly (readonly [number, string])[] = [
  ...Object.entries(ports).map(([name, port]): [number, string] => [port, name]),
  [gateway.publicPort, "gateway, public"],
  [gateway.internalPort, "gateway, internal"],
];

async function portsInUse(): Promise<string[]> {
  const sockets = new Map<number, string>();
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    if (!existsSync(table)) continue;
    for (const [port, inode] of listenersIn(await readFile(table, "utf8"))) sockets.set(port, inode);
  }
  const problems: string[] = [];
  for (const [port, purpose] of listening) {
    const inode = sockets.get(port);
    if (inode === undefined) continue;
    const pid = await holderOf(inode);
    const holder = pid === undefined ? "a process that cannot be seen from here" : describe(pid);
    problems.push(`port ${port} (${purpose}) is in use by ${holder}; stop it`);
  }
  return problems;
}

/** The listening sockets in a table of the kernel: port and inode. */
export function listenersIn(table: string): [port: number, inode: string][] {
  const listen = "0A";
  return table
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .flatMap(([, local = "", , state, , , , , , inode = ""]): [number, string][] => {
      const port = Number.parseInt(local.slice(local.lastIndexOf(":") + 1), 16);
      return state === listen ? [[port, inode]] : [];
    });
}

async function holderOf(inode: string): Promise<number | undefined> {
  for (const pid of everyProcess()) {
    const directory = `/proc/${pid}/fd`;
    for (const file of await readdir(directory).catch(whenHidden([]))) {
      const target = await readlink(join(directory, file)).catch(whenHidden(""));
      if (target === `socket:[${inode}]`) return pid;
    }
  }
  return undefined;
}

/** A process may end, or close a file, while we look; and some let nobody look. */
function whenHidden<T>(value: T) {
  return (error: NodeJS.ErrnoException): T => {
    if (["ENOENT", "ESRCH", "EACCES", "EPERM"].includes(error.code ?? "")) return value;
    throw error;
  };
}

interface Block {
  readonly address: number;
  readonly mask: number;
}

async function overlappingRoutes(): Promise<string[]> {
  const routes = routesIn(await readFile("/proc/net/route", "utf8"));
  const ours = blockOf(network.block);
  const clashing = routes.filter(({ device, block }) => device !== network.bridge && overlap(block, ours));
  return clashing.map(
    ({ device }) =>
      `the addresses ${network.block} of the cluster are routed to ${device} on this machine already; take that route away`,
  );
}

/** The routes in the kernel's table but the default one. Its numbers are little-endian hexadecimal. */
export function routesIn(table: string): { device: string; block: Block }[] {
  const number = (hex: string) => Buffer.from(hex, "hex").reverse().readUInt32BE();
  return table
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .map(([device = "", address = "0", , , , , , mask = "0"]) => ({
      device,
      block: { address: number(address), mask: number(mask) },
    }))
    .filter(({ block }) => block.mask !== 0);
}

export function blockOf(cidr: string): Block {
  const [address = "", length = "32"] = cidr.split("/");
  const bytes = Buffer.from(address.split(".").map(Number));
  return { address: bytes.readUInt32BE(), mask: (0xffffffff << (32 - Number(length))) >>> 0 };
}

export function overlap(a: Block, b: Block): boolean {
  const mask = (a.mask & b.mask) >>> 0;
  return (a.address & mask) >>> 0 === (b.address & mask) >>> 0;
}

/** Whether what pods send each other would be dropped. */
async function droppedPackets(): Promise<string[]> {
  if (!onPath("iptables")) return [];
  const { stdout } = await outcomeOf("iptables", ["--wait", "--list-rules", "FORWARD"]);
  if (!stdout.includes("-P FORWARD DROP") || stdout.includes(network.block)) return [];
  const allow = ["-s", "-d"].map((side) => `iptables -I FORWARD ${side} ${network.block} -j ACCEPT`).join(" && ");
  return [`this machine drops forwarded packets (Docker sets that), also those between pods; allow them: ${allow}`];
}

/** That no rules of the machine's own would be written over. It asks nft, which comes with the cluster's host tools. */
export async function requireOwnRules(): Promise<void> {
  if (!(await hasKubeProxyTables())) return;
  refuseFor([
    "this machine runs a kube-proxy of its own (nftables table kube-proxy); use its cluster: GOLIVE_KUBECONFIG=FILE",
  ]);
}
