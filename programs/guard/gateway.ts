import { ConditionLog } from "../condition-log.ts";
import type { Log } from "../log.ts";
import { reasonOf } from "../reason.ts";
import { type Counter, countersOf, type Whose } from "./gateway-counters.ts";

/** How often DNS is asked for the pods: a name is kept there for 5 s at least. */
const findEverySeconds = 5;

export interface GatewayArgs {
  readonly whose: Whose;
  /** Where each pod of the gateway has its metrics, as `host:port`. */
  readonly find: () => Promise<readonly string[]>;
  /** The metrics of one of them. */
  readonly read: (pod: string) => Promise<string>;
  /** A clock that nobody sets. */
  readonly seconds: () => number;
  readonly log: Log;
}

/** What the pods of the gateway counted, asked from each of them. */
export class Gateway {
  readonly #args: GatewayArgs;
  readonly #condition: ConditionLog;
  #pods: readonly string[] = [];
  #foundAt = Number.NEGATIVE_INFINITY;
  #finding: Promise<void> | undefined;

  constructor(args: GatewayArgs) {
    this.#args = args;
    this.#condition = new ConditionLog(args.log, { good: "sees the gateway", bad: "cannot see the gateway" });
  }

  /** The counters of every pod that there is, undefined where it did not answer. */
  async look(): Promise<ReadonlyMap<string, ReadonlyMap<string, Counter> | undefined>> {
    const finding = this.#find();
    // DNS may be slow or gone: pods that were found once are asked meanwhile.
    if (this.#pods.length === 0) await finding;
    const pods = this.#pods;
    return new Map(await Promise.all(pods.map(async (pod) => [pod, await this.#read(pod)] as const)));
  }

  async #find(): Promise<void> {
    if (this.#finding) return this.#finding;
    if (this.#args.seconds() - this.#foundAt < findEverySeconds && this.#pods.length > 0) return;
    this.#finding = this.#args.find().then(
      (pods) => {
        this.#foundAt = this.#args.seconds();
        this.#pods = pods;
        this.#condition.say("pods", pods.length === 0 ? "the gateway has no pods" : undefined);
      },
      (error: unknown) => this.#condition.say("pods", reasonOf(error)),
    );
    await this.#finding;
    this.#finding = undefined;
  }

  async #read(pod: string): Promise<ReadonlyMap<string, Counter> | undefined> {
    try {
      const text = await this.#args.read(pod);
      this.#condition.say(pod, undefined);
      return countersOf(text, this.#args.whose);
    } catch (error) {
      this.#condition.say(pod, reasonOf(error));
      return undefined;
    }
  }
}
