import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "./log.ts";
import type { FaultSettings } from "./settings.ts";

/** What an operator may ask for at run time; absent fields stay as they are. */
export interface FaultOrder {
  readonly errorShare?: number;
  readonly delayMs?: number;
  readonly crash?: true;
}

/** Reads an order; a text says what is wrong with it. */
export function parseFaultOrder(body: unknown): FaultOrder | string {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return "an object is needed";
  const known = ["errorShare", "delayMs", "crash"];
  const unknown = Object.keys(body).filter((key) => !known.includes(key));
  if (unknown.length > 0) return `unknown: ${unknown.join(", ")}; allowed: ${known.join(", ")}`;
  const { errorShare, delayMs, crash } = body as Record<string, unknown>;
  const within = (value: unknown, max: number) => typeof value === "number" && value >= 0 && value <= max;
  if (errorShare !== undefined && !within(errorShare, 1)) return "errorShare: a number from 0 to 1 is needed";
  if (delayMs !== undefined && !within(delayMs, 60_000)) return "delayMs: a number from 0 to 60000 is needed";
  if (crash !== undefined && crash !== true) return "crash: only true is allowed";
  return body as FaultOrder;
}

/** The faults of one process: a bad release, rehearsed. */
export class Faults {
  #errorShare: number;
  #delayMs: number;
  readonly #log: Log;
  readonly #random: () => number;

  constructor(settings: FaultSettings, log: Log, random: () => number = Math.random) {
    this.#errorShare = settings.errorShare;
    this.#delayMs = settings.delayMs;
    this.#log = log;
    this.#random = random;
    if (settings.errorShare > 0 || settings.delayMs > 0) log.warn("faults from the start", this.current());
    if (settings.crashAfterMs > 0) this.#crashIn(settings.crashAfterMs);
  }

  current(): { errorShare: number; delayMs: number } {
    return { errorShare: this.#errorShare, delayMs: this.#delayMs };
  }

  order(order: FaultOrder): void {
    this.#errorShare = order.errorShare ?? this.#errorShare;
    this.#delayMs = order.delayMs ?? this.#delayMs;
    this.#log.warn("faults ordered", { ...this.current(), crash: order.crash === true });
    // After the answer has left.
    if (order.crash) this.#crashIn(100);
  }

  /** Waits as long as the faults say; whether the request is to fail. */
  async meet(): Promise<boolean> {
    if (this.#delayMs > 0) await delay(this.#delayMs);
    return this.#errorShare > 0 && this.#random() < this.#errorShare;
  }

  #crashIn(milliseconds: number): void {
    setTimeout(() => {
      this.#log.error("crash on demand");
      process.exit(1);
    }, milliseconds);
  }
}
