import { Problem } from "./problem.ts";

/** What must not stay behind, newest last: children, half-written files, databases half made. */
const pending: (() => Promise<void>)[] = [];

/**
 * Does `work`, then `undo`, whether it succeeded, failed, or this process is told to stop in the middle (`cleanUp`).
 * `undo` is done once; it must be right after a success, too.
 */
export async function afterwards<T>(undo: () => Promise<void>, work: () => Promise<T>): Promise<T> {
  let done: Promise<void> | undefined;
  const once = () => {
    done ??= undo();
    return done;
  };
  pending.push(once);
  try {
    const result = await work().catch(async (error: unknown) => {
      await once().catch((left: unknown) => {
        throw new Problem(`${messageOf(error)}\nand putting back failed, too: ${messageOf(left)}`, { cause: error });
      });
      throw error;
    });
    await once();
    return result;
  } finally {
    const index = pending.indexOf(once);
    if (index >= 0) pending.splice(index, 1);
  }
}

/** Puts everything back, last begun first; one that fails does not keep the others from being done. What failed comes back. */
export async function cleanUp(): Promise<readonly unknown[]> {
  const errors: unknown[] = [];
  for (const undo of [...pending].reverse()) {
    try {
      await undo();
    } catch (error) {
      errors.push(error);
    }
  }
  return errors;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
