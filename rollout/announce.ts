import * as pulumi from "@pulumi/pulumi";
import { otherColour } from "../applications/application.ts";
import type { LiveCluster } from "./cluster.ts";
import type { Allowed, Refused } from "./decide.ts";
import { type Assessment, assess, type Judged } from "./gate/assess.ts";
import { isGated } from "./gate/held.ts";
import { stepText } from "./gate/text.ts";
import { planHash } from "./ledger/drafts.ts";
import type { Observed } from "./observed.ts";
import type { PlannedMigrations } from "./schema/migrations.ts";

/** The error of a refused run: what was asked, why not, what to do. Nothing was touched yet. */
export function refusal({ reason, next }: Refused): pulumi.RunError {
  return new pulumi.RunError(`${reason}\nNext: ${next}\nNothing was touched.`);
}

/** Throws what went wrong while a run was still being read, as its refusal: a message without a stack. */
export function asRefusal(error: unknown): never {
  throw new pulumi.RunError(`${error instanceof Error ? error.message : String(error)}\nNothing was touched.`);
}

/**
 * Judges a step up for the preview: what the `up` will ask again just before it writes. Undefined: nothing holds this run.
 * @throws RunError when the cluster cannot be read.
 */
export async function previewStep(
  settings: Judged,
  { api }: Pick<LiveCluster, "api">,
  observed: Observed,
  decision: Allowed,
): Promise<Assessment | undefined> {
  if (settings.gate.mode === "off" || !isGated(decision)) return undefined;
  return assess(settings, { observe: async () => observed, api }, { to: decision.told.candidateTraffic });
}

/** Says what a step up was judged by, what it exposes, and what would hold it now. */
export function announceStep(
  judged: Assessment | undefined,
  { told, override }: Allowed,
  { ladder, monitoring }: Judged,
): void {
  if (!judged) return;
  const { candidate, candidateTraffic: to } = told;
  const step = { to, override, candidate, stable: otherColour(candidate), ladder, speed: monitoring.speed };
  const { lines, warnings } = stepText(judged, step);
  for (const line of lines) void pulumi.log.info(line);
  for (const warning of warnings) void pulumi.log.warn(warning);
}

/**
 * Says in the preview what this run does to traffic and to the schema, for a reviewer who sees nothing else. Silent when it
 * does nothing, but for contract migrations that wait.
 */
export function announce(observed: Observed, decision: Allowed, migrations: PlannedMigrations): void {
  announceTraffic(observed, decision);
  announceMigrations(observed, migrations);
  for (const note of decision.notes) void pulumi.log.warn(note);
}

function announceTraffic(observed: Observed, decision: Allowed): void {
  const { told, weights, move } = decision;
  const from = observed.route?.exposure[told.candidate];
  const moved = from === undefined ? `starts at ${told.candidateTraffic}` : `${from} -> ${told.candidateTraffic}`;
  if (move === "stay") return;
  void pulumi.log.info(
    `${move}: candidateTraffic ${moved} (${told.candidate}); blue ${weights.blue} %, green ${weights.green} %`,
  );
  // The record of this run in the ledger has the same one: what was written is what was read here.
  void pulumi.log.info(`plan ${planHash(decision)}`);
}

function announceMigrations({ schema }: Observed, { pending, held }: PlannedMigrations): void {
  if (schema?.restored !== undefined && schema.job === undefined)
    void pulumi.log.info(`the database was restored (${schema.restored}): this run migrates it again`);
  for (const { name, phase } of pending) void pulumi.log.info(`pending: ${name} (${phase})`);
  const [first] = held;
  if (first)
    void pulumi.log.info(
      `held: ${held.map(({ name, phase }) => `${name} (${phase})`).join(", ")}: set golive:contract to the last one that should run, when one colour has 100 and the other is retired`,
    );
}
