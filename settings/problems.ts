import * as pulumi from "@pulumi/pulumi";

/** One thing wrong with a configuration. */
export interface Problem {
  /** Path of the key, without `golive:`. */
  readonly key: string;
  /** What was got, what is allowed. */
  readonly text: string;
}

/** Every problem of a configuration at once. */
export class SettingsError extends pulumi.RunError {
  readonly problems: readonly Problem[];

  constructor(stack: string, problems: readonly Problem[]) {
    const width = Math.max(...problems.map(({ key }) => key.length)) + "golive:".length;
    const lines = problems.map(({ key, text }) => `  ${`golive:${key}`.padEnd(width)}  ${text}`);
    const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
    super(`${count} in the configuration of stack "${stack}":\n${lines.join("\n")}`);
    this.problems = problems;
  }
}

/** `; did you mean candidate?` when one known key is near enough, else the list of what is known. */
export function suggestion(unknown: string, known: readonly string[]): string {
  const near = known
    .map((key) => ({ key, distance: editDistance(unknown.toLowerCase(), key.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)[0];
  return near && near.distance <= 2 + unknown.length / 6
    ? `; did you mean ${near.key}?`
    : `; allowed: ${known.join(", ")}`;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  [...a].forEach((letter, i) => {
    const next = [i + 1];
    [...b].forEach((other, j) => {
      const substitute = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(substitute, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    });
    row = next;
  });
  return row.at(-1) ?? 0;
}
