import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { setPriority } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { places } from "../local/places.ts";
import { nearest } from "../settings/nearest.ts";
import { borrowCluster } from "./borrowed-cluster.ts";
import { checkAll } from "./check.ts";
import { runChild } from "./child.ts";
import { type Command, parseOptions } from "./command.ts";
import { Failure } from "./failure.ts";
import { type Lane, lanesOf } from "./live-lanes.ts";
import type { Session } from "./session.ts";
import { keepTestReport } from "./test-report.ts";
import { add, noTests, summary, type Tally, tallyOf } from "./test-tally.ts";
import { changeableStack } from "./workspace.ts";

const levels = ["unit", "component", "policy", "live"] as const;
type Level = (typeof levels)[number];

export const test: Command = {
  help: `
golive test: the checks and all tests, or the levels that are named.

Usage: golive test [unit] [component] [policy] [live] [--keep] [-- arguments of vitest]
       golive test --breaks [WORD] [--keep]

  unit        pure functions; no cluster
  component   the program under Pulumi's mocks; no cluster
  policy      the policy pack against Kubernetes' own cases and other tools; no cluster
  live        the real engine on the real cluster, which is started, and stopped if it did not run before
  --keep      leave a cluster that was started running
  --breaks    turn the tests on themselves: apply each committed break of the product (tests/breaks/) to a copy of the checkout,
              and expect the test that guards it to be red. WORD chooses breaks by promise, file, test or number of the check

Without a level: golive check, then every level, with the coverage thresholds of vitest.config.ts. A test that is skipped
fails the run. Minutes per stage come at the end; the last line is "N passed, N failed".

Examples:
  golive test
  golive test unit
  golive test unit -- -t "skips a rung"
  golive test live --keep -- tests/live/steps.test.ts
  golive test --breaks "row level"
`,
  async run(args, session) {
    const split = args.indexOf("--");
    const own = split < 0 ? args : args.slice(0, split);
    const vitestArgs = split < 0 ? [] : args.slice(split + 1);
    const { values, positionals } = parseOptions("test", own, {
      keep: { type: "boolean", default: false },
      breaks: { type: "boolean", default: false },
    });
    if (values.breaks) return await runBreaks(breaksWord(positionals, vitestArgs), values.keep, session);
    const plan = planOf(positionals.map(levelOf), vitestArgs);
    return await runPlan(plan, values.keep, session);
  },
};

/** The one word that chooses breaks; undefined: all of them. */
function breaksWord(positionals: readonly string[], vitestArgs: readonly string[]): string | undefined {
  const [word, ...more] = positionals;
  if (more.length === 0 && vitestArgs.length === 0) return word;
  const got = [...more, ...vitestArgs].join(" ");
  throw new Failure(`golive test --breaks: got "${got}"; one word is allowed. See: golive test --help`, 2);
}

async function runBreaks(word: string | undefined, keep: boolean, session: Session): Promise<number> {
  const { breaksText, chosenBreaks, judgeBreaks, needsOf } = await import("./breaks.ts");
  const breaks = await chosenBreaks(word);
  const started = performance.now();
  const needs = await needsOf(breaks);
  if (needs.cluster) {
    await borrowCluster(session, keep);
    await removeNamespacesAtEnd(session);
  }
  if (needs.stack) await refuseOccupied();
  const judged = await judgeBreaks(breaks, session);
  process.stdout.write(`\n${breaksText(judged, (performance.now() - started) / 60_000)}\n`);
  return judged.every(({ verdict }) => verdict.kind === "noticed") ? 0 : 1;
}

function levelOf(word: string): Level {
  const level = levels.find((name) => name === word);
  if (level !== undefined) return level;
  const meant = nearest(word, levels);
  const hint = meant === undefined ? `allowed: ${levels.join(", ")}` : `did you mean ${meant}?`;
  throw new Failure(`golive test: unknown level "${word}"; ${hint}. A file goes after --: golive test unit -- FILE`, 2);
}

