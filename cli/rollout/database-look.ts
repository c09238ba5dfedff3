import { z } from "zod";
import { reasonOf } from "../../programs/reason.ts";
import { verifyGaps } from "../../rollout/preflight/checks.ts";
import type { DatabaseEvidence } from "../../rollout/preflight/evidence.ts";
import { toolCluster } from "../database/cluster.ts";
import { runTask } from "../database/run.ts";
import type { Session } from "../session.ts";
import type { RolloutStack } from "./stack.ts";

const moment = z.object({ lastSucceeded: z.object({ at: z.coerce.date() }).nullable() });
const statusForm = z.object({
  pending: z.array(z.object({ name: z.string() })),
  problems: z.array(z.string()),
  invalidIndexes: z.array(z.string()),
  backup: moment,
  drill: moment,
});
const verifyForm = z.object({ rows: z.array(z.object({ check: z.string(), found: z.string(), ok: z.boolean() })) });

/** As `golive database status` and `verify` find it: by Jobs next to the data, which read only. */
export async function databaseEvidence(stack: RolloutStack, session: Session): Promise<DatabaseEvidence> {
  const { backup, drill, pending, ...status } = await ask(stack, session, "status", statusForm);
  return {
    ...status,
    pending: pending.map(({ name }) => name),
    backupAt: backup.lastSucceeded?.at,
    drillAt: drill.lastSucceeded?.at,
    verified: await verifiedRows(stack, session),
  };
}

/** When the newest good backup ended, by the database's clock; undefined: there never was one. */
export async function newestBackup(stack: RolloutStack, session: Session): Promise<Date | undefined> {
  const { backup } = await ask(stack, session, "status", statusForm);
  return backup.lastSucceeded?.at;
}

/**
 * Why the database keeps a release from its next rung (S0-63): what the preflight asked before the first one may have been undone
 * since. Undefined: all of it holds, or there is nobody to protect.
 */
export async function brokenDatabase(stack: RolloutStack, session: Session): Promise<string | undefined> {
  const { environment, application } = await stack.settings();
  if (environment === "local" || !application.stores.postgresql) return undefined;
  try {
    const gaps = verifyGaps(await verifiedRows(stack, session));
    return gaps.length === 0 ? undefined : `golive database verify does not hold: ${gaps.join("; ")}`;
  } catch (error) {
    return `golive database verify could not be asked: ${reasonOf(error)}`;
  }
}

async function verifiedRows(stack: RolloutStack, session: Session): Promise<DatabaseEvidence["verified"]> {
  const { rows } = await ask(stack, session, "verify", verifyForm);
  return rows;
}

function ask<T>(
  { cluster, place }: RolloutStack,
  session: Session,
  command: "status" | "verify",
  form: z.ZodType<T>,
): Promise<T> {
  return session.progress.stage(`database ${command}`, async (progress) => {
    const options = { namespace: place.namespace, session, progress };
    const task = { command, args: [], seconds: 600 };
    const { result, message } = await runTask(toolCluster(cluster.config, place.namespace), task, options);
    const read = form.safeParse(result);
    if (read.success) return read.data;
    throw new Error(
      `golive database ${command} gave no result that can be read${message === "" ? "" : `: ${message}`}`,
    );
  });
}
