import { Failure } from "../failure.ts";

/** Seconds that a cluster may be out of sight before whoever looks gives up. */
const patienceSeconds = 300;
/** Seconds until it is asked again. */
const againSeconds = 5;

/** Whoever looks again and again. */
export interface Looker {
  /** What stopped it; undefined: nothing did. */
  readonly stopped: string | undefined;
  note(text: string): void;
  rest(seconds: number): Promise<void>;
}

/** Reads what a cluster says. One that restarts is waited for. @throws what it failed by at last, and a Failure at once. */
export async function patiently<T>(looker: Looker, read: () => Promise<T>): Promise<T> {
  for (let waited = 0; ; waited += againSeconds) {
    try {
      return await read();
    } catch (error) {
      const isOurs = error instanceof Failure || !(error instanceof Error);
      if (isOurs || looker.stopped !== undefined || waited >= patienceSeconds) throw error;
      looker.note(`${error.message.split("\n")[0]}; asking again`);
      await looker.rest(againSeconds);
    }
  }
}
