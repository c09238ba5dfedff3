import { readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { places } from "../local/places.ts";
import { type ChildResult, runChild } from "./child.ts";
import { type Command, parseOptions, refusePositionals } from "./command.ts";
import { Failure } from "./failure.ts";
import type { Session } from "./session.ts";

/** One thing that must hold of the checkout before its tests are worth running. */
interface Rule {
  readonly title: string;
  /** What is wrong, for a person to read; undefined when nothing is. */
  problem(session: Session): Promise<string | undefined>;
}

export const check: Command = {
  help: `
golive check: format, lint, types, lock file. Changes nothing, unless asked to.

Usage: golive check [--fix]

  --fix   format the files, and put right what the linter can put right safely

Examples:
  golive check
  golive check --fix
`,
  async run(args, session) {
    const { values, positionals } = parseOptions("check", args, { fix: { type: "boolean", default: false } });
    refusePositionals("check", positionals);
    return (await checkAll(session, values.fix)) ? 0 : 1;
  },
};

/** Checks every rule, and prints what is wrong with each. All are checked, also after one failed. */
export async function checkAll(session: Session, fix: boolean): Promise<boolean> {
  const rules: readonly Rule[] = [biome(fix), types, lockFile];
  let passed = true;
  for (const rule of rules) {
    try {
      await session.progress.stage(rule.title, async () => {
        const problem = await rule.problem(session);
        if (problem !== undefined) throw new Failure(problem);
      });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      passed = false;
      process.stderr.write(`${error.message}\n`);
    }
  }
  return passed;
}

const biome = (fix: boolean): Rule => ({
  title: fix ? "format and lint (putting right)" : "format and lint",
  problem: async (session) => {
    const args = ["node_modules/@biomejs/biome/bin/biome", "check", "--error-on-warnings", ...(fix ? ["--write"] : [])];
    const result = await tool(session, args);
    const next = fix ? "the above needs a person" : "golive check --fix puts right what it can";
    return result.exitCode === 0 ? undefined : `${said(result)}\nformat and lint: ${next}`;
  },
});

const types: Rule = {
  title: "types",
  problem: async (session) => {
    const result = await tool(session, ["node_modules/typescript/bin/tsc", "--noEmit", "--pretty", "false"]);
    return result.exitCode === 0 ? undefined : said(result);
  },
};

const lockFile: Rule = {
  title: "lock file",
  problem: async () => lockFileProblem(await readFile(join(places.root, "package-lock.json"), "utf8")),
};

/** Which packages of a lock file are tied to one registry's address; undefined when none is. */
export function lockFileProblem(text: string): string | undefined {
  const lock: unknown = JSON.parse(text);
  const packages = isRecord(lock) && isRecord(lock.packages) ? lock.packages : {};
  const tied = Object.entries(packages)
    .filter(([, entry]) => isRecord(entry) && typeof entry.resolved === "string" && entry.link !== true)
    .map(([path]) => path);
  if (tied.length === 0) return undefined;
  const named = tied.slice(0, 5).join(", ") + (tied.length > 5 ? `, and ${tied.length - 5} more` : "");
  return `package-lock.json: got "resolved" addresses of one registry for ${named}; none is allowed, as others install from a mirror. Run npm install in the checkout: its .npmrc leaves them out.`;
}

const isRecord = (value: unknown): value is Record<string, unknown> => value !== null && typeof value === "object";

const tool = (session: Session, args: readonly string[]): Promise<ChildResult> =>
  runChild(process.execPath, args, { cwd: places.root, env: process.env, capture: true, session });

const said = ({ stdout, stderr }: ChildResult): string => `${stdout}${stderr}`.trimEnd();
