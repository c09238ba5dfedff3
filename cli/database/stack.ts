import { readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { KubeConfig } from "@kubernetes/client-node";
import { parse } from "yaml";
import { type Environment, environments } from "../../applications/application.ts";
import { places } from "../../local/places.ts";
import { answeringCluster } from "../cluster-address.ts";
import { Failure } from "../failure.ts";
import type { Progress } from "../progress.ts";
import { changeableStack, ownWorkspace, unknownStack, type Workspace } from "../workspace.ts";

/** A stack as `golive database` needs to know it. */
export interface DatabaseStack {
  readonly name: string;
  readonly application: string;
  readonly environment: Environment;
  /** Named after the environment, as settings.ts has it (C18). */
  readonly namespace: string;
  readonly cluster: { readonly context: string; readonly kubeconfig: string | undefined };
}

/** Reads a stack's file in the checkout. A Failure names what is not there, or not of the right form. */
export async function readStack(name: string, workspace: Workspace = ownWorkspace): Promise<DatabaseStack> {
  const file = `Pulumi.${name}.yaml`;
  const text = await readFile(join(workspace.source, file), "utf8").catch(async (error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") throw await unknownStack(workspace, name);
    throw error;
  });
  const read: unknown = parse(text);
  const config = at(read, "config");
  const wrong = (key: string, got: unknown, allowed: string) =>
    new Failure(`${file}: golive:${key}: got ${JSON.stringify(got) ?? "nothing"}; allowed: ${allowed}`, 2);
  const application = at(config, "golive:application");
  if (typeof application !== "string") throw wrong("application", application, "the name of an application");
  const given = at(config, "golive:environment");
  const environment = environments.find((each) => each === given);
  if (environment === undefined) throw wrong("environment", given, environments.join(", "));
  const context = at(at(config, "golive:cluster"), "context");
  if (typeof context !== "string") throw wrong("cluster.context", context, "the name of a kubeconfig context");
  const kubeconfig = at(at(config, "golive:cluster"), "kubeconfig");
  if (kubeconfig !== undefined && typeof kubeconfig !== "string")
    throw wrong("cluster.kubeconfig", kubeconfig, "a path");
  return { name, application, environment, namespace: environment, cluster: { context, kubeconfig } };
}

const at = (value: unknown, key: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;

/**
 * The kubeconfig with the stack's context as its current one: the file that the stack names; for stack `local` the throw-away
 * cluster's; else the user's own. As with `golive pulumi`, a real backend means the user's own everywhere.
 */
export async function clusterOf(stack: DatabaseStack, progress: Progress): Promise<KubeConfig> {
  const config = new KubeConfig();
  const { context, kubeconfig } = stack.cluster;
  const throwAway = stack.name === changeableStack && (process.env.PULUMI_BACKEND_URL ?? "") === "";
  if (kubeconfig !== undefined) load(config, kubeconfig);
  else if (throwAway) {
    await answeringCluster(progress);
    load(config, places.kubeconfig);
  } else config.loadFromDefault();
  if (config.getContextObject(context) === null) {
    const known = config.getContexts().map(({ name }) => name);
    const where = kubeconfig ?? (throwAway ? places.kubeconfig : (process.env.KUBECONFIG ?? "~/.kube/config"));
    throw new Failure(
      `stack ${stack.name}: its context ${context} is not in ${where}; contexts there: ${known.join(", ") || "none"}`,
      2,
    );
  }
  config.setCurrentContext(context);
  return config;
}

function load(config: KubeConfig, file: string): void {
  try {
    config.loadFromFile(file);
  } catch (error) {
    throw new Failure(`the kubeconfig ${file} cannot be read: ${error instanceof Error ? error.message : error}`, 2, {
      cause: error,
    });
  }
}
