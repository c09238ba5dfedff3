import { Failure } from "../failure.ts";

/**
 * Runs what a verdict is found by. @throws Failure with exit code 2 for whatever goes wrong in it, expected or not: 1 would say that
 * the run was judged, and refused.
 */
export async function evaluated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Failure) throw new Failure(error.message, 2, { cause: error });
    // A fault of ours: its message alone helps nobody to mend it.
    throw new Failure(error instanceof Error ? (error.stack ?? error.message) : String(error), 2, { cause: error });
  }
}
