import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { places } from "../../local/places.ts";

/** What a runbook says of one alert. */
export interface Section {
  /** Page without `.md`. */
  readonly page: string;
  readonly heading: string;
  /** As GitHub makes it of the heading. */
  readonly anchor: string;
  readonly text: string;
  readonly commands: readonly Command[];
}

export interface Command {
  readonly text: string;
  /** Marked by the line `# changes the cluster` before it. */
  readonly changes: boolean;
}

const directory = join(places.root, "docs", "runbooks");
const mark = "# changes the cluster";

/** All sections of all pages, in the order of their pages' names. */
export async function runbookSections(): Promise<readonly Section[]> {
  const files = (await readdir(directory)).filter((file) => file.endsWith(".md")).sort();
  const pages = await Promise.all(
    files.map(async (file) => sectionsOf(file, await readFile(join(directory, file), "utf8"))),
  );
  return pages.flat();
}

export function sectionsOf(file: string, markdown: string): readonly Section[] {
  const seen = new Map<string, number>();
  return outsideOfCode(markdown)
    .split(/^## /m)
    .slice(1)
    .map((part) => {
      const [heading = ""] = part.split("\n");
      const text = restored(part.slice(heading.length));
      return {
        page: file.replace(/\.md$/, ""),
        heading,
        anchor: anchorOf(heading, seen),
        text,
        commands: commandsOf(text),
      };
    });
}

/** GitHub's rule: lower case, no punctuation, hyphens for blanks; a heading that comes again gets a number. */
function anchorOf(heading: string, seen: Map<string, number>): string {
  const anchor = heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\- _]/gu, "")
    .replaceAll(" ", "-");
  const before = seen.get(anchor) ?? 0;
  seen.set(anchor, before + 1);
  return before === 0 ? anchor : `${anchor}-${before}`;
}

// A `##` in a block of code is a comment of a shell and no heading.
const outsideOfCode = (markdown: string) =>
  markdown.replaceAll(/^( *)```[\s\S]*?^\1```$/gm, (block) => block.replaceAll("\n#", "\n\u0000#"));
const restored = (text: string) => text.replaceAll("\u0000", "");

function commandsOf(text: string): readonly Command[] {
  const commands: Command[] = [];
  for (const [, , block = ""] of text.matchAll(/^( *)```sh\n([\s\S]*?)^\1```$/gm)) {
    const lines = block
      .replaceAll(/\\\n\s*/g, "")
      .split("\n")
      .map((line) => line.trim());
    lines.forEach((line, index) => {
      if (line !== "" && line !== mark) commands.push({ text: line, changes: lines[index - 1] === mark });
    });
  }
  return commands;
}

/** Commands that change something, however they are written: none of these may stand without its mark. */
export const changing =
  /\bkubectl\b.*\s(apply|annotate|cordon|create|delete|drain|edit|label|patch|replace|restart|scale|set|uncordon)\s|\bpulumi (up|destroy|refresh|cancel|config set|config rm|import)\b|\bdatabase (backup|restore(?! --list)|drill|seed)\b|\bsilence add\b|\bpg_terminate_backend\b|\bvacuumdb\b/;
