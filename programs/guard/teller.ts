import { type LiveRoute, openTrip, type RouteObject } from "../../rollout/observed.ts";

import { ConditionLog } from "../condition-log.ts";
import type { Log } from "../log.ts";
import { reasonOf } from "../reason.ts";
import { announceTrip, isRecorded, recordTrip, type Tripped, type Witness } from "./witness.ts";

/** A trip that the ledger does not know after so long was one of a pod that did not live to tell it. */
const forgottenMs = 10_000;

/** Tells of trips, beside the looks: a trip waits for nobody who only wants to know. */
export class Teller {
  readonly #witness: Witness;
  readonly #condition: ConditionLog;
  readonly #telling = new Set<Promise<void>>();
  /** By id of a trip: not looked for in the ledger before this time of the cluster. */
  readonly #lookedFor = new Map<string, number>();

  constructor(witness: Witness & { readonly log: Log }) {
    this.#witness = witness;
    this.#condition = new ConditionLog(witness.log, { good: "tells again", bad: "cannot tell of a trip" });
  }

  /** Of a trip of our own, at a time of the cluster. `uid`: of the route. */
  tell(tripped: Tripped, { uid, at }: { readonly uid: string | undefined; readonly at: Date }): void {
    this.#lookedFor.set(tripped.trip.id, at.getTime() + forgottenMs);
    this.#work("events", () => announceTrip(this.#witness, tripped, { uid, at }));
    this.#work("the ledger", () => recordTrip(this.#witness, tripped));
  }

  /** Of a trip that stands on the route and not in the ledger. */
  tellForgotten(route: LiveRoute, at: Date): void {
    const trip = openTrip(route);
    if (trip?.at === undefined || trip.by !== "guard") return;
    const since = this.#lookedFor.get(trip.id) ?? trip.at.getTime() + forgottenMs;
    if (at.getTime() < since) return;
    this.#lookedFor.set(trip.id, Number.POSITIVE_INFINITY);
    this.#work("the ledger", async () => {
      try {
        if (await isRecorded(this.#witness, trip)) return;
        await recordTrip(this.#witness, { trip, before: undefined, route, verdict: undefined, queries: undefined });
      } catch (error) {
        this.#lookedFor.set(trip.id, at.getTime() + forgottenMs);
        throw error;
      }
    });
  }

  /** Ends when all that was to be told is told, or could not be. */
  async stop(): Promise<void> {
    await Promise.all(this.#telling);
  }

  #work(what: string, work: () => Promise<void>): void {
    const telling = work().then(
      () => this.#condition.say(what, undefined),
      (error: unknown) => this.#condition.say(what, reasonOf(error)),
    );
    this.#telling.add(telling);
    void telling.then(() => this.#telling.delete(telling));
  }
}

/** Of an object that the API server answered. */
export const uidOf = ({ metadata }: RouteObject & { readonly metadata?: { readonly uid?: string } }) => metadata?.uid;
