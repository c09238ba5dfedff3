import { kubectl } from "../../local/cluster/api.ts";
import { core, namespace } from "./live-cluster.ts";

const pods = async () => (await core.listNamespacedPod({ namespace, labelSelector: "component=guard" })).items;

/** What each pod of the stack's guard tells Prometheus, asked through the API server. A pod that does not answer tells nothing. */
export async function guardsTell(): Promise<readonly string[]> {
  const answers = await Promise.all(
    (await pods()).map((pod) =>
      kubectl(["get", "--raw", `/api/v1/namespaces/${namespace}/pods/${pod.metadata?.name}:9189/proxy/metrics`]).catch(
        (error: unknown) => String(error),
      ),
    ),
  );
  return answers;
}

const line = (metric: string, value: number) => `golive_guard_${metric}{application="taskflow"} ${value}\n`;

/** Whether both pods of the guard tell this of one of their metrics, such as `armed`. */
export async function bothGuardsTell(metric: string, value: number): Promise<boolean> {
  const told = await guardsTell();
  return told.length === 2 && told.every((text) => text.includes(line(metric, value)));
}
