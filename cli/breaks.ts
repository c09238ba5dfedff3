import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { places } from "../local/places.ts";
import type { Break } from "../tests/breaks/break.ts";
import { broken, choose, levelOf, problemOf } from "./breaks/break.ts";
import { type NamedReport, namePattern, type Outcome, outcomeOf, type Verdict, verdictOf } from "./breaks/verdict.ts";
import { type CheckoutCopy, copyCheckout } from "./checkout-copy.ts";
import { runChild } from "./child.ts";
import { Failure } from "./failure.ts";
import type { Session } from "./session.ts";
import { table } from "./table.ts";

/** A break with what became of it, and the seconds that this took. */
export interface Judged {
  readonly break: Break;
  readonly verdict: Verdict;
  readonly seconds: number;
}

/** Every committed break that `pattern` chooses, and each that cannot be applied as a Failure that lists them all. */
export async function chosenBreaks(pattern: string | undefined): Promise<readonly Break[]> {
  const { allBreaks } = await import("../tests/breaks/breaks.ts");
  const all = await allBreaks();
  const chosen = choose(all, pattern);
  if (chosen.length === 0) {
    const which = pattern === undefined ? "tests/breaks holds no break" : `no break has "${pattern}" in it`;
    throw new Failure(
      `golive test --breaks: ${which}; there are ${all.length}. A word of its promise, file or test chooses one`,
      2,
    );
  }
  const problems = await Promise.all(chosen.map((each) => problemOf(each, places.root)));
  const found = problems.filter((problem) => problem !== undefined);
  if (found.length === 0) return chosen;
  throw new Failure(`golive test --breaks: ${found.length} breaks cannot be applied:\n  ${found.join("\n  ")}`, 2);
}

/** What the tests of these breaks need of the machine. */
export interface Needs {
  readonly cluster: boolean;
  /** The namespace of stack `local`, which they make and destroy. */
  readonly stack: boolean;
}

export async function needsOf(breaks: readonly Break[]): Promise<Needs> {
  const live = [...new Set(breaks.map(({ test }) => test))].filter((test) => levelOf(test) === "live");
  const texts = await Promise.all(live.map((test) => readFile(join(places.root, test), "utf8")));
  return { cluster: live.length > 0, stack: texts.some((text) => /support\/(stack|live-[a-z]+)\.ts"/.test(text)) };
}

/**
 * Applies each break to a copy of the checkout, one at a time, and runs the test that guards it. Each file's tests are first
 * run without a break: one that is red anyway notices nothing.
 */
export async function judgeBreaks(breaks: readonly Break[], session: Session): Promise<readonly Judged[]> {
  const copy = await copyCheckout();
  const forget = session.atEnd("remove the copy of the checkout", () => copy.remove());
  const judged: Judged[] = [];
  for (const [test, group] of Map.groupBy(breaks, (each) => each.test)) {
    const whole = await session.progress.stage(`${test} without a break`, () => runTests(copy, test, group, session));
    for (const each of group) {
      const title = `${each.file}: ${each.promise}`;
      const one = await session.progress.stage(title, () => judge(each, outcomeOf(whole, each), copy, session));
      if (one.verdict.kind !== "noticed") session.progress.note(words[one.verdict.kind]);
      judged.push(one);
    }
  }
  await copy.remove();
  forget();
  return judged;
}

async function judge(each: Break, without: Outcome, copy: CheckoutCopy, session: Session): Promise<Judged> {
  const started = performance.now();
  const since = () => (performance.now() - started) / 1000;
  if (without.kind !== "green") return { break: each, verdict: verdictOf(without, without), seconds: since() };
  const file = join(copy.root, each.file);
  const original = await readFile(file, "utf8");
  await writeFile(file, broken(original, each));
  try {
    const within = outcomeOf(await runTests(copy, each.test, [each], session), each);
    return { break: each, verdict: verdictOf(without, within), seconds: since() };
  } finally {
    await writeFile(file, original);
  }
}

/** Runs the tests that guard these breaks, all of one file, in the copy. */
async function runTests(
  copy: CheckoutCopy,
  test: string,
  breaks: readonly Break[],
  session: Session,
): Promise<NamedReport> {
  if (session.endedBy !== undefined) throw new Failure(`stopped by ${session.endedBy}`);
  const reportFile = join(copy.reports, "report.json");
  await rm(reportFile, { force: true });
  const args = [
    "node_modules/vitest/vitest.mjs",
    "run",
    `--project=${levelOf(test)}`,
    "--reporter=json",
    `--outputFile.json=${reportFile}`,
    `--testNamePattern=${namePattern(breaks.map(({ name }) => name))}`,
    test,
  ];
  const result = await runChild(process.execPath, args, { cwd: copy.root, env: process.env, capture: true, session });
  const text = await readFile(reportFile, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text !== undefined) return JSON.parse(text) as NamedReport;
  const said = `${result.stdout}${result.stderr}`.trim().split("\n").slice(-15).join("\n");
  throw new Failure(`vitest wrote no report of ${test} (exit code ${result.exitCode}):\n${said}`);
}

const words: Readonly<Record<Verdict["kind"], string>> = { noticed: "red", survived: "SURVIVED", unclear: "UNCLEAR" };

/** What is printed at the end: a row for each break, what is wrong with those that were not noticed, the sum. */
export function breaksText(judged: readonly Judged[], minutes: number): string {
  const rows = judged.map(({ break: each, verdict, seconds }) => [
    words[verdict.kind],
    each.check === undefined ? "" : String(each.check),
    each.promise,
    each.file,
    `${seconds.toFixed(1)} s`,
  ]);
  const notes = judged.flatMap(({ break: each, verdict }) => {
    if (verdict.kind === "noticed") return [];
    const what =
      verdict.kind === "unclear"
        ? verdict.reason
        : `"${each.name}" in ${each.test} is green although ${each.file} is broken`;
    return [`${words[verdict.kind]}: ${each.promise}: ${what}`];
  });
  const noticed = judged.length - notes.length;
  return [
    table(["break", "check", "promise", "file", "time"], rows, 4),
    "",
    ...(notes.length > 0 ? [...notes, ""] : []),
    `${noticed} of ${judged.length} breaks noticed, in ${minutes.toFixed(1)} min`,
  ].join("\n");
}
