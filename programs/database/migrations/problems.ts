import { Problem } from "../problem.ts";

/** One Problem for several, each on a line of its own: all of them are told at once. */
export function listed(problems: readonly string[], where: string): Problem {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return new Problem([`${count} ${where}:`, ...problems.map((problem) => `  ${problem}`)].join("\n"));
}
