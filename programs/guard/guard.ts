import { type Application, isHttp } from "../../applications/application.ts";
import { judge } from "../../rollout/gate/gate.ts";
import { type AskPrometheus, measure } from "../../rollout/gate/measure.ts";
import type { Measured } from "../../rollout/gate/measured.ts";
import { Sequential } from "../../rollout/gate/sequential.ts";
import type { Thresholds } from "../../rollout/gate/thresholds.ts";
import type { Verdict } from "../../rollout/gate/verdict.ts";
import type { KubeApi } from "../../rollout/kube/api.ts";
import { fetchPublicRoute } from "../../rollout/kube/public-route.ts";
import { type LiveRoute, readRoute } from "../../rollout/observed.ts";
import { type TripResult, tripRoute } from "../../rollout/trip.ts";
import { ConditionLog } from "../condition-log.ts";
import type { Log } from "../log.ts";
import { reasonOf } from "../reason.ts";
import type { Gateway } from "./gateway.ts";
import type { GuardState } from "./metrics.ts";
import { unreadyAsTold, unreadyOf } from "./readiness.ts";
import { type Growths, Tally } from "./tally.ts";
import { Teller, uidOf } from "./teller.ts";
import { reasonFor, type Watched, watchedOf } from "./watched.ts";

/** So long after it did not trip for the sake of the stable colour the guard says so. */
const withheldSeconds = 60;

export interface GuardArgs {
  readonly application: Application;
  readonly namespace: string;
  /** The guard's own pod. */
  readonly pod: string;
  readonly thresholds: Thresholds;
  readonly api: KubeApi;
  readonly gateway: Pick<Gateway, "look">;
  /** Undefined: there is none, and the gateway's own counters are all that is seen. */
  readonly prometheus: AskPrometheus | undefined;
  /** A clock that nobody sets. */
  readonly seconds: () => number;
  readonly log: Log;
}

/** Why the release must go. */
interface Cause {
  readonly reason: string;
  readonly verdict?: Verdict;
  readonly measured?: Measured | undefined;
}

type TripDone = Extract<TripResult, { readonly outcome: "tripped" }>;

/** A route as it was read, and when by the cluster's clock. */
interface Seen {
  readonly route: LiveRoute;
  readonly uid: string | undefined;
  readonly at: Date;
}

/**
 * Watches a release from its first traffic on, and takes all of it away when it is bad: by itself, with nothing but the gateway and
 * the API server alive. Two of it run side by side and know nothing of each other; to take away twice is to take away once.
 */
export class Guard {
  readonly #args: GuardArgs;
  readonly #services: readonly string[];
  readonly #sequentials: ReadonlyMap<string, Sequential>;
  readonly #tally = new Tally();
  readonly #teller: Teller;
  readonly #condition: ConditionLog;
  #seen: Seen | undefined;
  #watched: Watched | undefined;
  #countedAt: number | undefined;
  /** That what was counted last belongs to what is watched now. */
  #begun = false;
  #cause: Cause | undefined;
  #tripping = false;
  #withheldAt = Number.NEGATIVE_INFINITY;
  #state: Omit<GuardState, "withheld">;

  constructor(args: GuardArgs) {
    this.#args = args;
    this.#services = args.application.services.filter(isHttp).map(({ name }) => name);
    this.#sequentials = new Map(this.#services.map((service) => [service, new Sequential(args.thresholds)]));
    this.#teller = new Teller(args);
    this.#condition = new ConditionLog(args.log, { good: "works again", bad: "does not work" });
    const prometheusUp = args.prometheus === undefined ? undefined : false;
    this.#state = { armed: false, routeUp: false, gatewayUp: false, prometheusUp, trips: 0 };
  }

