import process from "node:process";
import { nextCheck, watchSeconds } from "../../rollout/walk/cadence.ts";
import type { Session } from "../session.ts";
import type { RolloutLine } from "./line.ts";
import { openStack, type RolloutStack } from "./stack.ts";
import { type Status, span, statusJson, statusOf, statusText } from "./status.ts";

/** Seconds between two pictures of a rollout that is under way. */
const pictureSeconds = 5;

/** Seconds since the candidate got 100 %, by the cluster's clock; undefined: it does not have it. */
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
  const { monitoring } = await stack.settings();
  const isDrawn = !line.json && process.stdout.isTTY === true;
  for (;;) {
    const watched = await watchedOf(stack);
    const next = watchStep(watched, monitoring.speed);
    print(line, watched, next, isDrawn);
    if (next.kind === "failing") {
      process.stderr.write(`failing: ${next.reason}\nNext: golive rollout abort --now --stack ${line.stack}\n`);
      return 1;
    }
    if (next.kind === "over") return 0;
    await new Promise((resolve) => setTimeout(resolve, 1000 * Math.max(1, next.inSeconds)));
  }
}

async function watchedOf(stack: RolloutStack): Promise<Watched> {
  const [status, { route, at }] = await Promise.all([statusOf(stack), stack.cluster.observe()]);
  const isFull = route?.exposure[status.candidate] === 100 && route.changedAt !== undefined;
  const since = isFull && route.changedAt ? (at.getTime() - route.changedAt.getTime()) / 1000 : undefined;
  return { status, sinceFullSeconds: since };
}

/** A terminal is drawn anew; a file gets a block for each look, JSON a line. */
function print({ json }: RolloutLine, { status, sinceFullSeconds }: Watched, next: WatchStep, isDrawn: boolean): void {
  if (json) {
    process.stdout.write(`${statusJson(status)}\n`);
    return;
  }
  const when =
    next.kind === "look"
      ? `${sinceFullSeconds === undefined ? "" : `${span(sinceFullSeconds)} at 100 %; `}next look in ${span(next.inSeconds)}`
      : `${next.kind}: ${next.reason}`;
  // Home, then what is new, then what is left of the picture before: it never flickers.
  const clear = isDrawn ? "\u001b[H\u001b[J" : "";
  process.stdout.write(`${clear}${statusText(status)}\n\n${when}\n${isDrawn ? "" : "\n"}`);
}
