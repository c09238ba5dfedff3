import process from "node:process";
import { type Colour, otherColour } from "../../applications/application.ts";
import { sleep } from "../../programs/repeat.ts";
import type { Observed } from "../../rollout/observed.ts";
import { nextCheck, watchSeconds } from "../../rollout/walk/cadence.ts";
import type { Session } from "../session.ts";
import type { RolloutLine } from "./line.ts";
import { type Looker, patiently } from "./patience.ts";
import { pictureOf, type Size } from "./picture.ts";
import { openStack, type RolloutStack } from "./stack.ts";
import { type Status, span, statusJson, statusOf, statusText } from "./status.ts";

/** Seconds between two pictures of a rollout that is under way. */
const pictureSeconds = 5;

/** Seconds since the candidate got 100 %, at the least, by the cluster's clock; undefined: it does not have it. */
export interface Watched {
  readonly status: Status;
  readonly sinceFullSeconds: number | undefined;
}

/** What a watch does after a look. Seconds are real ones. */
export type WatchStep =
  | { readonly kind: "look"; readonly inSeconds: number; readonly check: boolean }
  | { readonly kind: "over"; readonly reason: string }
  | { readonly kind: "failing"; readonly reason: string };

/**
 * Follows a rollout: every few seconds on its way up, then by the cadence of S4-78 for 24 hours. It moves nothing: the guard
 * does, and whoever reads this.
 */
export function watchStep({ status, sinceFullSeconds }: Watched, speed: number): WatchStep {
  const { verdict, live, candidate, trip } = status;
  if (trip !== undefined) return { kind: "failing", reason: trip };
  if (verdict.outcome === "rollback" && (live?.[candidate] ?? 0) > 0)
    return { kind: "failing", reason: verdict.reason };
  if (sinceFullSeconds === undefined) return { kind: "look", inSeconds: pictureSeconds, check: false };
  const documented = sinceFullSeconds * speed;
  const next = nextCheck(documented);
  if (next === undefined) return { kind: "over", reason: `${span(watchSeconds)} at 100 % without a rollback` };
  return { kind: "look", inSeconds: (next - documented) / speed, check: true };
}

export async function watch(line: RolloutLine, session: Session): Promise<number> {
  const stack = await openStack(line.stack, session.progress);
  const { monitoring, retireAfterHours } = await stack.settings();
  const unread = new AbortController();
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    unread.abort();
  });
  const looker: Looker = {
    get stopped() {
      return session.endedBy;
    },
    note: (text) => session.progress.note(text),
    rest: (seconds) => sleep(1000 * seconds, unread.signal),
  };
  for (;;) {
    // A day is long: an API server that restarts in it ends no watch.
    const watched = await patiently(looker, () => watchedOf(stack, retireAfterHours));
    const next = watchStep(watched, monitoring.speed);
    process.stdout.write(textOf(line, watched, next, process.stdout));
    if (next.kind === "failing") {
      process.stderr.write(`failing: ${next.reason}\nNext: golive rollout abort --now --stack ${line.stack}\n`);
      return 1;
    }
    if (next.kind === "over") return 0;
    await looker.rest(Math.max(1, next.inSeconds));
    // `watch --json | head -1`: whoever read has what they wanted.
    if (unread.signal.aborted) return 0;
  }
}

async function watchedOf(stack: RolloutStack, retireAfterHours: number): Promise<Watched> {
  const [status, observed] = await Promise.all([statusOf(stack), stack.cluster.observe()]);
  return { status, sinceFullSeconds: sinceFull(observed, status.candidate, retireAfterHours) };
}

/** `retire` writes the route, too: when it did, so many hours had passed already. */
export function sinceFull(
  { route, at }: Pick<Observed, "route" | "at">,
  candidate: Colour,
  retireAfterHours: number,
): number | undefined {
  if (route?.exposure[candidate] !== 100 || route.changedAt === undefined) return undefined;
  const before = route.told?.retired.includes(otherColour(candidate)) ? retireAfterHours * 3600 : 0;
  return before + (at.getTime() - route.changedAt.getTime()) / 1000;
}

/** A terminal is drawn anew; a file gets a block for each look, JSON a line. */
export function textOf(
  { json }: Pick<RolloutLine, "json">,
  { status, sinceFullSeconds }: Watched,
  next: WatchStep,
  { isTTY, columns, rows }: Size & { readonly isTTY?: boolean | undefined },
): string {
  if (json) return `${statusJson(status)}\n`;
  const when =
    next.kind === "look"
      ? `${sinceFullSeconds === undefined ? "" : `${span(sinceFullSeconds)} at 100 %; `}next look in ${span(next.inSeconds)}`
      : `${next.kind}: ${next.reason}`;
  const text = statusText(status);
  return isTTY === true ? pictureOf(text, when, { columns, rows }) : `${text}\n\n${when}\n\n`;
}
