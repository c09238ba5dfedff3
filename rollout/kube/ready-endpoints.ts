import { messageOf } from "./answer.ts";
import type { KubeApi } from "./api.ts";

/** The part of an EndpointSlice that is read. */
interface EndpointSlice {
  readonly endpoints?: readonly { readonly conditions?: { readonly ready?: boolean } }[] | null;
}

/**
 * Where a Service's requests can go: how many of its endpoints are ready. Not how many pods are: a Service that selects none of
 * them answers nobody, and a gateway that has nowhere to send a request counts it for no Service at all (Traefik).
 * @throws Error that says what the API server answered, or why it did not.
 */
export async function readyEndpoints(api: KubeApi, namespace: string, service: string): Promise<number> {
  const labels = encodeURIComponent(`kubernetes.io/service-name=${service}`);
  const path = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices?labelSelector=${labels}`;
  const { status, body } = await api.ask({ method: "GET", path });
  if (status !== 200)
    throw new Error(
      `asked for the endpoints of Service ${service}, the API server answered ${status}: ${messageOf(body)}`,
    );
  const { items = [] } = JSON.parse(body) as { readonly items?: readonly EndpointSlice[] };
  // Undefined is unknown, which counts as ready (Kubernetes' own words).
  return items.flatMap(({ endpoints }) => endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false)
    .length;
}
