import { readFile } from "node:fs/promises";
import { type RequestOptions, request } from "node:https";
import { dirname, isAbsolute, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { KubeConfig } from "@kubernetes/client-node";
import { parse, stringify } from "yaml";
import { Failure } from "../../cli/failure.ts";
import type { Progress } from "../../cli/progress.ts";
import { stackImages } from "../images/recipes.ts";
import { places } from "../places.ts";
import { type Access, kubeconfigOf, writeKubeconfig } from "./kubeconfig.ts";

interface Named {
  readonly name: string;
}

interface KubeconfigFile {
  readonly "current-context"?: string;
  readonly clusters?: readonly (Named & { readonly cluster: Readonly<Record<string, unknown>> })[];
  readonly users?: readonly (Named & { readonly user: Readonly<Record<string, unknown>> })[];
  readonly contexts?: readonly (Named & { readonly context: { readonly cluster: string; readonly user: string } })[];
}

const answerSeconds = 10;

/** Uses the cluster that a kubeconfig names: checks what the stack needs of it, and starts nothing. */
export async function useCluster(file: string, progress: Progress): Promise<void> {
  const access = await accessOf(file);
  const get = connect(access, file);
  await get("/version");
  for (const kinds of kindsOfOthers) await requireKinds(get, kinds);
  await requireImages(get, progress);
  await writeKubeconfig(places.kubeconfig, access);
}

/** The cluster and user of the current context, with paths that also work from another file. */
async function accessOf(file: string): Promise<Access> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new Failure(
      `GOLIVE_KUBECONFIG names ${file}, which cannot be read (${error.code}); give a kubeconfig file`,
      2,
      { cause: error },
    );
  });
  const config = (parse(text) ?? {}) as KubeconfigFile;
  const name = config["current-context"] ?? "";
  const context = config.contexts?.find((entry) => entry.name === name)?.context;
  const cluster = config.clusters?.find((entry) => entry.name === context?.cluster)?.cluster;
  const user = config.users?.find((entry) => entry.name === context?.user)?.user;
  if (cluster === undefined || user === undefined) {
    const known = (config.contexts ?? []).map((entry) => entry.name).join(", ") || "none";
    throw new Failure(
      `the current context "${name}" of ${file} (GOLIVE_KUBECONFIG) names no cluster and user in it; its contexts: ${known}`,
      2,
    );
  }
  return { cluster: absolutePaths(cluster, dirname(file)), user: absolutePaths(user, dirname(file)) };
}

const pathKeys = ["certificate-authority", "client-certificate", "client-key", "tokenFile"];

export function absolutePaths(entry: Readonly<Record<string, unknown>>, directory: string): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(entry).map(([key, value]) => {
      const isRelative = pathKeys.includes(key) && typeof value === "string" && !isAbsolute(value);
      return [key, isRelative ? join(directory, value) : value];
    }),
  );
}

/** What a path of the API answers; undefined when there is nothing at it. */
type Get = (path: string) => Promise<unknown>;

function connect(access: Access, file: string): Get {
  const config = new KubeConfig();
  config.loadFromString(stringify(kubeconfigOf(access)));
  const server = String(access.cluster.server);
  const said = (reason: string) =>
    new Failure(`the cluster of GOLIVE_KUBECONFIG (${file}, server ${server}) ${reason}`, 2);
  return async (path) => {
    const options: RequestOptions = { method: "GET", agent: false, signal: AbortSignal.timeout(answerSeconds * 1000) };
    await config.applyToHTTPSOptions(options).catch((error: Error) => {
      throw said(`cannot be asked: ${error.message}`);
    });
    const { status, body } = await ask(new URL(path, server), options).catch((error: NodeJS.ErrnoException) => {
      const reason = error.name === "TimeoutError" ? ` within ${answerSeconds} s` : `: ${error.message}`;
      throw said(`does not answer${reason}; start it, or name another one`);
    });
    if (status === 404) return undefined;
    if (status !== 200) throw said(`answers ${status} to GET ${path}: ${body.slice(0, 200)}`);
    return JSON.parse(body);
  };
}

