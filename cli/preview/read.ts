import { stripVTControlCharacters } from "node:util";
import type { EngineEvent } from "@pulumi/pulumi/automation/index.js";
import { changesOf } from "./changes.ts";
import type { PolicyFinding, Preview, Verdict } from "./model.ts";
import { planOf } from "./plan.ts";
import { type LevelOf, policiesOf } from "./policies.ts";
import { type Said, saidIn } from "./said.ts";
import { masked } from "./shown.ts";

/** One run of the engine's preview. */
export interface PreviewedRun {
  readonly stack: string;
  readonly events: readonly EngineEvent[];
  readonly exitCode: number;
  /** What the engine printed: all there is when it did not come as far as events. */
  readonly printed: string;
  /** Whether a policy pack was to judge it. Default: false. */
  readonly toBeJudged?: boolean;
}

/** What only somebody outside the events can say. */
export interface Asked {
  readonly levelOf: LevelOf;
  /** `YYYY-MM-DD`. */
  readonly today: string;
  /** Whether what a mandatory rule could not decide refuses the run. */
  readonly strict: boolean;
}

/** What a reviewer must know of a run, out of the engine's events. Pure. */
export function readPreview(run: PreviewedRun, { levelOf, today, strict }: Asked): Preview {
  const said = saidIn(run.events);
  const changes = changesOf(run.events);
  const policies = policiesOf(run.events, levelOf, today);
  const broken = policies?.violations.filter(({ level }) => level === "mandatory") ?? [];
  const open = strict ? (policies?.undecidable.filter(({ level }) => level === "mandatory") ?? []) : [];
  const refusals = [
    ...(said.refusal === undefined ? [] : [said.refusal.reason]),
    ...said.held,
    ...said.errors.filter((text) => isProtected(text)),
    ...(broken.length === 0
      ? []
      : [`${counted(broken.length, "violation")} of mandatory policies: ${ruleNames(broken)}`]),
    ...(open.length === 0
      ? []
      : [`mandatory policies could not be decided ${counted(open.length, "time")}: ${ruleNames(open)}`]),
    ...changes.flatMap(({ objection }) => objection ?? []),
  ];
  const isUnjudged = run.toBeJudged === true && run.exitCode === 0 && policies === undefined;
  const failures = [
    ...failuresOf(run, said, refusals.length > 0),
    // Nothing said against a run by nobody is no judgement.
    ...(isUnjudged ? ["the policy pack did not judge this run: the engine does not name it among those that did"] : []),
  ];
  const { traffic, migrations, warnings, refusal } = said;
  return {
    stack: run.stack,
    verdict: verdictOf(refusals, failures),
    objections: [...failures, ...refusals],
    ...{ refusal, traffic, migrations, warnings, changes, policies },
    plan: refusal !== undefined || failures.length > 0 ? undefined : planOf(run.events, said),
  };
}

const ruleNames = (findings: readonly PolicyFinding[]) => [...new Set(findings.map(({ rule }) => rule))].join(", ");

// What could not be evaluated says nothing of what was: a run may be refused for more than was found.
const verdictOf = (refusals: readonly string[], failures: readonly string[]): Verdict =>
  failures.length > 0 ? "unknown" : refusals.length > 0 ? "refused" : "clear";

const isProtected = (error: string) => /marked for protection|is protected/.test(error);

/** What kept the run from being evaluated. An engine that failed for a reason that it did not say has failed all the same. */
function failuresOf({ exitCode, printed }: PreviewedRun, { errors }: Said, refused: boolean): readonly string[] {
  const failures = errors.filter((text) => !isProtected(text));
  if (failures.length > 0 || exitCode === 0 || refused) return failures;
  const last = masked(stripVTControlCharacters(printed)).trim().split("\n").slice(-20).join("\n");
  return [last === "" ? `the engine ended with exit code ${exitCode}` : last];
}

export const counted = (count: number, word: string): string => `${count} ${word}${count === 1 ? "" : "s"}`;
