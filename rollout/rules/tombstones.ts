import { type Colour, colours } from "../../applications/application.ts";
import { percent, type Refused, refuse } from "../decision.ts";
import type { KubeApi } from "../kube/api.ts";
import { type Change, changePublicRoute, type PublicRoute, type RoutePlace } from "../kube/public-route.ts";
import { readRoute } from "../observed.ts";
import type { Run } from "../run.ts";
import { tombstonesAnnotation, weightsOf } from "../told.ts";

/**
 * A release that was tripped gets no more traffic until somebody cleared it with a name and a reason (rule 7): acknowledging
 * the trip, a new run or a hand edit are no ways around it. A way down is never refused: it leads away from something worse.
 */
export function refuseTombstone(run: Run): Refused | undefined {
  const { route, told, desired, direction, from, to } = run;
  const { candidate } = desired;
  const before = weightsOf(told.candidate, told.candidateTraffic);
  const inPlace = run.releasesChange.find((colour) => route.exposure[colour] > 0 && hasTombstone(run, colour));
  if (inPlace)
    return refuseRelease(`${inPlace} would run ${desired.releases[inPlace]} in place`, desired.releases[inPlace]);
  const rises = direction === "up" || (direction === "stay" && to > before[candidate]);
  // The other colour was tripped since: that is acknowledged at 100 here, or nowhere.
  if (run.trip) return undefined;
  if (to === 0 || !rises || !hasTombstone(run, candidate)) return undefined;
  return refuseRelease(
    `candidateTraffic ${percent(from)} -> ${to} would send users to ${desired.releases[candidate]}`,
    desired.releases[candidate],
  );
}

const hasTombstone = ({ route, desired }: Run, colour: Colour) =>
  route.tombstones.includes(desired.releases[colour] ?? "");

const refuseRelease = (what: string, release: string | undefined) =>
  refuse(
    `${what}, a release that was tripped and has a tombstone`,
    `release something else, or clear it: ./golive rollout clear ${release} --name WHO --reason WHY`,
  );

/** What a reviewer should know of a way down: it sends users back to a release that was tripped. */
export function tombstoneNote(run: Run): string | undefined {
  const { desired, weights, route } = run;
  const back = colours.find((colour) => weights[colour] > route.floor[colour] && hasTombstone(run, colour));
  return (
    back && `sends users back to ${back} ${desired.releases[back]}, a release that was tripped and has a tombstone`
  );
}

/** `left`: the tombstones that are still there. */
export interface Cleared {
  readonly outcome: "cleared" | "absent";
  readonly left: readonly string[];
  /** The cluster's clock. */
  readonly at: Date;
}

/**
 * Takes a release's tombstone away. Who did it and why is the ledger's to keep.
 * @throws Error that says what the API server answered, or why it did not.
 */
export async function clearTombstone(api: KubeApi, where: RoutePlace, release: string): Promise<Cleared> {
  const done = await changePublicRoute(api, where, "golive-clear", (route) => planClear(route, release));
  if (done.after === undefined) return done.instead;
  return { outcome: "cleared", left: readRoute(done.after.object).tombstones, at: done.after.at };
}

/** What taking a tombstone away makes of a route. */
export function planClear({ object, at }: PublicRoute, release: string): Change<Cleared> {
  const { tombstones } = readRoute(object);
  const left = tombstones.filter((each) => each !== release);
  if (left.length === tombstones.length) return { instead: { outcome: "absent", left, at } };
  const { resourceVersion } = object.metadata ?? {};
  // In a merge patch null takes the annotation away.
  const annotations = { [tombstonesAnnotation]: left.length > 0 ? left.join(" ") : null };
  return { patch: { metadata: { annotations, resourceVersion } } };
}
