import { Failure } from "../../cli/failure.ts";
import { readIfThere } from "../files.ts";
import { gateway } from "../gateway.ts";
import { isReady, kubectl } from "./api.ts";
import { listLeftovers } from "./leftovers.ts";
import { logOf, processNames, running } from "./processes.ts";

export interface ComponentStatus {
  readonly name: string;
  readonly state: string;
  readonly detail: string;
}

/** What runs in pods, with its namespace. */
const pods: Readonly<Record<string, string>> = {
  coredns: "kube-system",
  volumes: "kube-system",
  traefik: gateway.namespace,
  "prometheus-operator": "monitoring-operator",
};

export async function componentStatus(): Promise<readonly ComponentStatus[]> {
  const found: ComponentStatus[] = [];
  for (const name of processNames) {
    const identity = await running(name);
    const detail = identity === undefined ? "" : `pid ${identity.pid}`;
    found.push({ name, state: identity === undefined ? "stopped" : "running", detail });
  }
  if (found.every(({ state }) => state === "stopped")) {
    const left = await listLeftovers();
    return [...found, ...left.map((what) => ({ name: "left over", state: "found", detail: what }))];
  }
  if (!(await apiAnswers()))
    return [...found, { name: "API", state: "not ready", detail: `see ${logOf("kube-apiserver")}` }];
  return [...found, ...(await podStatus())];
}

async function apiAnswers(): Promise<boolean> {
  return (await running("kube-apiserver")) !== undefined && (await isReady());
}

async function podStatus(): Promise<ComponentStatus[]> {
  const found: ComponentStatus[] = [];
  for (const [name, namespace] of Object.entries(pods)) {
    const path = "-o=jsonpath={.status.availableReplicas}";
    const available = await kubectl(["--namespace", namespace, "get", "deployment", name, "--ignore-not-found", path]);
    const state = Number(available) > 0 ? "running" : "not ready";
    found.push({ name, state, detail: `deployment ${namespace}/${name}` });
  }
  return found;
}

export const logNames: readonly string[] = [...processNames, ...Object.keys(pods)];

/** Gives what a component has written. */
export async function componentLogs(name: string, write: (text: string) => void): Promise<void> {
  const namespace = Object.hasOwn(pods, name) ? pods[name] : undefined;
  if (namespace !== undefined) {
    write(await kubectl(["--namespace", namespace, "logs", `deployment/${name}`]));
    return;
  }
  if (!logNames.includes(name)) {
    throw new Failure(`no log is called "${name}"; there are ${logNames.join(", ")}`, 2);
  }
  const text = await readIfThere(logOf(name));
  if (text === undefined) {
    throw new Failure(`${name} has written nothing: the cluster was not started. Start it: golive local up`);
  }
  write(text);
}
