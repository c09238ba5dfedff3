import process from "node:process";
import { places } from "../../local/places.ts";
import { originOf } from "../../rollout/ledger/origin.ts";
import type { RecordDraft } from "../../rollout/ledger/record.ts";
import { appendRecord } from "../../rollout/ledger/store.ts";
import {
  type Item,
  itemIds,
  type PreflightReport,
  preflight,
  signatureReason,
} from "../../rollout/preflight/preflight.ts";
import { nearest } from "../../settings/nearest.ts";
import { type Command, parseOptions } from "../command.ts";
import { Failure } from "../failure.ts";
import type { Session } from "../session.ts";
import { table } from "../table.ts";
import { changeableStack } from "../workspace.ts";
import { readersOf, subjectOf } from "./preflight-readers.ts";
import { openStack, type RolloutStack } from "./stack.ts";

/** What one `golive rollout preflight` is to do. */
export interface PreflightPlan {
  readonly stack: string;
  readonly json: boolean;
  /** Undefined: fill the checklist and show it. */
  readonly sign: { readonly who: string; readonly why: string; readonly items: readonly string[] } | undefined;
}

const name = "rollout preflight";

export const preflightCommand: Command = {
  help: `
golive rollout preflight: the checklist before a release, filled by what can be measured now.

Usage: golive rollout preflight [--stack STACK] [--json]
       golive rollout preflight [--stack STACK] --sign NAME --reason WHY ITEM...

Exit code 1 while an item is missing; golive rollout start refuses until none is. It runs Jobs that read the database,
golive policy check, and the smoke tests against the candidate.

  --stack STACK   default: ${changeableStack}
  --json          the result as one line of JSON
  --sign NAME     a person answers for these items: kept in the ledger, for the releases that both colours have now, and
                  only where nobody can measure
  --reason WHY    what the person relies on

Items: ${itemIds.join(", ")}

Examples:
  golive rollout preflight --stack production
  golive rollout preflight --stack production --sign "Ada Lovelace" --reason "audit of 2026-11-20: nothing open" security-audit
`,
  async run(args, session) {
    const plan = preflightPlan(args);
    const stack = await openStack(plan.stack, session.progress);
    if (plan.sign !== undefined) {
      const drafts = await draftsOf(plan.sign, stack);
      for (const draft of drafts) await appendRecord(stack.cluster.api, stack.place, draft);
      process.stdout.write(`${signedText(plan.sign, drafts)}\n`);
      return 0;
    }
    const report = await preflightOf(stack, session);
    process.stdout.write(`${plan.json ? JSON.stringify(report) : preflightText(report)}\n`);
    return report.passed ? 0 : 1;
  },
};

/** The checklist of a stack as it stands now. */
export async function preflightOf(stack: RolloutStack, session: Session): Promise<PreflightReport> {
  const { settings, desired } = await stack.look();
  return await preflight(subjectOf(settings, desired), readersOf(stack, settings, session));
}

/** What a command line asks for. @throws Failure that says what is allowed. */
export function preflightPlan(args: readonly string[]): PreflightPlan {
  const { values, positionals } = parseOptions(name, args, {
    stack: { type: "string", default: changeableStack },
    json: { type: "boolean", default: false },
    sign: { type: "string" },
    reason: { type: "string" },
  });
  const refuse = (problem: string) => new Failure(`golive ${name}: ${problem}. See: golive ${name} --help`, 2);
  const { stack, json } = values;
  if (values.sign === undefined) {
    if (values.reason !== undefined) throw refuse("got --reason without --sign NAME: who says so?");
    if (positionals.length > 0) throw refuse(`got "${positionals.join(" ")}"; items are for --sign NAME --reason WHY`);
    return { stack, json, sign: undefined };
  }
  const [who, why] = [values.sign.trim(), (values.reason ?? "").trim()];
  if (who === "") throw refuse("--sign: got no name");
  if (why === "") throw refuse("--sign needs --reason WHY: what does that person rely on?");
  if (json) throw refuse("--json shows the checklist; --sign does not");
  if (positionals.length === 0) throw refuse(`--sign: got no item; allowed: ${itemIds.join(", ")}`);
  for (const item of positionals) {
    if (itemIds.includes(item)) continue;
    const meant = nearest(item, itemIds);
    throw refuse(
      `got item "${item}"; ${meant === undefined ? `allowed: ${itemIds.join(", ")}` : `did you mean ${meant}?`}`,
    );
  }
  return { stack, json, sign: { who, why, items: [...new Set(positionals)] } };
}

/** One record for each item that is signed. It names the releases that the stack's file gives both colours. */
async function draftsOf({ who, why, items }: NonNullable<PreflightPlan["sign"]>, stack: RolloutStack) {
  const [{ desired, assessment }, { commit }] = await Promise.all([stack.look(), originOf(places.root, process.env)]);
  const { releases, candidate } = desired;
  if (releases[candidate] === undefined) throw new Failure(`${candidate} has no release: there is nothing to sign for`);
  const weights = assessment.observed.route?.exposure ?? { blue: 0, green: 0 };
  return items.map(
    (item): RecordDraft => ({
      kind: "preflight",
      application: stack.place.application,
      stack: stack.name,
      candidate,
      from: weights,
      to: weights,
      releases,
      who,
      commit,
      reason: signatureReason(item, why),
    }),
  );
}

function signedText({ who, items }: NonNullable<PreflightPlan["sign"]>, [first]: readonly RecordDraft[]): string {
  const named = Object.entries(first?.releases ?? {}).flatMap(([colour, id]) =>
    id === undefined ? [] : [`${colour} ${id}`],
  );
  return `${who} answers for ${items.join(", ")}, for ${named.join(" and ")}, where nobody can measure. It is in the ledger.`;
}

/** The checklist as a table, what is missing with what to do, and the sum. */
export function preflightText({ items, releases, candidate, passed, stack }: PreflightReport): string {
  const shown = (state: Item["state"]) => (state === "missing" ? "MISSING" : state);
  const rows = items.map(({ state, id, evidence }) => [shown(state), id, evidence]);
  const missing = items.filter(({ state }) => state === "missing");
  const details = missing.map(
    ({ id, says, requirements, next }) => `${id}: ${says} (${requirements.join(", ")})\n  next: ${next}`,
  );
  const sum = passed ? "passed" : `${missing.length} of ${items.length} items missing`;
  const release = releases[candidate] ?? "no release";
  return [
    table(["state", "item", "evidence"], rows, 3),
    ...details,
    `preflight of ${candidate} ${release} on stack ${stack}: ${sum}`,
  ].join("\n\n");
}
