import process from "node:process";
import { CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import { places } from "../places.ts";

/** Names the run that made a namespace: whoever started that run removes what it leaves when it is stopped on the way. */
export const runVariable = "GOLIVE_RUN";
const runLabel = "golive/run";

/** Labels of a namespace that this process makes. */
export function runLabels(): Readonly<Record<string, string>> {
  const run = process.env[runVariable] ?? "";
  return run === "" ? {} : { [runLabel]: run };
}

/** Removes the namespaces that a run left in the throw-away cluster. */
export async function removeNamespaces(run: string): Promise<void> {
  const config = new KubeConfig();
  config.loadFromFile(places.kubeconfig);
  const core = config.makeApiClient(CoreV1Api);
  const { items } = await core.listNamespace({ labelSelector: `${runLabel}=${run}` });
  for (const { metadata, status } of items) {
    if (metadata?.name === undefined || status?.phase === "Terminating") continue;
    await core.deleteNamespace({ name: metadata.name, gracePeriodSeconds: 0 });
  }
}
