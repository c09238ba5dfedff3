import { appendFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { places } from "../../local/places.ts";
import { Failure } from "../failure.ts";

/**
 * What a step of a GitHub job may tell the next ones. Outside of a job there is nobody to tell: then nothing is written, and what
 * a command prints is all there is.
 */
export interface Job {
  /** A value for later steps and jobs; one line, because a line break would let a value set other values. */
  output(name: string, value: string): Promise<void>;
  /** An environment variable of all later steps of this job. */
  environment(name: string, value: string): Promise<void>;
  /** Markdown on the page of the run. */
  summary(markdown: string): Promise<void>;
}

export function jobOf(env: NodeJS.ProcessEnv = process.env): Job {
  const append = async (file: string | undefined, text: string) => {
    if (file !== undefined && file !== "") await appendFile(file, `${text}\n`);
  };
  const pair = (name: string, value: string) => {
    if (/[\r\n]/.test(value))
      throw new Failure(`golive delivery: the value of ${name} has a line break; none is allowed`);
    return `${name}=${value}`;
  };
  return {
    output: async (name, value) => append(env.GITHUB_OUTPUT, pair(name, value)),
    environment: async (name, value) => append(env.GITHUB_ENV, pair(name, value)),
    summary: async (markdown) => append(env.GITHUB_STEP_SUMMARY, markdown),
  };
}

const reports = join(places.golive, "delivery");

/** What a report is about; one of each for a stack. */
export const reportKinds = ["preview", "drift"] as const;
export type ReportKind = (typeof reportKinds)[number];

/** Where a report is kept. */
export const reportFile = (kind: ReportKind, stack: string) => join(reports, `${kind}-${stack}.md`);

/** Keeps a report for the step that publishes it, which alone holds the right to write on GitHub. */
export async function keepReport(kind: ReportKind, stack: string, markdown: string): Promise<void> {
  await mkdir(reports, { recursive: true });
  await writeFile(reportFile(kind, stack), markdown);
}

/** What was kept; undefined when nothing was. */
export async function keptReport(kind: ReportKind, stack: string): Promise<string | undefined> {
  return await readFile(reportFile(kind, stack), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    return undefined;
  });
}
