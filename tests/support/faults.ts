import type { Colour } from "../../applications/application.ts";
import { core, namespace } from "./live-cluster.ts";

/** What the sample's backend does wrong from now on; `errorShare` 0 to 1 of its requests fail. */
export interface Faults {
  readonly errorShare: number;
}

/** Orders faults of each backend pod of a colour, on the port that no gateway reaches. */
export async function orderFaults(colour: Colour, faults: Faults): Promise<void> {
  const { items } = await core.listNamespacedPod({ namespace, labelSelector: `component=backend,version=${colour}` });
  if (items.length === 0) throw new Error(`there is no backend pod of ${colour}`);
  for (const pod of items) {
    const response = await fetch(`http://${pod.status?.podIP}:3001/faults`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(faults),
    });
    if (response.status !== 200)
      throw new Error(`${pod.metadata?.name} answered ${response.status} to an order of faults`);
  }
}
