import type { DeploymentObject } from "../observed.ts";
import { messageOf } from "./answer.ts";
import type { KubeApi } from "./api.ts";

/** Ready pods of a Deployment. @throws Error that says what the API server answered, or why it did not. */
export async function readyPods(api: KubeApi, namespace: string, name: string): Promise<number> {
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`;
  const { status, body } = await api.ask({ method: "GET", path });
  // A colour without a release has no Deployment.
  if (status === 404) return 0;
  if (status !== 200)
    throw new Error(`asked for Deployment ${name}, the API server answered ${status}: ${messageOf(body)}`);
  return (JSON.parse(body) as DeploymentObject).status?.readyReplicas ?? 0;
}
