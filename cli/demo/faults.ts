import { KubeConfig } from "@kubernetes/client-node";
import { places } from "../../local/places.ts";
import { kubeApi } from "../../rollout/kube/config-api.ts";
import { Failure } from "../failure.ts";
import { changeableStack as stack } from "../workspace.ts";
import { candidate } from "./begin.ts";

/** Where both services of the sample take orders to fail: a port of its own, which no route reaches. */
const faultPort = 3001;

/** Has every pod of the candidate fail this share of its requests, 0 to 1, through the API server. */
export async function orderErrors(errorShare: number): Promise<void> {
  const config = new KubeConfig();
  config.loadFromFile(places.kubeconfig);
  const api = kubeApi(config);
  const pods = `/api/v1/namespaces/${stack}/pods`;
  const selector = encodeURIComponent(`component in (backend,frontend),version=${candidate}`);
  const found = await api.ask({ method: "GET", path: `${pods}?labelSelector=${selector}` });
  const { items = [] } = JSON.parse(found.body) as { items?: readonly { metadata: { name: string } }[] };
  if (items.length === 0) throw new Failure(`there is no pod of ${candidate} to order errors of`);
  for (const { metadata } of items) {
    const path = `${pods}/${metadata.name}:${faultPort}/proxy/faults`;
    const { status, body } = await api.ask({ method: "POST", path, body: { errorShare } });
    if (status !== 200)
      throw new Failure(`pod ${metadata.name} took no order to fail: ${status} ${body.slice(0, 200)}`);
  }
}
