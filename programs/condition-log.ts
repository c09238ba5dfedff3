import type { Log } from "./log.ts";

/** Says how something is once a change: a line for each look would bury what matters. */
export class ConditionLog {
  readonly #log: Log;
  readonly #messages: { readonly good: string; readonly bad: string };
  readonly #said = new Map<string, string>();

  constructor(log: Log, messages: { readonly good: string; readonly bad: string }) {
    this.#log = log;
    this.#messages = messages;
  }

  /** `problem` undefined: it is well. Well is what everything is at first. */
  say(what: string, problem: string | undefined): void {
    if (this.#said.get(what) === problem) return;
    if (problem === undefined) {
      this.#said.delete(what);
      this.#log("info", this.#messages.good, { what });
    } else {
      this.#said.set(what, problem);
      this.#log("error", this.#messages.bad, { what, reason: problem });
    }
  }
}
