import { writeFile } from "node:fs/promises";

/** Most bytes that Kubernetes keeps of a container's termination message. */
export const longestReport = 4_096;

/**
 * The last words of a program, where Kubernetes finds them; nothing when there is no such place.
 * @param text at most 4,096 bytes: see `problemReport` and `resultReport`.
 */
export async function writeReport(path: string | undefined, text: string): Promise<void> {
  if (path !== undefined) await writeFile(path, text);
}

/** A problem's message, cut between two characters when it is too long: it begins with what is wrong. */
export function problemReport(message: string): string {
  const bytes = Buffer.from(message);
  if (bytes.length <= longestReport) return message;
  const mark = " …";
  let end = longestReport - Buffer.byteLength(mark);
  // A byte 10xxxxxx goes on with the character before it.
  while (end > 0 && ((bytes[end] ?? 0) & 0b1100_0000) === 0b1000_0000) end -= 1;
  return bytes.subarray(0, end).toString() + mark;
}

/**
 * A result as JSON that can be parsed whatever its size: when it is too long, its largest values are left out, and
 * `omitted` names them.
 */
export function resultReport(result: object): string {
  const left = new Map<string, unknown>(Object.entries(result));
  const omitted: string[] = [];
  for (;;) {
    const text = JSON.stringify({ ...Object.fromEntries(left), ...(omitted.length > 0 ? { omitted } : {}) });
    if (Buffer.byteLength(text) <= longestReport) return text;
    const [largest] = [...left].sort(([, one], [, other]) => size(other) - size(one));
    if (largest === undefined) return JSON.stringify({ omitted: [`${omitted.length} values`] });
    left.delete(largest[0]);
    omitted.push(largest[0]);
  }
}

function size(value: unknown): number {
  return JSON.stringify(value)?.length ?? 0;
}
