import { hostname } from "node:os";
import process from "node:process";
import { places } from "../../local/places.ts";
import { sleep } from "../../programs/repeat.ts";
import { tripRecordOf } from "../../rollout/ledger/drafts.ts";
import { whoOf } from "../../rollout/ledger/origin.ts";
import { appendRecord } from "../../rollout/ledger/store.ts";
import { smokeFailures } from "../../rollout/preflight/smoke.ts";
import { tripRoute } from "../../rollout/trip.ts";
import { walkStateOf } from "../../rollout/walk/state.ts";
import type { WalkState } from "../../rollout/walk/walk.ts";
import { Failure } from "../failure.ts";
import type { Session } from "../session.ts";
import type { Driver, UpOutcome } from "./drive.ts";
import { RolloutEngine } from "./engine.ts";
import { DriverLease, holderText, leaseSeconds, renewSeconds } from "./lease.ts";
import { lookAtLedger } from "./ledger-look.ts";
import type { RolloutLine } from "./line.ts";
import { patiently } from "./patience.ts";
import { pauseIn } from "./pause.ts";
import { type Look, openStack, type RolloutStack } from "./stack.ts";

/** Seconds until a lock that somebody else has is asked for again. */
const lockSeconds = 5;

/** The engine on one stack, as far as a driver needs it. */
export type DriverEngine = Pick<RolloutEngine, "write" | "remove" | "commit" | "up">;

/** A driver at work on one stack: it holds the lease, and knows when it is to stop. */
export class DriverSession implements Driver {
  readonly stack: RolloutStack;
  readonly engine: DriverEngine;
  readonly goal: number;
  readonly #line: RolloutLine;
  readonly #session: Session;
  readonly #who: string;
  readonly #stop = new AbortController();
  #lost: string | undefined;
  /** What the last read found. */
  look: Look | undefined;
  /** Writes down that the work began; still there when there was no place for it yet. */
  #unsaid: (() => Promise<boolean>) | undefined;

  constructor(
    { stack, engine }: { readonly stack: RolloutStack; readonly engine: DriverEngine },
    who: string,
    goal: number,
    line: RolloutLine,
    session: Session,
  ) {
    this.stack = stack;
    this.engine = engine;
    this.goal = goal;
    this.#who = who;
    this.#line = line;
    this.#session = session;
  }

  get stopped(): string | undefined {
    return this.#session.endedBy ?? this.#lost;
  }

  /** Has the ledger tell that the work began: now, or after the first `up` has made a place for it. */
  async begin(say: () => Promise<boolean>): Promise<void> {
    this.#unsaid = (await say()) ? undefined : say;
  }

  /** Wakes a driver that rests. */
  stop(): void {
    this.#stop.abort();
  }

  /** Another driver has taken the lease over. */
  lose(why: string): void {
    this.#lost ??= why;
    this.#stop.abort();
  }

  async read(): Promise<WalkState> {
    const { goal } = this;
    // The weight stays what it is meanwhile.
    const look = await patiently(this, () => this.stack.look());
    const { records, unreadable } = await lookAtLedger(this.stack);
    const paused = unreadable ?? pauseIn(records);
    this.look = look;
    const { assessment, desired, refused } = look;
    const { observed, verdict, soakLeftSeconds } = assessment;
    return walkStateOf({ observed, desired, goal, paused, soakLeftSeconds, verdict, refused });
  }

  async write(percent: number, why: string): Promise<void> {
    await this.engine.write({ "golive:candidateTraffic": String(percent) });
    await this.committed(`golive: ${this.#line.stack} candidateTraffic ${percent}\n\n${why}`);
  }

