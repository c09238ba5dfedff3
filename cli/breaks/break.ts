import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Break } from "../../tests/breaks/break.ts";

/** The text of a file with a break applied. @throws RangeError when what it replaces does not stand there exactly once. */
export function broken(text: string, { find, replace, file }: Break): string {
  const times = text.split(find).length - 1;
  if (times !== 1) throw new RangeError(`${file}: ${JSON.stringify(find)} stands there ${times} times, not once`);
  // A function, because a replacement text would have its $ signs interpreted.
  return text.replace(find, () => replace);
}

/** What is wrong with a break as it is written, for a checkout at `root`; undefined when it can be applied. */
export async function problemOf(each: Break, root: string): Promise<string | undefined> {
  const text = await read(join(root, each.file));
  if (text === undefined) return `${each.file}: there is no such file`;
  const testText = await read(join(root, each.test));
  if (testText === undefined) return `${each.test}: there is no such test file`;
  if (levelOf(each.test) === undefined)
    return `${each.test}: not below tests/unit, tests/component, tests/policy or tests/live`;
  if (!names(testText, each.name)) return `${each.test}: no test in it is named "${each.name}"`;
  if (each.find === each.replace) return `${each.file}: the break of "${each.promise}" changes nothing`;
  try {
    broken(text, each);
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
  return undefined;
}

/**
 * Whether a test file's text has each word of a name. Not the name as a whole: it may be made of its group's, its own and the row
 * of a table, and only a run can tell.
 */
function names(testText: string, name: string): boolean {
  const words = name.match(/[\p{L}\p{N}]{3,}/gu) ?? [];
  return words.every((word) => testText.includes(word));
}

async function read(file: string): Promise<string | undefined> {
  return readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
}

/** The Vitest project that a test file belongs to; undefined when it is no test's place. */
export const levelOf = (test: string): string | undefined =>
  /^tests\/(unit|component|policy|live)\/.+\.test\.ts$/.exec(test)?.[1];

/** The breaks that a word chooses: it stands, in any case, in the promise, the file, the test or its name, or is the check's number. */
export function choose(breaks: readonly Break[], pattern: string | undefined): readonly Break[] {
  if (pattern === undefined) return breaks;
  const word = pattern.toLowerCase();
  return breaks.filter(
    ({ promise, file, test, name, check }) =>
      String(check) === word || [promise, file, test, name].some((text) => text.toLowerCase().includes(word)),
  );
}
