import { type Colour, colours } from "../../applications/application.ts";
import { decide } from "../../rollout/decide.ts";
import { named } from "../../rollout/schema/migrations.ts";
import { planOf } from "../database/plan.ts";
import { readStack } from "../database/stack.ts";
import { runPlan } from "../database.ts";
import { Failure } from "../failure.ts";
import type { Session } from "../session.ts";
import { newestBackup } from "./database-look.ts";
import type { RolloutLine } from "./line.ts";
import type { WalkResult } from "./result.ts";
import { type DriverSession, drive } from "./session.ts";
import type { Look } from "./stack.ts";
import { finish } from "./start.ts";
import { span } from "./status.ts";

/**
 * Scales the colour that lost its traffic to 0, in the order of S3-50: 24 hours, drain and stop (its pods end as they always do,
 * by draining), a last backup, the record. Contract migrations are offered only then.
 */
export async function retire(line: RolloutLine, session: Session): Promise<number> {
  return drive(line, session, async (driver) =>
    finish(line, session, await retired(driver, backupsOf(driver, session))),
  );
}

/** Backups, as far as a retirement needs them. */
export interface Backups {
  /** When the newest good one ended; undefined: there never was one. */
  newest(): Promise<Date | undefined>;
  /** @throws Failure when it could not be taken. */
  take(): Promise<void>;
}

/** Also goes on where a driver was killed: with the pods that are still there, then with the backup. */
export async function retired(driver: DriverSession, backups: Backups): Promise<WalkResult> {
  const { live } = await driver.read();
  const { look } = driver;
  if (!look) throw new RangeError("a read leaves a look");
  const end = (outcome: WalkResult["outcome"], reason: string, next: string): WalkResult => ({
    ...{ outcome, reason, next, live, steps: [] },
  });
  const found = retirableIn(look);
  if ("reason" in found) return end("refused", found.reason, found.next);
  const { colour } = found;
  const isStopped = found.begun && !hasPods(look, colour);
  if (isStopped && (await isBackedUp(look, backups)))
    return end("refused", `${colour} is retired already`, promotion(look));
  const failed = isStopped ? undefined : await stop(driver, colour);
  if (failed) return end("refused", failed.reason, failed.next);
  if (look.settings.application.stores.postgresql) await backups.take();
  const next = look.held.length > 0 ? offerOf(look) : promotion(look);
  return end("reached", `${colour} has no pods any more; it stays declared`, next);
}

/** Takes a colour's pods away: the file, its commit, the `up`. What comes back is why that failed, and what to do. */
async function stop(driver: DriverSession, colour: Colour): Promise<Pick<WalkResult, "reason" | "next"> | undefined> {
  const key = `golive:${colour}.retired`;
  await driver.engine.write({ [key]: "true" });
  await driver.committed(`golive: retire ${colour}`);
  const { succeeded, reason } = await driver.up();
  if (succeeded) return undefined;
  // It may have failed behind the route: a file that contradicts the route would bring the pods back.
  await driver.read();
  if (driver.look?.assessment.observed.route?.told?.retired.includes(colour))
    return {
      reason: `the route says that ${colour} is retired, and so does the file; what failed is the rest of pulumi up: ${reason}`,
      next: "golive rollout retire, which goes on from here",
    };
  await driver.engine.remove(key);
  await driver.committed(`golive: ${colour} is not retired\n\n${reason}`);
  return { reason, next: "golive rollout status" };
}

/**
 * Whether a backup is from after the retirement. Any later write of the route makes it one from before: then one too many is
 * taken, and never one too few.
 */
async function isBackedUp({ settings, assessment }: Look, backups: Backups): Promise<boolean> {
  if (!settings.application.stores.postgresql) return true;
  const { changedAt } = assessment.observed.route ?? {};
  const newest = await backups.newest();
  return newest !== undefined && changedAt !== undefined && newest >= changedAt;
}

const hasPods = ({ assessment }: Look, colour: Colour) =>
  Object.values(assessment.observed.colours[colour]).some(({ replicas }) => replicas > 0);

/** The colour at 0, when the rules let it go now. `begun`: route and file say already that it is retired. */
export function retirableIn({
  settings,
  desired,
  assessment,
  refused,
}: Look): { readonly colour: Colour; readonly begun: boolean } | { readonly reason: string; readonly next: string } {
  const { observed } = assessment;
  const { candidate } = settings;
  const colour = colours.find((each) => observed.route?.exposure[each] === 0);
  if (colour === undefined)
    return { reason: "no colour is at 0: both get traffic", next: "golive rollout start, or golive rollout step 0" };
  if (settings.colours[colour].retired && observed.route?.told?.retired.includes(colour))
    return { colour, begun: true };
  if (settings.colours[colour].release === undefined)
    return { reason: `${colour} has no release, so there is nothing to retire`, next: "golive rollout status" };
  const candidateTraffic = observed.route?.exposure[candidate] ?? 0;
  const decision =
    refused ?? decide(observed, { ...desired, candidateTraffic, retired: { ...desired.retired, [colour]: true } });
  return "allowed" in decision && decision.allowed
    ? { colour, begun: false }
    : { reason: decision.reason, next: decision.next };
}

/** The switch of roles waits for the soak, which counts from the last write of the route: this one. */
const promotion = ({ assessment: { soakSeconds } }: Look) =>
  `golive rollout promote${soakSeconds > 0 ? `, once the soak on 100 % has passed again (${span(soakSeconds)})` : ""}`;

const offerOf = (look: Look) =>
  `${promotion(look)}; or, as the point of no return, the migrations that waited for this: ${named(look.held)}: set golive:contract to the last of them that should run, then pulumi preview`;

function backupsOf(driver: DriverSession, session: Session): Backups {
  const { name, cluster } = driver.stack;
  return {
    newest: () => newestBackup(driver.stack, session),
    // The last state that the retired release could still have served.
    async take() {
      const plan = planOf(["backup", "--stack", name]);
      // Standard output belongs to what became of the retirement: a script reads it as JSON.
      const tell = (text: string) => driver.note(text.trimEnd());
      const code = await runPlan(plan, await readStack(name), cluster.config, session, tell);
      if (code !== 0)
        throw new Failure(
          `the colour is retired, but its last backup failed. Next: golive rollout retire --stack ${name}, which takes it again`,
        );
    },
  };
}
