import { Failure } from "../../cli/failure.ts";

/** Message and exit code of the Failure that something throws, as a value. @throws Error when it throws none. */
export function failureOf(work: () => Promise<unknown>): Promise<{ message: string; exitCode: number }>;
export function failureOf(work: () => unknown): { message: string; exitCode: number };
export function failureOf(work: () => unknown): unknown {
  const none = (value: unknown) => {
    throw new Error(`no Failure, but ${JSON.stringify(value)}`);
  };
  const read = (error: unknown) => {
    if (error instanceof Failure) return { message: error.message, exitCode: error.exitCode };
    throw error;
  };
  let value: unknown;
  try {
    value = work();
  } catch (error) {
    return read(error);
  }
  return value instanceof Promise ? value.then(none, read) : none(value);
}
