import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { createConnection } from "node:net";
import { dirname, resolve } from "node:path";
import process from "node:process";
import { parse } from "yaml";
import { readOwner } from "../local/cluster/owner.ts";
import { places } from "../local/places.ts";
import { Failure } from "./failure.ts";
import type { Progress } from "./progress.ts";

/** Which cluster a kubeconfig's current context is. */
export interface ClusterAddress {
  readonly server: string;
  /** Of its certificate authority, which is made anew with every throw-away cluster. */
  readonly fingerprint: string;
}

const patienceMs = 3000;

/** The cluster of `.golive/kubeconfig`, which answers. A Failure says how to get one when none does. */
export async function answeringCluster(progress: Progress): Promise<ClusterAddress> {
  const given = process.env.GOLIVE_KUBECONFIG;
  let address = await addressIn(places.kubeconfig);
  if (given !== undefined && given !== "") {
    const named = await addressIn(given);
    if (named === undefined) throw new Failure(`GOLIVE_KUBECONFIG: got ${given}; no such kubeconfig`, 2);
    // Derived once; as long as it names the same cluster with the same credentials, a step does not pay for it again.
    const same = address?.fingerprint === named.fingerprint && address.server === named.server;
    if (!same || (await stat(given)).mtimeMs > (await stat(places.kubeconfig)).mtimeMs) {
      const { clusterUp } = await import("../local/cluster/cluster.ts");
      await clusterUp(progress);
      address = await addressIn(places.kubeconfig);
    }
  }
  if (address !== undefined && (await answers(address.server))) return address;
  const which =
    address === undefined ? "no cluster was started here" : `the cluster at ${address.server} does not answer`;
  const next = given
    ? "Start it, or name another in GOLIVE_KUBECONFIG"
    : "Start one: ./golive local up (or name one in GOLIVE_KUBECONFIG)";
  throw new Failure(`${which}. ${next}`, 2);
}

/** Whether `.golive/kubeconfig` is of this clone's throw-away cluster, not of one that GOLIVE_KUBECONFIG names. */
export async function isOwnCluster(): Promise<boolean> {
  return (process.env.GOLIVE_KUBECONFIG ?? "") === "" && (await readOwner())?.clone === places.root;
}

/**
 * What became of the cluster that a stack was on, as seen from the one that answers now. Only of our own is it certain that
 * it is gone, when another authority answers at its address.
 */
export function changeOf(
  before: ClusterAddress | undefined,
  now: ClusterAddress,
  own: boolean,
): "none" | "gone" | "moved" | "unknown" {
  if (before === undefined) return "unknown";
  if (before.server !== now.server) return "moved";
  if (before.fingerprint === now.fingerprint) return "none";
  return own ? "gone" : "unknown";
}

/** Whether the cluster of `.golive/kubeconfig` runs. */
export async function clusterAnswers(): Promise<boolean> {
  const address = await addressIn(places.kubeconfig);
  return address !== undefined && (await answers(address.server));
}

/** The cluster that a kubeconfig file's current context names; undefined when there is no such file. */
export async function addressIn(path: string): Promise<ClusterAddress | undefined> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const address = addressOf(parse(text), dirname(path));
  if (address === undefined) throw new Failure(`${path}: its current context names no cluster with a server`, 2);
  return address;
}

interface Kubeconfig {
  readonly "current-context"?: string;
  readonly contexts?: readonly { readonly name: string; readonly context?: { readonly cluster?: string } }[];
  readonly clusters?: readonly { readonly name: string; readonly cluster?: Readonly<Record<string, unknown>> }[];
}

/** The same for a kubeconfig that was read; `directory` is what paths in it are relative to. */
export function addressOf(kubeconfig: Kubeconfig | null, directory: string): ClusterAddress | undefined {
  const context = kubeconfig?.contexts?.find(({ name }) => name === kubeconfig["current-context"]);
  const cluster = kubeconfig?.clusters?.find(({ name }) => name === context?.context?.cluster)?.cluster;
  const server = cluster?.server;
  if (typeof server !== "string") return undefined;
  const file = cluster?.["certificate-authority"];
  const authority =
    cluster?.["certificate-authority-data"] ?? (file === undefined ? "" : resolve(directory, String(file)));
  return { server, fingerprint: createHash("sha256").update(String(authority)).digest("hex").slice(0, 16) };
}

/** Whether something listens at a server's address: a cluster that is off is told before an engine starts. */
function answers(server: string): Promise<boolean> {
  const { hostname, port, protocol } = new URL(server);
  return new Promise((resolve) => {
    const socket = createConnection({
      host: hostname.replace(/^\[|\]$/g, ""),
      port: Number(port || (protocol === "http:" ? 80 : 443)),
      timeout: patienceMs,
    });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => end(true));
    socket.once("timeout", () => end(false));
    socket.once("error", () => end(false));
  });
}
