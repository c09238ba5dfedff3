import process from "node:process";
import { places } from "../../local/places.ts";
import { asideOf } from "../../rollout/ledger/drafts.ts";
import { originOf } from "../../rollout/ledger/origin.ts";
import { readableRecords } from "../../rollout/ledger/read.ts";
import type { LedgerRecord } from "../../rollout/ledger/record.ts";
import { appendRecord } from "../../rollout/ledger/store.ts";
import { Failure } from "../failure.ts";
import type { Session } from "../session.ts";
import type { RolloutLine } from "./line.ts";
import { openStack, type RolloutStack } from "./stack.ts";

/** Who paused, and why, when nobody has resumed since; undefined: nothing is paused. */
export function pauseIn(records: readonly Pick<LedgerRecord, "kind" | "who" | "reason">[]): string | undefined {
  const last = records.findLast(({ kind }) => kind === "pause" || kind === "resume");
  return last?.kind === "pause" ? `${last.who} (${last.reason})` : undefined;
}

/**
 * Appends what moves no traffic to the ledger: a pause, a resume, a start, a finish. False: before the first `up` there is
 * neither a route to tell of nor a place to tell it.
 */
export async function note(
  { name, cluster, place }: RolloutStack,
  kind: "pause" | "resume" | "start" | "finish",
  reason: string,
): Promise<boolean> {
  const { route } = await cluster.observe();
  if (!route) return false;
  const origin = await originOf(places.root, process.env);
  await appendRecord(
    cluster.api,
    place,
    asideOf(route, { ...origin, kind, reason, application: place.application, stack: name }),
  );
  return true;
}

/** Holds every walk of this stack where it is, until `resume`. Ways down go on: a pause protects nobody from a bad release. */
export async function pause(line: RolloutLine, session: Session): Promise<number> {
  const stack = await openStack(line.stack, session.progress);
  const { api } = stack.cluster;
  if ((await stack.cluster.observe()).route === undefined)
    throw new Failure(`golive rollout pause: stack ${line.stack} is not up, so there is no walk to pause`);
  const before = pauseIn(await readableRecords(api, stack.place));
  if (before !== undefined) throw new Failure(`golive rollout pause: it is paused already, by ${before}`);
  await note(stack, "pause", line.reason);
  const said = `stack ${line.stack} is paused: no walk takes it up; ways down go on`;
  process.stdout.write(
    `${line.json ? JSON.stringify({ paused: true, reason: line.reason }) : `${said}\nNext: golive rollout resume --stack ${line.stack}`}\n`,
  );
  return 0;
}
