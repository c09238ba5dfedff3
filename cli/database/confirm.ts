import process from "node:process";
import { createInterface } from "node:readline/promises";
import { Failure } from "../failure.ts";
import type { Plan } from "./plan.ts";

/** Who can be asked: a person at a terminal, or nobody. */
export interface Asked {
  readonly isTerminal: boolean;
  question(text: string): Promise<string>;
}

const terminal: Asked = {
  isTerminal: process.stdin.isTTY === true,
  async question(text) {
    const reader = createInterface({ input: process.stdin, output: process.stderr });
    // Ctrl-C at the question is Ctrl-C at golive, which readline keeps to itself otherwise.
    reader.on("SIGINT", () => process.kill(process.pid, "SIGINT"));
    try {
      return await reader.question(text);
    } finally {
      reader.close();
    }
  },
};

/**
 * Has a person type the stack's name before its rows are replaced. A Failure when they type something else, or when there is
 * nobody to ask.
 */
export async function confirmReplacement(
  { word, stack }: Pick<Plan, "word" | "stack">,
  replacement: string,
  asked: Asked = terminal,
): Promise<void> {
  const what = `every row of stack ${stack} by ${replacement}`;
  if (!asked.isTerminal) {
    throw new Failure(`golive database ${word}: replaces ${what}, and nobody can be asked here; say so with --yes`, 2);
  }
  const answer = await asked.question(`This replaces ${what}. Type the stack's name to go on: `);
  if (answer.trim() !== stack) {
    throw new Failure(`golive database ${word}: got "${answer.trim()}", not ${stack}; nothing was touched`, 1);
  }
}
