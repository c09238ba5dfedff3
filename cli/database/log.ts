/** What a command's log holds so far: lines for people, and the result for machines. */
export interface ReadLog {
  readonly lines: readonly string[];
  /** Undefined while there is none. */
  readonly result: Readonly<Record<string, unknown>> | undefined;
}

/**
 * Takes a command's log apart. A program prints its progress as plain lines, and its result as one line of JSON: the last, but
 * two streams of one container may meet in another order. A line without an end is left for the next time, unless the
 * program has ended.
 */
export function readLog(text: string, ended: boolean): ReadLog {
  const whole = ended ? text : text.slice(0, text.lastIndexOf("\n") + 1);
  const all = whole.split("\n").filter((line) => line.trim() !== "");
  const at = all.findLastIndex((line) => parseResult(line) !== undefined);
  return { lines: all.filter((_, index) => index !== at), result: parseResult(all[at] ?? "") };
}

/** A JSON object, as a program's result is; undefined for any other text. */
export function parseResult(text: string): Readonly<Record<string, unknown>> | undefined {
  if (!text.startsWith("{")) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