/** What one `golive test` runs. */
export interface Plan {
  readonly check: boolean;
  /** Levels that need no cluster, in one Vitest run, so that their coverage is one. */
  readonly quick: readonly Level[];
  readonly live: boolean;
  /** Thresholds say something of whole levels only. */
  readonly coverage: boolean;
  readonly vitestArgs: readonly string[];
}

export function planOf(named: readonly Level[], vitestArgs: readonly string[]): Plan {
  const chosen = levels.filter((level) => named.length === 0 || named.includes(level));
  const quick = chosen.filter((level) => level !== "live");
  return {
    check: named.length === 0,
    quick,
    live: chosen.includes("live"),
    coverage: quick.length === 3 && vitestArgs.length === 0,
    vitestArgs,
  };
}

interface Stage {
  readonly title: string;
  /** A stage that runs no tests is told as ok or failed. */
  readonly hasTests: boolean;
  run(session: Session): Promise<Tally>;
}

function stagesOf(plan: Plan, keep: boolean): readonly Stage[] {
  const check: Stage = { title: "check", hasTests: false, run: checkStage };
  const quick: Stage = {
    title: plan.quick.join(" and "),
    hasTests: true,
    run: (session) => vitest(plan.quick, plan, session),
  };
  const cluster: Stage = {
    title: "cluster",
    hasTests: false,
    async run(session) {
      await borrowCluster(session, keep);
      await refuseOccupied();
      return noTests;
    },
  };
  const live: Stage = {
    title: "live",
    hasTests: true,
    async run(session) {
      await removeNamespacesAtEnd(session);
      return plan.vitestArgs.length > 0 ? await vitest(["live"], plan, session) : await runLanes(plan, session);
    },
  };
  return [
    ...(plan.check ? [check] : []),
    ...(plan.quick.length > 0 ? [quick] : []),
    ...(plan.live ? [cluster, live] : []),
  ];
}

// Live tests make and destroy the namespace of this stack, which has the stack's name.
const liveNamespace = changeableStack;

