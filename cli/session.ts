import type { Progress } from "./progress.ts";

/** What one run of a command has started and must put back, however it ends: done, failed, or Ctrl-C. */
export class Session {
  readonly progress: Progress;
  /** The signal that stops this command; undefined while nobody did. */
  endedBy: NodeJS.Signals | undefined;
  readonly #undo: { readonly title: string; readonly work: () => Promise<void> }[] = [];
  #ending: Promise<readonly unknown[]> | undefined;

  constructor(progress: Progress) {
    this.progress = progress;
  }

  /** Has `work` done at the end, last registered first. The function that comes back takes it off the list again. */
  atEnd(title: string, work: () => Promise<void>): () => void {
    const entry = { title, work };
    this.#undo.push(entry);
    return () => {
      const index = this.#undo.indexOf(entry);
      if (index >= 0) this.#undo.splice(index, 1);
    };
  }

  /** What is still to be put back, next first. */
  get pending(): readonly string[] {
    return this.#undo.map((entry) => entry.title).reverse();
  }

  /** Puts everything back, once. One that fails does not keep the others from being done; what failed comes back. */
  end(): Promise<readonly unknown[]> {
    this.#ending ??= this.#putBack();
    return this.#ending;
  }

  async #putBack(): Promise<readonly unknown[]> {
    const errors: unknown[] = [];
    for (let entry = this.#undo.at(-1); entry !== undefined; entry = this.#undo.at(-1)) {
      try {
        await entry.work();
      } catch (error) {
        errors.push(error);
      }
      // Taken off only when done, so that `pending` tells the truth while it is being done.
      const index = this.#undo.indexOf(entry);
      if (index >= 0) this.#undo.splice(index, 1);
    }
    return errors;
  }
}
