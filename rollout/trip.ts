import { type Colour, otherColour } from "../applications/application.ts";
import type { KubeApi } from "./kube/api.ts";
import { type Change, changePublicRoute, type PublicRoute, type RoutePlace } from "./kube/public-route.ts";
import { type LiveRoute, openTrip, type RouteObject, readRoute } from "./observed.ts";
import { type Told, type Trip, tombstonesAnnotation, tripAnnotation, tripSentence, tripText } from "./told.ts";

/** Who trips a colour, and why. */
export interface TripOrder {
  readonly colour: Colour;
  /** One sentence with its numbers, from a small letter and without a full stop. */
  readonly reason: string;
  /** `guard`, or a person's name. */
  readonly by: string;
  /** The field manager that writes: each way to trip has one of its own. */
  readonly manager: `golive-${string}`;
  /**
   * Only while the colour has this release, and the roles are these: what a program saw may be over when it writes. Default:
   * always.
   */
  readonly watched?: { readonly candidate: Colour; readonly release: string | undefined };
}

export type TripResult =
  /** The colour has weight 0 now. `before` and `route` are the route before and after, `at` the cluster's clock. */
  | {
      readonly outcome: "tripped";
      readonly trip: Trip;
      readonly before: LiveRoute;
      readonly route: LiveRoute;
      readonly at: Date;
    }
  /** It has no traffic, and nothing was written: somebody else was first (`trip`: as nobody acknowledged yet), or it never had any. */
  | { readonly outcome: "idle"; readonly trip: Trip | undefined; readonly route: LiveRoute; readonly at: Date }
  /** Nothing was written: users would be sent to a colour that cannot take them, or the colour is not what was watched. */
  | { readonly outcome: "refused"; readonly reason: string; readonly route: LiveRoute; readonly at: Date };

/**
 * Takes all traffic off a colour, in one write that needs neither the state nor Prometheus (rule 7). Weights, the trip and the
 * tombstone of its release come together or not at all. Twice is once: what is tripped already is left as it is.
 * @throws Error that says what the API server answered, or why it did not.
 */
export async function tripRoute(api: KubeApi, where: RoutePlace, order: TripOrder): Promise<TripResult> {
  const done = await changePublicRoute(api, where, order.manager, (route) => planTrip(route, order));
  if (done.after === undefined) return done.instead;
  const route = readRoute(done.after.object);
  const { trip } = route;
  if (!trip || route.exposure[order.colour] !== 0)
    throw new Error(`the trip was written, but ${order.colour} still has ${route.exposure[order.colour]} %`);
  return { outcome: "tripped", trip, before: readRoute(done.before.object), route, at: done.after.at };
}

/** What a trip makes of a route, or why nothing. */
export function planTrip(
  { object, at }: PublicRoute,
  order: TripOrder,
): Change<Exclude<TripResult, { readonly outcome: "tripped" }>> {
  const { colour } = order;
  const route = readRoute(object);
  const { told, tombstones } = route;
  if (route.exposure[colour] === 0) return { instead: { outcome: "idle", trip: openTrip(route), route, at } };
  const refused = (reason: string) => ({ instead: { outcome: "refused", reason, route, at } as const });
  if (!told) return refused("golive did not make this route");
  const { watched } = order;
  if (watched && (told.candidate !== watched.candidate || told.releases[colour] !== watched.release))
    return refused(
      `${colour} does not run ${watched.release} with ${watched.candidate} as the candidate any more: it is not what was watched`,
    );
  const reason = cannotTake(route, told, otherColour(colour));
  if (reason !== undefined) return refused(reason);
  const release = told.releases[colour];
  const buried = new Set([...tombstones, ...(release === undefined ? [] : [release])]);
  const annotations = {
    [tripAnnotation]: tripText({ ...order, at }),
    ...(buried.size > 0 ? { [tombstonesAnnotation]: [...buried].join(" ") } : {}),
  };
  const { resourceVersion } = object.metadata ?? {};
  return {
    patch: { metadata: { annotations, resourceVersion }, spec: { rules: rulesWithout(colour, object) } },
  };
}

/** Why the other colour cannot take all traffic, as far as the route itself tells; its pods are not asked. */
export function cannotTake(route: LiveRoute, told: Told, other: Colour): string | undefined {
  const release = told.releases[other];
  const trip = openTrip(route);
  if (trip?.colour === other) return `${tripSentence(trip)}, too`;
  if (release === undefined) return `${other} has no release`;
  if (told.retired.includes(other)) return `${other} is retired`;
  if (told.outdated.includes(release)) return `${other} runs ${release}, from before a contract migration`;
  if (other === told.candidate && told.proven[other] !== release)
    return `${other} runs ${release}, which was never proven at 100`;
  // Where it serves already, it is the lesser evil.
  const isBuried = route.floor[other] === 0 && route.tombstones.includes(release);
  return isBuried ? `${other} runs ${release}, which was tripped before` : undefined;
}

type Rules = NonNullable<NonNullable<RouteObject["spec"]>["rules"]>;

/** Every rule with 0 for this colour and 100 for the other; what else stands in a rule stays as it is. */
function rulesWithout(colour: Colour, { spec }: RouteObject): Rules {
  const other = otherColour(colour);
  const ends =
    (each: Colour) =>
    ({ name }: { readonly name: string }) =>
      name.endsWith(`-${each}`);
  return (spec?.rules ?? []).map((rule) => {
    const refs = rule.backendRefs ?? [];
    const weighed = refs.map((ref) =>
      ends(colour)(ref) ? { ...ref, weight: 0 } : ends(other)(ref) ? { ...ref, weight: 100 } : ref,
    );
    const lonely = refs.find(ends(colour));
    // A rule that a hand edit left with this colour alone would answer 500 to everybody.
    if (lonely && !refs.some(ends(other)))
      weighed.push({ ...lonely, name: `${lonely.name.slice(0, -colour.length)}${other}`, weight: 100 });
    return rule.backendRefs === undefined ? rule : { ...rule, backendRefs: weighed };
  });
}
