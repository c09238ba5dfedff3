import process from "node:process";
import type { KubeApi } from "../../rollout/kube/api.ts";
import { kubeApi } from "../../rollout/kube/config-api.ts";
import { verifyChain } from "../../rollout/ledger/chain.ts";
import { type Deployment, deploymentsOf } from "../../rollout/ledger/deployment.ts";
import { deploymentFields, markdownOf, weightsText } from "../../rollout/ledger/markdown.ts";
import { headText, type LedgerPage, type LedgerPlace, parseHead } from "../../rollout/ledger/pages.ts";
import { recordsOf } from "../../rollout/ledger/read.ts";
import { canonicalJson, type LedgerRecord } from "../../rollout/ledger/record.ts";
import { headOf, readPages } from "../../rollout/ledger/store.ts";
import { type Command, parseOptions, refusePositionals } from "../command.ts";
import { clusterOf, readStack } from "../database/stack.ts";
import { Failure } from "../failure.ts";
import { table } from "../table.ts";

/** How the ledger is told. */
export interface RecordPlan {
  readonly stack: string;
  readonly form: "text" | "verify" | "markdown" | "json";
  /** Every deployment instead of the newest. */
  readonly all: boolean;
  /** What a stack's output, or a log, said of its newest record; undefined: nothing to compare with. */
  readonly head: string | undefined;
}

const name = "rollout record";

export const record: Command = {
  help: `
golive rollout record: what the ledger tells of the last deployment, and whether any record was changed.

Usage: golive rollout record [--stack STACK] [--verify | --markdown | --json] [--all] [--head TEXT]

  (nothing)       the deployment record (S4-89) and its steps, as text
  --verify        only whether every record is as it was written
  --markdown      the deployment record, its steps and all that was measured, to keep or to send
  --json          every record and deployment, as one line of JSON
  --all           every deployment, not the last one only
  --head TEXT     "NUMBER HASH" of a record, as an earlier --verify printed it: it must still be there

Exit code 1 when the chain is broken, whatever is printed.

  --stack STACK   default: local

Examples:
  golive rollout record --stack production --markdown > deployment.md
  golive rollout record --verify --head "12 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
`,
  async run(args, session) {
    const plan = recordPlan(args);
    const stack = await readStack(plan.stack);
    const config = await clusterOf(stack, session.progress);
    return tell(plan, kubeApi(config), { namespace: stack.namespace, application: stack.application });
  },
};

/** What a command line asks for. @throws Failure that says what is allowed. */
export function recordPlan(args: readonly string[]): RecordPlan {
  const { values, positionals } = parseOptions(name, args, {
    stack: { type: "string", default: "local" },
    verify: { type: "boolean", default: false },
    markdown: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    all: { type: "boolean", default: false },
    head: { type: "string" },
  });
  refusePositionals(name, positionals);
  const forms = (["verify", "markdown", "json"] as const).filter((form) => values[form]);
  if (forms.length > 1)
    throw new Failure(
      `golive ${name}: got ${forms.map((form) => `--${form}`).join(" and ")}; allowed: one of them. See: golive ${name} --help`,
      2,
    );
  if (values.head !== undefined && parseHead(values.head) === undefined)
    throw new Failure(
      `golive ${name}: --head: got ${JSON.stringify(values.head)}; allowed: a number and a SHA-256 sum, as --verify prints them`,
      2,
    );
  return { stack: values.stack, form: forms[0] ?? "text", all: values.all, head: values.head };
}

/** Prints what the ledger in this place tells. Gives the exit code. */
export async function tell(plan: RecordPlan, api: KubeApi, place: LedgerPlace): Promise<number> {
  const { pages } = await readPages(api, place).catch((error: unknown) => {
    throw new Failure(error instanceof Error ? error.message : String(error), 1, { cause: error });
  });
  if (pages.length === 0)
    throw new Failure(
      `there is no ledger in namespace ${place.namespace}: no golive pulumi up has written the route of ${place.application} yet, or somebody deleted ConfigMap ${place.application}-ledger`,
    );
  const noted = parseHead(plan.head);
  const problems = verifyChain(pages, noted ? [noted] : []);
  process.stdout.write(`${textOf(plan, pages, problems)}\n`);
  if (problems.length === 0) return 0;
  process.stderr.write(`The ledger is broken:\n${problems.map((problem) => `  ${problem}`).join("\n")}\n`);
  return 1;
}

function textOf({ form, all }: RecordPlan, pages: readonly LedgerPage[], problems: readonly string[]): string {
  const records = recordsOf(pages);
  const deployments = deploymentsOf(records);
  const told = all ? deployments : deployments.slice(-1);
  switch (form) {
    case "verify":
      return state(pages, problems);
    case "markdown":
      return markdownOf(told, problems);
    case "json":
      return jsonOf(records, deployments, pages, problems);
    case "text":
      return [
        ...told.map(deploymentText),
        // A ledger that tells of no deployment yet still tells something.
        ...(told.length === 0 ? [stepsText(records)] : []),
        state(pages, problems),
      ].join("\n\n");
  }
}

function state(pages: readonly LedgerPage[], problems: readonly string[]): string {
  const count = pages.reduce((total, { entries }) => total + entries.length, 0);
  const verdict =
    problems.length === 0
      ? "each as it was written"
      : `${problems.length} ${problems.length === 1 ? "problem" : "problems"} in the chain`;
  return `${count} ${count === 1 ? "record" : "records"}, ${verdict}; head ${headText(headOf(pages))}`;
}

/** The deployments refer to records by number: nothing stands twice. Numbers that JSON does not know are texts, as in the ledger. */
const jsonOf = (
  records: readonly LedgerRecord[],
  deployments: readonly Deployment[],
  pages: readonly LedgerPage[],
  problems: readonly string[],
) =>
  canonicalJson({
    head: headText(headOf(pages)),
    problems,
    deployments: deployments.map((each) => ({ ...each, records: each.records.map(({ number }) => number) })),
    records,
  });

const deploymentText = (deployment: Deployment) =>
  `${fieldsText(deploymentFields(deployment))}\n\n${stepsText(deployment.records)}`;

function fieldsText(fields: readonly (readonly [string, string])[]): string {
  const width = Math.max(...fields.map(([field]) => field.length));
  return fields
    .map(([field, value]) => `${field.padEnd(width)}  ${value.replaceAll("\n", `\n${" ".repeat(width + 2)}`)}`)
    .join("\n");
}

const stepsText = (records: readonly LedgerRecord[]) =>
  table(
    ["record", "time", "kind", "from", "to", "who", "reason"],
    records.map(({ number, at, kind, from, to, who, reason }) => [
      String(number),
      at,
      kind,
      weightsText(from),
      weightsText(to),
      who,
      reason.replace(/\s+/g, " "),
    ]),
    7,
  );
