import type { RouteObject } from "../observed.ts";
import { messageOf } from "./answer.ts";
import type { KubeApi } from "./api.ts";

/** Whose public route: its name is the application's. */
export interface RoutePlace {
  readonly namespace: string;
  readonly application: string;
}

/** Where the API server keeps it. */
export const routePath = ({ namespace, application }: RoutePlace): string =>
  `/apis/gateway.networking.k8s.io/v1/namespaces/${namespace}/httproutes/${application}`;

/** The public route as it was at a moment of the cluster's clock. */
export interface PublicRoute {
  readonly object: RouteObject;
  readonly at: Date;
}

/** @throws Error that says what the API server answered, or why it did not. */
export async function fetchPublicRoute(api: KubeApi, where: RoutePlace): Promise<PublicRoute> {
  const { namespace, application } = where;
  const { status, body, at } = await api.ask({ method: "GET", path: routePath(where) });
  if (status === 404) throw new Error(`there is no HTTPRoute ${application} in namespace ${namespace}`);
  if (status !== 200)
    throw new Error(`asked for HTTPRoute ${application}, the API server answered ${status}: ${messageOf(body)}`);
  return { object: JSON.parse(body) as RouteObject, at };
}

/** A JSON merge patch that holds only for the version it was made from, or an answer instead of one. */
export type Change<Instead> =
  | { readonly patch: object; readonly instead?: never }
  | { readonly patch?: never; readonly instead: Instead };

export type Changed<Instead> =
  | { readonly before: PublicRoute; readonly after: PublicRoute; readonly instead?: never }
  | { readonly after?: never; readonly instead: Instead };

/** Enough for a gateway that writes its status meanwhile; who loses more often than that, loses to a loop. */
const attempts = 10;

/**
 * Changes the public route in one write: reads it, asks `change` what it is to become, and does so again when somebody wrote it
 * in between.
 * @throws Error as `fetchPublicRoute`, and when the API server refuses the write.
 */
export async function changePublicRoute<Instead>(
  api: KubeApi,
  where: RoutePlace,
  manager: string,
  change: (before: PublicRoute) => Change<Instead>,
): Promise<Changed<Instead>> {
  for (let attempt = 1; ; attempt++) {
    const before = await fetchPublicRoute(api, where);
    const planned = change(before);
    if (planned.patch === undefined) return { instead: planned.instead };
    const { status, body, at } = await api.ask({
      method: "PATCH",
      path: `${routePath(where)}?fieldManager=${manager}`,
      contentType: "application/merge-patch+json",
      body: planned.patch,
    });
    if (status === 200) return { before, after: { object: JSON.parse(body) as RouteObject, at } };
    if (status === 409 && attempt < attempts) continue;
    throw new Error(
      `HTTPRoute ${where.application} was not written: the API server answered ${status}: ${messageOf(body)}`,
    );
  }
}
