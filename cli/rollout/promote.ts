import { type Colour, otherColour } from "../../applications/application.ts";
import type { WalkState } from "../../rollout/walk/walk.ts";
import type { Session } from "../session.ts";
import type { RolloutLine } from "./line.ts";
import type { WalkResult } from "./result.ts";
import { type DriverSession, drive } from "./session.ts";
import type { Look } from "./stack.ts";
import { finish } from "./start.ts";
import { span } from "./status.ts";

/** Why the candidate is not proven yet, or undefined: it has had 100 % for as long as the stack asks, and nothing speaks against it. */
export function unproven(
  look: Look,
  state: Pick<WalkState, "trip" | "edits" | "paused" | "verdict">,
): string | undefined {
  const { settings, assessment } = look;
  const { candidate, retireAfterHours } = settings;
  const { route, at } = assessment.observed;
  const live = route?.exposure[candidate] ?? 0;
  if (state.trip !== undefined) return state.trip;
  if (live !== 100) return `${candidate} has ${live} %, not 100`;
  if (state.edits.length > 0) return `someone edited the route by hand: ${state.edits.join("; ")}`;
  if (state.paused !== undefined) return `paused by ${state.paused}`;
  if (assessment.soakLeftSeconds > 0) return `the soak on 100 % is not over: ${span(assessment.soakLeftSeconds)} left`;
  if (state.verdict.outcome === "rollback") return `the gate says rollback: ${state.verdict.reason}`;
  // `retire` waited for as long, wrote the route after that, and left no pods to go back to.
  if (route?.told?.retired.includes(otherColour(candidate))) return undefined;
  return tooEarly(route?.changedAt, at, retireAfterHours);
}

/** The 24 h of S1-48 and S3-50, as the stack has them: until then the colour that lost its traffic is the way back. */
export function tooEarly(changedAt: Date | undefined, at: Date, hours: number): string | undefined {
  const passed = changedAt === undefined ? 0 : (at.getTime() - changedAt.getTime()) / 1000;
  const left = hours * 3600 - passed;
  if (left <= 0) return undefined;
  return `the route was last written ${span(passed)} ago; allowed after ${hours} h (golive:retireAfterHours), in ${span(left)}`;
}

/** Makes the release that has 100 % the stable one: the other colour is the candidate of the next round, at 0. */
export async function promote(line: RolloutLine, session: Session): Promise<number> {
  return drive(line, session, async (driver) => finish(line, session, await promoted(driver)));
}

/** Also goes on where a driver was killed that had written the file. */
export async function promoted(driver: DriverSession): Promise<WalkResult> {
  const state = await driver.read();
  const { look } = driver;
  if (!look) throw new RangeError("a read leaves a look");
  const { settings } = look;
  const { told, exposure } = look.assessment.observed.route ?? {};
  // Only this command leaves a file that says 0 for the colour that the route does not name: it was proven when that was written.
  const begun =
    told !== undefined &&
    told.candidate !== settings.candidate &&
    settings.candidateTraffic === 0 &&
    exposure?.[told.candidate] === 100;
  const candidate = begun ? told.candidate : settings.candidate;
  const end = (outcome: WalkResult["outcome"], reason: string, next: string): WalkResult => ({
    ...{ outcome, reason, next, live: state.live, steps: [] },
  });
  const missing = begun ? undefined : unproven(look, state);
  if (missing !== undefined) return end("refused", missing, "golive rollout status");
  const next = otherColour(candidate);
  await driver.engine.write({ "golive:candidate": next, "golive:candidateTraffic": "0" });
  await driver.committed(`golive: promote ${candidate}: ${next} is the candidate at 0`);
  const { succeeded, reason } = await driver.up();
  if (succeeded)
    return end("reached", promotedText(candidate, next), `give ${next} a release, then golive rollout start`);
  // It may have failed behind the route: a file that contradicts the route would be carried out by the next `up`.
  await driver.read();
  if (driver.look?.assessment.observed.route?.told?.candidate === next)
    return end(
      "refused",
      `the route has the switch (${next} is the candidate at 0), and so has the file; what failed is the rest of pulumi up: ${reason}`,
      `golive pulumi up --stack ${driver.stack.name}`,
    );
  await driver.engine.write({ "golive:candidate": candidate, "golive:candidateTraffic": "100" });
  await driver.committed(`golive: ${candidate} is still the candidate at 100\n\n${reason}`);
  return end("refused", reason, "golive rollout status");
}

const promotedText = (proven: Colour, next: Colour) => `${proven} is proven and stable; ${next} is the candidate at 0`;
