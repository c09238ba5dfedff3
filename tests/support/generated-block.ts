import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { expect } from "vitest";
import { places } from "../../local/places.ts";

/**
 * Holds a block of a document against the text that it is generated from; with GOLIVE_ACCEPT=1 it is written instead. The block
 * stands between `<!-- generated: name -->` and `<!-- end: name -->`, each on a line of its own.
 */
export async function expectBlock(file: string, name: string, text: string): Promise<void> {
  const path = join(places.root, file);
  const document = await readFile(path, "utf8");
  const [head, rest] = cut(document, `<!-- generated: ${name} -->\n`, file);
  const [block, tail] = cut(rest, `<!-- end: ${name} -->`, file);
  const wanted = `\n${text.trim()}\n\n`;
  if (process.env.GOLIVE_ACCEPT === "1") {
    await writeFile(path, `${head}<!-- generated: ${name} -->\n${wanted}<!-- end: ${name} -->${tail}`);
  } else {
    expect(block, `${file}: GOLIVE_ACCEPT=1 writes the block "${name}" anew`).toBe(wanted);
  }
}

function cut(text: string, mark: string, file: string): readonly [string, string] {
  const [before, after, ...more] = text.split(mark);
  if (before === undefined || after === undefined || more.length > 0) {
    throw new Error(`${file}: "${mark.trim()}" stands there ${text.split(mark).length - 1} times, not once`);
  }
  return [before, after];
}
