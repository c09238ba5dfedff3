import * as pulumi from "@pulumi/pulumi";
import { nearest } from "./nearest.ts";

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
  const near = nearest(unknown, known);
  return near === undefined ? `; allowed: ${known.join(", ")}` : `; did you mean ${near}?`;
}
