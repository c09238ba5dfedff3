import { type Colour, colours } from "../../applications/application.ts";
import { decide } from "../../rollout/decide.ts";
import { named } from "../../rollout/schema/migrations.ts";
import { planOf } from "../database/plan.ts";
import { readStack } from "../database/stack.ts";
import { runPlan } from "../database.ts";
import { Failure } from "../failure.ts";
import type { Session } from "../session.ts";
import type { RolloutLine } from "./line.ts";
import type { WalkResult } from "./result.ts";
import { type DriverSession, drive } from "./session.ts";
import type { Look } from "./stack.ts";
import { finish } from "./start.ts";

/**
 * Scales the colour that lost its traffic to 0, in the order of S3-50: 24 hours, drain and stop (its pods end as they always do,
 * by draining), a last backup, the record. Contract migrations are offered only then.
 */
export async function retire(line: RolloutLine, session: Session): Promise<number> {
  return drive(line, session, async (driver) => finish(line, session, await retired(driver, session)));
}

async function retired(driver: DriverSession, session: Session): Promise<WalkResult> {
  const { live } = await driver.read();
  const { look } = driver;
  if (!look) throw new RangeError("a read leaves a look");
  const end = (outcome: WalkResult["outcome"], reason: string, next: string): WalkResult => ({
    ...{ outcome, reason, next, live, steps: [] },
  });
  const found = retirableIn(look);
  if ("reason" in found) return end("refused", found.reason, found.next);
  const { colour } = found;
  const key = `golive:${colour}.retired`;
  await driver.engine.write({ [key]: "true" });
  await driver.committed(`golive: retire ${colour}`);
  const { succeeded, reason } = await driver.up();
  if (!succeeded) {
    await driver.engine.remove(key);
    await driver.committed(`golive: ${colour} is not retired\n\n${reason}`);
    return end("refused", reason, "golive rollout status");
  }
  if (look.settings.application.stores.postgresql) await lastBackup(driver, session);
  const next = look.held.length > 0 ? offerOf(look) : "golive rollout promote";
  return end("reached", `${colour} has no pods any more; it stays declared`, next);
}

/** The colour at 0, when the rules let it go now. */
export function retirableIn({
  settings,
  desired,
  assessment,
  refused,
}: Look): { readonly colour: Colour } | { readonly reason: string; readonly next: string } {
  const { observed } = assessment;
  const { candidate } = settings;
  const colour = colours.find((each) => observed.route?.exposure[each] === 0);
  if (colour === undefined)
    return { reason: "no colour is at 0: both get traffic", next: "golive rollout start, or golive rollout step 0" };
  // Where only the file says so, a driver was killed before its up: this one goes on.
  if (settings.colours[colour].retired && observed.route?.told?.retired.includes(colour))
    return {
      reason: `${colour} is retired already`,
      next: "golive rollout promote; where retire was interrupted, first golive database backup",
    };
  if (settings.colours[colour].release === undefined)
    return { reason: `${colour} has no release, so there is nothing to retire`, next: "golive rollout status" };
  const candidateTraffic = observed.route?.exposure[candidate] ?? 0;
  const decision =
    refused ?? decide(observed, { ...desired, candidateTraffic, retired: { ...desired.retired, [colour]: true } });
  return "allowed" in decision && decision.allowed ? { colour } : { reason: decision.reason, next: decision.next };
}

const offerOf = ({ held }: Look) =>
  `golive rollout promote; or, as the point of no return, the migrations that waited for this: ${named(held)}: set golive:contract to the last of them that should run, then pulumi preview`;

/** The last state that the retired release could still have served. */
async function lastBackup(driver: DriverSession, session: Session): Promise<void> {
  const { name, cluster } = driver.stack;
  const plan = planOf(["backup", "--stack", name]);
  // Standard output belongs to what became of the retirement: a script reads it as JSON.
  const tell = (text: string) => driver.note(text.trimEnd());
  const code = await runPlan(plan, await readStack(name), cluster.config, session, tell);
  if (code !== 0)
    throw new Failure(`the colour is retired, but its last backup failed: golive database backup --stack ${name}`);
}
