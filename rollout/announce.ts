import * as pulumi from "@pulumi/pulumi";
import type { Allowed, Refused } from "./decide.ts";
import type { Observed } from "./observed.ts";

/** The error of a refused run: what was asked, why not, what to do. Nothing was touched yet. */
export function refusal({ reason, next }: Refused): pulumi.RunError {
  return new pulumi.RunError(`${reason}\nNext: ${next}\nNothing was touched.`);
}

/** Says in the preview what this run does to traffic, for a reviewer who sees nothing else. Silent when it does nothing. */
export function announce(observed: Observed, decision: Allowed): void {
  const { told, weights, move, notes } = decision;
  const from = observed.route?.exposure[told.candidate];
  const moved = from === undefined ? `starts at ${told.candidateTraffic}` : `${from} -> ${told.candidateTraffic}`;
  if (move !== "stay")
    void pulumi.log.info(
      `${move}: candidateTraffic ${moved} (${told.candidate}); blue ${weights.blue} %, green ${weights.green} %`,
    );
  for (const note of notes) void pulumi.log.warn(note);
}