  get state(): GuardState {
    return { ...this.#state, withheld: this.#args.seconds() - this.#withheldAt < withheldSeconds };
  }

  /** The fast path, twice a second: the route, the gateway's counters, and a test that ends a bad release in seconds. Never rejects. */
  async look(): Promise<void> {
    const [, pods] = await Promise.all([this.#readRoute(), this.#args.gateway.look()]);
    const answered = [...pods.values()].some((counters) => counters !== undefined);
    this.#set({ gatewayUp: answered });
    if (answered) this.#count(this.#tally.take(this.#services, pods));
    await this.#trip();
  }

  /** The slow path: what Prometheus knows of the long windows, judged as a step up is. Never rejects. */
  async judge(): Promise<void> {
    const [seen, watched] = [this.#seen, this.#watched];
    if (!seen || !watched || !this.#state.routeUp) return;
    try {
      const measured = await this.#measure(seen, watched);
      const unready = await unreadyOf(this.#args.api, this.#args);
      const ready = {
        candidate: unready[watched.colour].length === 0,
        stable: unready[watched.other].length === 0,
      };
      const verdict = judge({ measured, from: watched.percent, ready }, this.#args.thresholds);
      this.#condition.say("pods", undefined);
      if (verdict.outcome !== "rollback" || this.#watched?.id !== watched.id) return;
      this.#cause ??= { reason: reasonFor(watched, verdict.reason), verdict, measured };
      await this.#trip();
    } catch (error) {
      this.#condition.say("pods", reasonOf(error));
    }
  }

  /** Ends when all that was to be told is told, or could not be. */
  async stop(): Promise<void> {
    await this.#teller.stop();
  }

  async #readRoute(): Promise<void> {
    const { api, namespace, application } = this.#args;
    try {
      const { object, at } = await fetchPublicRoute(api, { namespace, application: application.name });
      const seen = { route: readRoute(object), uid: uidOf(object), at };
      this.#seen = seen;
      this.#watch(watchedOf(seen.route));
      this.#set({ routeUp: true });
      this.#condition.say("route", undefined);
      this.#teller.tellForgotten(seen.route, seen.at);
    } catch (error) {
      // What was seen last still holds: the gateway goes by it, too.
      this.#set({ routeUp: false });
      this.#condition.say("route", reasonOf(error));
    }
  }

  #watch(watched: Watched | undefined): void {
    if (watched?.id === this.#watched?.id) return;
    this.#watched = watched;
    this.#beginAnew();
    this.#begun = false;
    this.#withheldAt = Number.NEGATIVE_INFINITY;
    this.#set({ armed: watched !== undefined });
    if (watched) this.#args.log("info", "armed", { colour: watched.colour, percent: watched.percent });
    else this.#args.log("info", "disarmed");
  }

  #beginAnew(): void {
    this.#cause = undefined;
    for (const sequential of this.#sequentials.values()) sequential.reset();
  }

  #count(growths: Growths): void {
    const now = this.#args.seconds();
    const seconds = now - (this.#countedAt ?? now);
    this.#countedAt = now;
    // The first growth has in it what came before the step, or before the release.
    const counts = this.#begun && this.#watched;
    this.#begun = this.#watched !== undefined;
    if (!counts) return;
    for (const [service, sequential] of this.#sequentials) {
      const growth = growths[service];
      if (!growth) continue;
      const tick = { seconds, candidate: growth[counts.colour], stable: growth[counts.other] };
      if (sequential.take(tick) === "rollback") this.#cause ??= { reason: `${service}: ${sequential.reason}` };
    }
  }

  async #measure({ route, at }: Seen, { colour }: Watched): Promise<Measured | undefined> {
    const { application, namespace, thresholds, prometheus } = this.#args;
    if (prometheus === undefined || route.changedAt === undefined) return undefined;
    try {
      const measured = await measure(prometheus, {
        ...{ application, namespace, candidate: colour },
        immediateSeconds: thresholds.immediate.seconds,
        plannedSeconds: thresholds.planned.seconds,
        since: route.changedAt.getTime() / 1000,
        at: at.getTime() / 1000,
      });
      this.#set({ prometheusUp: true });
      this.#condition.say("Prometheus", undefined);
      return measured;
    } catch (error) {
      this.#set({ prometheusUp: false });
      this.#condition.say("Prometheus", reasonOf(error));
      return undefined;
    }
  }

  /** Tried again with every look, until there is no cause any more. */
  async #trip(): Promise<void> {
    const [watched, cause] = [this.#watched, this.#cause];
    if (!watched || !cause || this.#tripping) return;
    this.#tripping = true;
    try {
      const { api, namespace, application } = this.#args;
      // What was counted says that the other colour answers; what was measured is older than its pods.
      const unready = await (cause.verdict === undefined ? unreadyAsTold : unreadyOf)(api, this.#args);
      const missing = unready[watched.other];
      if (missing.length > 0)
        return this.#withhold(cause, `${watched.other} has no ready pod of ${missing.join(", ")}`);
      const { colour, candidate, release } = watched;
      const order = {
        colour,
        reason: cause.reason,
        by: "guard",
        manager: "golive-guard",
        watched: { candidate, release },
      } as const;
      const result = await tripRoute(api, { namespace, application: application.name }, order);
      if (result.outcome === "refused") return this.#withhold(cause, result.reason);
      this.#condition.say("trip", undefined);
      this.#beginAnew();
      this.#withheldAt = Number.NEGATIVE_INFINITY;
      if (result.outcome === "tripped") this.#tripped(result, cause);
    } catch (error) {
      this.#condition.say("trip", reasonOf(error));
    } finally {
      this.#tripping = false;
    }
  }

  /** What was counted until now is no reason to trip later, when the other colour can serve again. */
  #withhold({ reason }: Cause, because: string): void {
    this.#beginAnew();
    this.#withheldAt = this.#args.seconds();
    this.#condition.say("trip", `${because}; the release keeps its traffic (${reason})`);
  }

  #tripped(result: TripDone, { reason, verdict, measured }: Cause): void {
    const { trip, before, route, at } = result;
    this.#set({ trips: this.#state.trips + 1 });
    this.#args.log("error", "tripped", { colour: trip.colour, reason });
    const queries = measured?.queries;
    this.#teller.tell({ trip, before, route, verdict, queries }, { uid: this.#seen?.uid, at });
  }

  #set(changes: Partial<GuardState>): void {
    this.#state = { ...this.#state, ...changes };
  }
}