function ask(url: URL, options: RequestOptions): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(url, options, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        body += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
      response.on("error", reject);
    });
    // An aborted request reports the signal's reason as its cause.
    asked.on("error", (error) => reject(error.name === "AbortError" ? (options.signal?.reason ?? error) : error));
    asked.end();
  });
}

/** Kinds that the stack declares and others bring. */
interface Kinds {
  readonly of: string;
  readonly group: string;
  readonly kinds: readonly string[];
  readonly advice: string;
}

const kindsOfOthers: readonly Kinds[] = [
  {
    of: "the Gateway API",
    group: "gateway.networking.k8s.io",
    kinds: ["gatewayclasses", "gateways", "httproutes"],
    advice: "Install the standard channel of the Gateway API (version 1.3.0 was tried) and a controller for it.",
  },
  {
    of: "the Prometheus operator",
    group: "monitoring.coreos.com",
    kinds: ["alertmanagers", "podmonitors", "probes", "prometheuses", "prometheusrules", "servicemonitors"],
    advice: "Install the operator with its CRDs (version 0.85.0 was tried).",
  },
];

async function requireKinds(get: Get, { of, group, kinds, advice }: Kinds): Promise<void> {
  const found = (await get(`/apis/${group}/v1`)) as { readonly resources?: readonly Named[] } | undefined;
  const names = new Set((found?.resources ?? []).map(({ name }) => name));
  const missing = kinds.filter((kind) => !names.has(kind));
  if (missing.length === 0) return;
  throw new Failure(
    `the cluster of GOLIVE_KUBECONFIG lacks ${missing.length === 1 ? "a CRD" : "CRDs"} of ${of}: ` +
      `${missing.map((kind) => `${kind}.${group}`).join(", ")}. ${advice}`,
    2,
  );
}

interface NodeList {
  readonly items: readonly {
    readonly metadata: Named;
    readonly spec?: { readonly unschedulable?: boolean };
    readonly status: { readonly images?: readonly { readonly names?: readonly string[] }[] };
  }[];
}

/** A kubelet reports so many images at most (its default), the largest first: ours may be among the rest. */
const reportedImages = 50;

/** A kubelet lists its images every 30 s and reports its node every 10 s: an image that was just loaded shows so late. */
const imageReportSeconds = 45;

async function requireImages(get: Get, progress: Progress): Promise<void> {
  const ask = async () => missingImages((await get("/api/v1/nodes")) as NodeList);
  let { missing, unknown } = await ask();
  if (missing.size > 0) {
    await progress.stage(`wait up to ${imageReportSeconds} s for images that a node has not reported`, async () => {
      const deadline = performance.now() + imageReportSeconds * 1000;
      while (missing.size > 0 && performance.now() < deadline) {
        await sleep(1000);
        ({ missing, unknown } = await ask());
      }
    });
  }
  const linesOf = (nodes: typeof missing) => [...nodes].map(([node, images]) => `  node ${node}: ${images.join(", ")}`);
  for (const line of linesOf(unknown)) {
    progress.note(`${line.trim()} not seen, but it may report only its ${reportedImages} largest images`);
  }
  if (missing.size === 0) return;
  const lines = linesOf(missing);
  throw new Failure(
    `the cluster of GOLIVE_KUBECONFIG lacks images of the stack "local":\n${lines.join("\n")}\n` +
      "Build them with: golive local images golive-images.tar\n" +
      "and load them on each node: ctr -n k8s.io images import golive-images.tar (kind: kind load image-archive golive-images.tar)",
    2,
  );
}

/** The images that each node lacks, or may lack. Nodes that have all are left out, and those that take no pods. */
export function missingImages(nodes: NodeList): Record<"missing" | "unknown", Map<string, string[]>> {
  const found = { missing: new Map<string, string[]>(), unknown: new Map<string, string[]>() };
  for (const { metadata, spec, status } of nodes.items) {
    if (spec?.unschedulable === true) continue;
    const images = status.images ?? [];
    const present = new Set(images.flatMap(({ names }) => names ?? []));
    const lacking = stackImages.filter((image) => !present.has(image));
    const list = images.length >= reportedImages ? found.unknown : found.missing;
    if (lacking.length > 0) list.set(metadata.name, lacking);
  }
  return found;
}
