import type { Colour } from "../applications/application.ts";
import type { Desired } from "./decision.ts";
import type { LiveColour } from "./observed.ts";

/** Why a colour cannot serve (one ready pod of each service is the least), or undefined. */
export function cannotServe(
  live: LiveColour,
  desired: Desired,
  colour: Colour,
  outdated: readonly string[],
): string | undefined {
  const release = desired.releases[colour];
  if (!release) return `${colour} has no release`;
  if (outdated.includes(release)) return `its release ${release} is from before a contract migration`;
  if (desired.retired[colour]) return `${colour} is retired`;
  const empty = Object.entries(desired.replicas).flatMap(([service, wanted]) => {
    const ready = live[service]?.ready ?? 0;
    return ready > 0 ? [] : [`${service} has 0 of ${wanted} pods ready`];
  });
  return empty.length > 0 ? empty.join(", ") : undefined;
}

/** Why the pods of a colour are not all of its release and ready, or undefined. A change of replicas counts, too. */
export function notSettled(live: LiveColour, desired: Desired, colour: Colour): string | undefined {
  const release = desired.releases[colour];
  const found = Object.entries(desired.replicas).flatMap(([service, wanted]) => {
    const state = live[service];
    if (!state) return [`${service} has no Deployment`];
    if (state.release !== release) return [`${service} runs ${state.release ?? "an unknown release"}, not ${release}`];
    if (state.replicas !== wanted)
      return [`${service} is asked for ${state.replicas} pods, and would be for ${wanted}`];
    return state.settled ? [] : [`${service} has ${state.ready} of ${wanted} pods ready`];
  });
  return found.length > 0 ? found.join(", ") : undefined;
}

/** How the pods asked for would change, or undefined: a scale by hand that a run would undo. */
export function replicasChange(live: LiveColour, desired: Desired): string | undefined {
  const found = Object.entries(desired.replicas).flatMap(([service, wanted]) => {
    const state = live[service];
    return state && state.replicas !== wanted ? [`${service} ${state.replicas} -> ${wanted}`] : [];
  });
  return found.length > 0 ? found.join(", ") : undefined;
}

/** The one release that all Deployments of a colour run, or undefined when there is none or they differ. */
export function liveRelease(live: LiveColour): string | undefined {
  const releases = new Set(Object.values(live).map((service) => service.release));
  const [only] = releases;
  return releases.size === 1 ? only : undefined;
}
