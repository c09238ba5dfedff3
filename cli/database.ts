import process from "node:process";
import type { KubeConfig } from "@kubernetes/client-node";
import type { Command } from "./command.ts";
import { toolCluster } from "./database/cluster.ts";
import { confirmReplacement } from "./database/confirm.ts";
import { type Plan, planOf } from "./database/plan.ts";
import { resultText } from "./database/result-text.ts";
import { type Finished, runTask } from "./database/run.ts";
import { clusterOf, type DatabaseStack, readStack } from "./database/stack.ts";
import { Failure } from "./failure.ts";
import type { Session } from "./session.ts";

export const database: Command = {
  help: `
golive database: what the database of a stack holds, and its backups, by a Job in the cluster, next to the data.

Usage: golive database WORD [--stack STACK] [--json] [--timeout MINUTES]

  status                version, pending migrations, indexes, policies, gaps of row level security, last backup, last drill
  verify                the checks of the schema and of row level security; exit code 1 when one does not hold
  migrate --dry-run     what the next pulumi up would apply; changes nothing
  backup                take a backup now, and verify it
  restore [NAME]        replace the database by a backup, the newest one unless one is named; asks before (--yes: does not)
  restore --list        the backups there are
  drill                 restore the newest backup to a scratch server and compare, as the CronJob does
  seed                  the rows of the staging plan, and 50 users, 20 teams, 100 tasks; never in production
      --from-dump NAME  instead, in place of what is there: the rows of a backup, with names, addresses and texts masked,
                        and without passwords; asks before (--yes: does not)
      --tasks N         with N tasks in all, for measurements

  --stack STACK         default: local
  --json                the result as one line of JSON
  --timeout MINUTES     when the cluster ends it; default: 60

Examples:
  golive database status
  golive database verify --stack staging --json
  golive database restore --list --stack production
`,
  async run(args, session) {
    const plan = planOf(args);
    const stack = await readStack(plan.stack);
    refuseSeed(plan, stack);
    return await runPlan(plan, stack, await clusterOf(stack, session.progress), session);
  },
};

/**
 * Does what the command line says, on the cluster of this kubeconfig. Gives the exit code. `tell`: who gets its result; default:
 * standard output.
 */
export async function runPlan(
  plan: Plan,
  stack: DatabaseStack,
  config: KubeConfig,
  session: Session,
  tell: (text: string) => void = (text) => void process.stdout.write(text),
): Promise<number> {
  const { word, args, seconds, replacement } = plan;
  const { namespace } = stack;
  if (replacement !== undefined && !plan.yes) await confirmReplacement(plan, replacement);
  let recorded: boolean | undefined;
  const settle = async ({ exitCode, result }: Finished) => {
    if (exitCode !== 0 || word !== "restore" || replacement === undefined) return;
    const { recordRestore, restoredOf } = await import("./database/record.ts");
    recorded = await recordRestore(config, stack, restoredOf(result));
  };
  const finished = await session.progress.stage(`${word} of the database of stack ${stack.name}`, async (progress) => {
    const task = { command: word, args, seconds };
    const ended = await runTask(toolCluster(config, namespace), task, { namespace, session, progress, settle });
    // What was found wanting is a result; a command that could not tell one has failed.
    if (ended.exitCode !== 0 && ended.result === undefined) throw failed(plan, ended);
    return ended;
  });
  tell(printed(plan, finished));
  const done = finished.exitCode === 0;
  if (recorded !== undefined) process.stderr.write(`\n${afterRestore(stack.name, recorded)}\n`);
  if (!done && finished.message !== "") process.stderr.write(`${finished.message}\n`);
  // Of a check that does not hold the result says so; an older program may have ended well all the same.
  return done && finished.result?.ok !== false ? 0 : 1;
}

/** Sample rows among real ones cannot be told apart again; the program refuses it, too. */
function refuseSeed({ word }: Plan, { name, environment }: DatabaseStack): void {
  if (word !== "seed" || environment !== "production") return;
  throw new Failure(
    `golive database seed: stack ${name} is a production environment; seeding is for local and staging`,
    2,
  );
}

function failed({ word }: Plan, { exitCode, message }: Finished): Failure {
  const what = message === "" ? `the program ended with exit code ${exitCode} and said nothing` : message;
  return new Failure(`golive database ${word}: ${what}`);
}

const printed = ({ json }: Plan, { result = {} }: Finished): string =>
  `${json ? JSON.stringify(result) : resultText(result)}\n`;

/** What to do after a restore, as it differs with whether a `pulumi up` has recorded the schema. */
export function afterRestore(stack: string, recorded: boolean): string {
  const up = `golive pulumi up --stack ${stack}`;
  return recorded
    ? `The record of the schema is the restored database's. Next: ${up}, which applies the migrations that the backup lacks; then golive database verify --stack ${stack}`
    : `There is no record of the schema yet. Next: ${up}, which applies what is missing and records it`;
}