/** A stack that somebody left running is not for tests to take down, and they could not go beside it. */
async function refuseOccupied(): Promise<void> {
  const { CoreV1Api, KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  config.loadFromFile(places.kubeconfig);
  const { items } = await config.makeApiClient(CoreV1Api).listNamespace();
  if (!items.some(({ metadata }) => metadata?.name === liveNamespace)) return;
  throw new Failure(
    `the namespace ${liveNamespace} is there already, of golive demo --keep or of a run that was cut off; live tests make it themselves. ` +
      `Remove it: golive pulumi destroy --yes --stack ${changeableStack} (or golive local down, which throws the whole cluster away)`,
    2,
  );
}

/** Tests that are stopped on the way leave the namespaces that they made. */
async function removeNamespacesAtEnd(session: Session): Promise<void> {
  const { removeNamespaces, runVariable } = await import("../local/postgres/scratch-namespaces.ts");
  const run = randomUUID();
  process.env[runVariable] = run;
  session.atEnd("remove the namespaces of the tests", () => removeNamespaces(run));
}

const oneFailure: Tally = { ...noTests, failed: 1 };

async function checkStage(session: Session): Promise<Tally> {
  return (await checkAll(session, false)) ? noTests : oneFailure;
}

/** Runs every stage, also after one failed, but not on a cluster that did not come up. */
async function runPlan(plan: Plan, keep: boolean, session: Session): Promise<number> {
  let tally = noTests;
  const lines: string[] = [];
  for (const stage of stagesOf(plan, keep)) {
    const started = performance.now();
    const result = await resultOf(stage, session);
    tally = add(tally, result);
    const minutes = ((performance.now() - started) / 60_000).toFixed(1).padStart(5);
    const outcome = stage.hasTests ? summary(result) : result.failed > 0 ? "failed" : "ok";
    lines.push(`  ${stage.title.padEnd(20)} ${minutes} min   ${outcome}`);
    if (stage.title === "cluster" && result.failed > 0) break;
  }
  // Putting back comes first, so that the summary is the last thing said.
  const errors = await session.end();
  for (const error of errors) process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  tally = add(tally, { ...noTests, failed: errors.length });

  const lacking = lackingIn(tally, plan.vitestArgs);
  if (plan.check && plan.vitestArgs.length === 0) await keepTestReport(tally);
  if (lacking.length > 0) lines.push("", ...lacking);
  process.stdout.write(`\n${lines.join("\n")}\n\n${summary(tally)}\n`);
  return tally.failed > 0 || lacking.length > 0 ? 1 : 0;
}

/** Why a run without a failure fails all the same, in lines; none when it does not. */
export function lackingIn(tally: Tally, vitestArgs: readonly string[]): readonly string[] {
  const { passed, failed, skippedNames } = tally;
  if (passed + failed === 0) {
    const chosen = vitestArgs.length === 0 ? "" : `; nothing is chosen by: ${vitestArgs.join(" ")}`;
    return [`no test ran, which fails the run${chosen}`];
  }
  // A selection by the user's own arguments leaves tests out; a skip in a whole run is something this machine lacks.
  if (vitestArgs.length > 0 || skippedNames.length === 0) return [];
  return ["skipped, which fails the run:", ...skippedNames.map((name) => `  ${name}`)];
}

async function resultOf(stage: Stage, session: Session): Promise<Tally> {
  try {
    return await stage.run(session);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    process.stderr.write(`${stage.title}: ${error.message}\n`);
    return oneFailure;
  }
}

/** All live tests: two lanes at once on the one cluster, then what would disturb them. */
async function runLanes(plan: Plan, session: Session): Promise<Tally> {
  const { together, last } = lanesOf((await readdir(liveTests)).filter((name) => name.endsWith(".test.ts")));
  const tallies = await Promise.all(together.map((lane) => runLane(lane, plan, session)));
  // A run that was interrupted starts nothing more.
  if (session.endedBy !== undefined) return tallies.reduce(add);
  return [...tallies, await runLane(last, plan, session)].reduce(add);
}

const liveTests = join(places.root, "tests", "live");

async function runLane({ name, files }: Lane, plan: Plan, session: Session): Promise<Tally> {
  const vitestArgs = files.map((file) => join("tests", "live", file));
  return await vitest(["live"], { ...plan, vitestArgs }, session, name);
}

/** `lane` names the report of a part of a level, and what runs beside the stack gives way to it: there requests are counted. */
async function vitest(projects: readonly Level[], plan: Plan, session: Session, lane?: Lane["name"]): Promise<Tally> {
  const directory = join(places.golive, "test");
  const reportFile = join(directory, `${[...projects, ...(lane === undefined ? [] : [lane])].join("-")}.json`);
  await mkdir(directory, { recursive: true });
  await rm(reportFile, { force: true });
  const args = [
    "node_modules/vitest/vitest.mjs",
    "run",
    ...projects.map((project) => `--project=${project}`),
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${reportFile}`,
    ...(plan.coverage && !projects.includes("live") ? ["--coverage"] : []),
    ...plan.vitestArgs,
  ];
  const { exitCode } = await runChild(process.execPath, args, {
    cwd: places.root,
    env: process.env,
    capture: false,
    session,
    onStart: (pid) => {
      if (lane === "beside") setPriority(pid, 10);
    },
  });
  const tally = await reportTally(reportFile);
  // Vitest may be red with every test green: a coverage threshold, an unhandled error, no test found.
  return exitCode !== 0 && tally.failed === 0 ? { ...tally, failed: 1 } : tally;
}

async function reportTally(file: string): Promise<Tally> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  return text === undefined ? noTests : tallyOf(JSON.parse(text));
}
