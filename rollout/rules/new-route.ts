import { colours, otherColour } from "../../applications/application.ts";
import { type Decision, type Desired, type Refused, refuse } from "../decision.ts";
import type { Observed } from "../observed.ts";
import { weightsOf } from "../told.ts";
import { contractsOf, refuseOutdated } from "./contract.ts";

/** Whether a route may be made (rule 1): it starts at 0, all traffic on a stable colour that has a release. */
export function decideNewRoute(observed: Observed, desired: Desired): Decision {
  const stable = otherColour(desired.candidate);
  if (desired.candidateTraffic !== 0)
    return refuse(
      `candidateTraffic ${desired.candidateTraffic} on a new route: it starts at 0, all traffic on ${stable}`,
      `set candidateTraffic 0, then climb: the first rung is ${desired.ladder.after(0)}`,
    );
  if (!desired.releases[stable] || desired.retired[stable])
    return refuse(
      `${stable} would get all traffic of a new route, but it has ${desired.releases[stable] ? "been retired" : "no release"}`,
      `give ${stable} a release, or make it the candidate`,
    );
  const outdated = observed.schema?.outdated ?? [];
  const refused = refuseOutdated(desired, undefined, outdated) ?? refuseContractOnNewRoute(observed, desired);
  if (refused) return refused;
  return {
    allowed: true,
    move: "create",
    weights: weightsOf(desired.candidate, 0),
    told: {
      candidate: desired.candidate,
      candidateTraffic: 0,
      ladder: desired.ladder.toString(),
      paths: desired.paths,
      releases: desired.releases,
      proven: { blue: undefined, green: undefined, [stable]: desired.releases[stable] },
      retired: colours.filter((colour) => desired.retired[colour]),
      inPlace: undefined,
      override: undefined,
      corrected: undefined,
      acknowledged: undefined,
      outdated,
    },
    mustBeReady: undefined,
    // The engine may still have it in its state, and would then see nothing to create.
    notes: hasPods(observed)
      ? ["there is no route, but there are pods: if somebody deleted it, only `pulumi up --refresh` brings it back"]
      : [],
  };
}

/** An empty database (nothing recorded, no pods yet) gets all files in order; any other may have releases that need the old shape. */
function refuseContractOnNewRoute(observed: Observed, desired: Desired): Refused | undefined {
  const contracts = observed.schema || hasPods(observed) ? contractsOf(observed, desired) : [];
  if (contracts.length === 0) return undefined;
  return refuse(
    `golive:contract would run ${contracts.join(", ")} together with a new route, which does not know yet who has a live 100`,
    "remove golive:contract for now",
  );
}

const hasPods = (observed: Observed) => colours.some((colour) => Object.keys(observed.colours[colour]).length > 0);