  async committed(message: string): Promise<void> {
    if (this.#line.commit) await this.engine.commit(message);
  }

  async missing(): Promise<string | undefined> {
    const { settings } = this.look ?? {};
    // A throw-away stack has no backups, no audits and no people who sign: its release must work, and that is all.
    if (settings?.environment === "local") {
      const { smokeOf } = await import("./smoke.ts");
      const bad = smokeFailures(await smokeOf(this.stack, settings));
      return bad.length > 0 ? `smoke tests did not pass: ${bad.join(", ")}` : undefined;
    }
    const { preflightOf } = await import("./preflight.ts");
    const { passed, items } = await preflightOf(this.stack, this.#session);
    const open = items.filter(({ state }) => state === "missing").map(({ id }) => id);
    return passed ? undefined : `the preflight misses ${open.join(", ")}`;
  }

  async up(): Promise<UpOutcome> {
    for (;;) {
      if (this.stopped !== undefined) return { succeeded: false, reason: this.stopped, seconds: 0 };
      // A driver that was killed may have written the file and not committed it: git never says less than the cluster.
      const left = `golive: ${this.#line.stack} as its file was left`;
      await this.committed(left);
      const { locked, ...outcome } = await this.engine.up();
      if (outcome.succeeded && this.#unsaid) await this.begin(this.#unsaid);
      if (!locked || this.#line.onConflict === "fail") return outcome;
      this.note(`another pulumi up has the stack; waiting for it (--on-conflict fail: ends instead)`);
      await this.rest(lockSeconds);
    }
  }

  async trip(reason: string): Promise<string | undefined> {
    const { api } = this.stack.cluster;
    const { place } = this.stack;
    const { candidate } = this.look?.settings ?? {};
    if (candidate === undefined) throw new RangeError("a trip comes after a read");
    const order = { colour: candidate, reason, by: this.#who, manager: "golive-abort" } as const;
    const done = await tripRoute(api, place, order).catch((error: unknown) => String(error));
    if (typeof done === "string") {
      // Without the right to patch the route there is still the way of every other step.
      this.note(`the route could not be patched (${done}); going down by pulumi up`);
      await this.write(0, reason);
      return undefined;
    }
    if (done.outcome === "refused") return done.reason;
    if (done.outcome === "tripped") {
      const { verdict, measured } = this.look?.assessment ?? {};
      const draft = tripRecordOf({
        ...{ kind: "trip", application: place.application, stack: this.stack.name },
        ...{ trip: done.trip, before: done.before, route: done.route, verdict, queries: measured?.queries },
      });
      // The traffic is safe already; the next writer finds what is missing.
      await appendRecord(api, place, draft).catch((error: unknown) =>
        this.note(`the trip is not in the ledger yet: ${error instanceof Error ? error.message : error}`),
      );
    }
    return undefined;
  }

  rest(seconds: number): Promise<void> {
    return sleep(seconds * 1000, this.#stop.signal);
  }

  note(text: string): void {
    this.#session.progress.note(text);
  }
}

/**
 * Does work as the only driver of a stack. Another one is waited for or refused, as the line says; Ctrl-C lets the work come to
 * its own end, which leaves the lower of the two weights.
 */
export async function drive<T>(
  line: RolloutLine,
  session: Session,
  work: (driver: DriverSession) => Promise<T>,
): Promise<T> {
  const stack = await openStack(line.stack, session.progress);
  const who = await whoOf(places.root, process.env);
  const goal = await goalOf(line, stack);
  const engine = new RolloutEngine(line.stack, session);
  const driver = new DriverSession({ stack, engine }, who, goal, line, session);
  const lease = new DriverLease(stack.cluster.api, stack.place, `${who} on ${hostname()}, process ${process.pid}`);
  await takeLease(lease, driver, line);
  const renewing = setInterval(() => void renew(lease, driver), renewSeconds * 1000);
  const alone = async () => {
    try {
      return await work(driver);
    } finally {
      clearInterval(renewing);
      await lease
        .release()
        .catch((error: unknown) => driver.note(`${error}; the lease ends by itself in ${leaseSeconds} s`));
    }
  };
  const working = alone();
  const forget = session.atEnd("leave the lower of the two weights, and say how to go on", async () => {
    driver.stop();
    // What it fails by is told by whoever called.
    await working.catch(() => undefined);
  });
  return await working.finally(forget);
}

async function takeLease(lease: DriverLease, driver: DriverSession, line: RolloutLine): Promise<void> {
  for (let said = ""; ; ) {
    const holder = await lease.take();
    if (holder === undefined) return;
    const text = holderText(holder);
    if (line.onConflict === "fail") throw new Failure(`golive rollout ${line.word}: ${text}`);
    if (driver.stopped !== undefined) throw new Failure(`stopped by ${driver.stopped}`);
    if (said !== holder.who) driver.note(`waiting: ${text}`);
    said = holder.who;
    await driver.rest(2);
  }
}

async function renew(lease: DriverLease, driver: DriverSession): Promise<void> {
  const holder = await lease.take().catch((error: unknown) => {
    driver.note(`the lease could not be renewed: ${error instanceof Error ? error.message : error}`);
    return undefined;
  });
  if (holder !== undefined) driver.lose(`${holder.who} has taken this stack over`);
}

async function goalOf({ to, word }: RolloutLine, stack: RolloutStack): Promise<number> {
  const { ladder } = await stack.settings();
  if (to === undefined) return 100;
  if (!ladder.allows(to) || (to === 0 && word !== "step"))
    throw new Failure(
      `golive rollout ${word}: got ${to}; allowed on this ladder: ${ladder.percents.filter((each) => each > 0 || word === "step").join(", ")}`,
      2,
    );
  return to;
}
