import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Problem } from "../problem.ts";
import { refusedStatements } from "./permitted.ts";
import { listed } from "./problems.ts";

/** `expand` adds, and runs before a release; `contract` takes away, and waits until nothing uses the old shape any more. */
export type Phase = "expand" | "contract";

/** One file of an application's migrations. */
export interface MigrationFile {
  /** `005_add_due_dates.sql`. */
  readonly name: string;
  /** Its number as it is written, so that versions sort as text (S4-48). */
  readonly version: string;
  readonly phase: Phase;
  /** False: exactly one statement, of a kind that PostgreSQL refuses in a transaction, as CREATE INDEX CONCURRENTLY. */
  readonly transaction: boolean;
  /** SHA-256 in hex of `sql`. */
  readonly checksum: string;
  /** The text, its line ends LF whatever the checkout made of them. */
  readonly sql: string;
}

const namePattern = /^(\d{3})_[a-z0-9]+(?:_[a-z0-9]+)*\.sql$/;
const nameRule = "NNN_name.sql, of lower-case letters, digits and underscores, as 005_add_due_dates.sql";
const directiveRule = `"-- golive: phase expand", "-- golive: phase contract", "-- golive: no-transaction"`;

/** The number in a migration's name: `005` of `005_add_due_dates.sql`; undefined when it is no migration's name. */
export function versionOf(name: string): string | undefined {
  return namePattern.exec(name)?.[1];
}

/**
 * Every migration of a directory, by number. README.md and hidden files are none; any other file is refused, so that
 * none is left out unseen.
 * @throws Problem that lists all that is wrong with names, directives and statements.
 */
export async function readMigrations(directory: string): Promise<readonly MigrationFile[]> {
  const names = (await list(directory)).filter((name) => !name.startsWith(".") && name !== "README.md").sort();
  const read = await Promise.all(names.map(async (name) => parse(name, await readFile(join(directory, name)))));
  const problems = [...read.flatMap(({ problems }) => problems), ...sharedNumbers(names)];
  if (problems.length > 0) throw listed(problems, `in the migrations of ${directory}`);
  return read.flatMap(({ file }) => file ?? []);
}

async function list(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    throw new Problem(`cannot read the directory of migrations ${directory}`, { cause: error });
  }
}

interface Parsed {
  readonly file?: MigrationFile;
  readonly problems: readonly string[];
}

/** One file from its name and bytes. */
function parse(name: string, bytes: Buffer): Parsed {
  const version = versionOf(name);
  if (version === undefined) return { problems: [`${name}: not a migration's name; allowed: ${nameRule}`] };
  const text = textOf(bytes);
  if (text === undefined) return { problems: [`${name}: not UTF-8 without a byte order mark; save it as that`] };
  const sql = text.replaceAll("\r\n", "\n");
  const { phase, transaction, problems } = readDirectives(sql);
  const refused = [...problems, ...refusedStatements(sql, transaction)];
  if (refused.length > 0) return { problems: refused.map((each) => `${name}: ${each}`) };
  const checksum = createHash("sha256").update(sql).digest("hex");
  return { file: { name, version, phase, transaction, checksum, sql }, problems: [] };
}

function textOf(bytes: Buffer): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    // A byte order mark would hide a directive in the first line.
    return text.startsWith("\uFEFF") ? undefined : text;
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** The directives of the comment lines at the top. What looks like one and is none is a problem, wherever it stands. */
function readDirectives(sql: string) {
  const lines = sql.split("\n");
  const top = lines.findIndex((line) => !/^\s*(?:--|$)/.test(line));
  const phases = new Set<Phase>();
  const problems: string[] = [];
  let transaction = true;
  for (const [index, line] of lines.entries()) {
    const said = /^\s*--\s*golive\b(?=\s*(?:[:=]|phase|no-))(.*)$/i.exec(line)?.[1];
    if (said === undefined) continue;
    const directive = /^:\s+(?:phase (expand|contract)|(no-transaction))\s*$/.exec(said);
    if (top !== -1 && index > top)
      problems.push(`line ${index + 1}: a directive below the first statement; move it to the top of the file`);
    else if (!directive) problems.push(`line ${index + 1}: got "${line.trim()}"; allowed: ${directiveRule}`);
    else if (directive[2] === undefined) phases.add(directive[1] as Phase);
    else transaction = false;
  }
  if (phases.size > 1) problems.push("both phases; allowed: one, expand when none is given");
  const [phase = "expand"] = phases;
  return { phase, transaction, problems };
}

function sharedNumbers(names: readonly string[]): readonly string[] {
  const byNumber = Map.groupBy(names, versionOf);
  return [...byNumber].flatMap(([version, files]) =>
    version !== undefined && files.length > 1
      ? [`${files.join(" and ")}: share the number ${version}; give each file one of its own`]
      : [],
  );
}
