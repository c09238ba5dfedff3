import type { Colour } from "../../applications/application.ts";
import { messageOf } from "../../rollout/kube/answer.ts";
import type { KubeApi } from "../../rollout/kube/api.ts";
import type { DeploymentObject } from "../../rollout/observed.ts";
import { backendsOf } from "./backends.ts";
import type { Whose } from "./gateway-counters.ts";

/** For each colour the services without a ready pod. A colour can serve when there is none. */
export type Unready = Readonly<Record<Colour, readonly string[]>>;

/** @throws Error that says what the API server answered, or why it did not. */
export async function unreadyOf(api: KubeApi, whose: Whose): Promise<Unready> {
  const backends = backendsOf(whose.application);
  const found = await Promise.all(
    backends.map(async (backend) => ({ ...backend, ready: await readyPods(api, whose.namespace, backend.name) })),
  );
  const of = (colour: Colour) =>
    found.flatMap((each) => (each.colour === colour && each.ready === 0 ? [each.service] : []));
  return { blue: of("blue"), green: of("green") };
}

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
