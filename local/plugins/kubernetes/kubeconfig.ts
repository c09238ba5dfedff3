import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import { parse } from "yaml";

/** How to reach one cluster as one user. */
export interface Connection {
  readonly server: string;
  /** The context that named it, for messages. */
  readonly context: string;
  /** The namespace of the context. */
  readonly namespace: string | undefined;
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly token: string | undefined;
  readonly insecure: boolean;
  readonly serverName: string | undefined;
}

/** What a provider says about its cluster. */
export interface ClusterChoice {
  /** A path of a kubeconfig, or its text; the usual places when it is not given. */
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  readonly cluster: string | undefined;
}

type Settings = Readonly<Record<string, unknown>>;
interface Named {
  readonly name?: string;
  readonly cluster?: Settings;
  readonly user?: Settings;
  readonly context?: { readonly cluster?: string; readonly user?: string; readonly namespace?: string };
}
interface Kubeconfig {
  readonly "current-context"?: string;
  readonly clusters?: readonly Named[];
  readonly users?: readonly Named[];
  readonly contexts?: readonly Named[];
}

/** Resolves a provider's choice to a connection; fails with what is missing and where it was looked for. */
export function connection(choice: ClusterChoice): Connection {
  const { text, directory, place } = load(choice.kubeconfig);
  const config = (parse(text) ?? {}) as Kubeconfig;
  const name = choice.context ?? config["current-context"] ?? "";
  const context = config.contexts?.find((it) => it.name === name)?.context;
  if (context === undefined) {
    const known = config.contexts?.map((it) => it.name).join(", ") ?? "";
    throw new Error(`${place} has no context "${name}"; it has: ${known === "" ? "none" : known}`);
  }
  const clusterName = choice.cluster ?? context.cluster ?? "";
  const cluster = config.clusters?.find((it) => it.name === clusterName)?.cluster;
  const server = textOf(cluster, "server");
  if (server === undefined)
    throw new Error(`${place} names no server for cluster "${clusterName}" of context "${name}"`);
  const user = config.users?.find((it) => it.name === context.user)?.user ?? {};
  refuseUser(user, place);
  const read = (settings: Settings | undefined, field: string) => {
    const data = textOf(settings, `${field}-data`);
    if (data !== undefined) return Buffer.from(data, "base64").toString();
    const path = textOf(settings, field);
    return path === undefined ? undefined : readFileSync(resolve(directory, path), "utf8");
  };
  const tokenFile = textOf(user, "tokenFile");
  return {
    server: server.replace(/\/$/, ""),
    context: name,
    namespace: context.namespace,
    ca: read(cluster, "certificate-authority"),
    cert: read(user, "client-certificate"),
    key: read(user, "client-key"),
    token: tokenFile === undefined ? textOf(user, "token") : readFileSync(resolve(directory, tokenFile), "utf8").trim(),
    insecure: cluster?.["insecure-skip-tls-verify"] === true,
    serverName: textOf(cluster, "tls-server-name"),
  };
}

/** The part of a kubeconfig that says which cluster is meant: when it differs, the cluster differs. */
export function activeCluster(choice: ClusterChoice): string {
  const { server, ca, serverName } = connection(choice);
  return JSON.stringify({ server, ca, serverName });
}

function load(given: string | undefined): { text: string; directory: string; place: string } {
  // A text has several lines or is JSON; all else is a path.
  if (given !== undefined && /[\n{]/.test(given))
    return { text: given, directory: process.cwd(), place: "the given kubeconfig" };
  const usual = process.env.KUBECONFIG ?? join(homedir(), ".kube", "config");
  const path = resolve((given === undefined || given === "" ? usual : given).replace(/^~(?=\/)/, homedir()));
  if (!existsSync(path)) throw new Error(`there is no kubeconfig at ${path}`);
  return { text: readFileSync(path, "utf8"), directory: dirname(path), place: path };
}

function textOf(settings: Settings | undefined, field: string): string | undefined {
  const value = settings?.[field];
  return typeof value === "string" && value !== "" ? value : undefined;
}

function refuseUser(user: Settings, place: string): void {
  for (const way of ["exec", "auth-provider", "username"]) {
    if (user[way] !== undefined) {
      throw new Error(
        `${place} signs in by "${way}", which the stand-in for the kubernetes plugin cannot do: it takes client certificates and tokens`,
      );
    }
  }
}
