import type { Colour } from "../../applications/application.ts";
import type { KubeApi } from "../../rollout/kube/api.ts";
import { readyEndpoints } from "../../rollout/kube/ready-endpoints.ts";
import type { Log } from "../log.ts";
import { reasonOf } from "../reason.ts";
import { backendsOf } from "./backends.ts";
import type { Whose } from "./gateway-counters.ts";

/** For each colour the services without a pod that is ready and that requests reach. A colour can serve when there is none. */
export type Unready = Readonly<Record<Colour, readonly string[]>>;

/** @throws Error that says what the API server answered, or why it did not. */
export async function unreadyOf(api: KubeApi, whose: Whose): Promise<Unready> {
  const backends = backendsOf(whose.application);
  const found = await Promise.all(
    backends.map(async (backend) => ({ ...backend, ready: await readyEndpoints(api, whose.namespace, backend.name) })),
  );
  const of = (colour: Colour) =>
    found.flatMap((each) => (each.colour === colour && each.ready === 0 ? [each.service] : []));
  return { blue: of("blue"), green: of("green") };
}

/** The same for whom a missing answer must not stop: then nobody is known to be unready, which the log says. */
export const unreadyAsTold = (api: KubeApi, whose: Whose & { readonly log: Log }): Promise<Unready> =>
  unreadyOf(api, whose).catch((error: unknown) => {
    whose.log("error", "trips without a look at the pods", { reason: reasonOf(error) });
    return { blue: [], green: [] };
  });
