import type pg from "pg";
import { connect } from "../connection.ts";
import { explaining } from "../database-error.ts";
import type { ProgramSettings } from "../settings.ts";
import { applyAlone } from "./alone.ts";
import { applyInTransaction, type Runner, resetSession } from "./apply.ts";
import { beginOperation, endOperation, makeBookkeeping, readLedger } from "./bookkeeping.ts";
import { type Budgets, defaultBudgets, duration } from "./budgets.ts";
import { type Figures, figures } from "./figures.ts";
import { type MigrationFile, readMigrations, versionOf } from "./file.ts";
import { repairIndexes } from "./invalid-indexes.ts";
import { lockHolder, withRunnerLock } from "./lock.ts";
import { type MigrationPlan, planMigrations } from "./plan.ts";
import { listed } from "./problems.ts";

/** What a run did, small enough for a termination message (S0-22). */
export interface MigrationResult extends Figures {
  /** Milliseconds of each file that this run applied. */
  readonly applied: Readonly<Record<string, number>>;
  /** Contract files that wait for config. */
  readonly held: readonly string[];
  /** What a run would apply: of a dry run only. */
  readonly pending?: readonly string[];
  /** The backup that was made before, by whoever made it. */
  readonly backup?: { readonly file: string; readonly bytes: number };
  readonly durationMs: number;
}

export interface MigrateArguments {
  /** Says what would be applied; writes nothing and takes no lock. */
  readonly dryRun?: boolean;
  /** Default: `defaultBudgets`. */
  readonly budgets?: Partial<Budgets>;
}

type Log = (line: string) => void;

/**
 * Brings the application's database to the newest version that its files and config ask for. A second run changes nothing.
 * @throws Problem that names the file, table or host; the database is then as it was before the file that failed.
 */
export async function migrate(
  settings: ProgramSettings,
  log: Log,
  { dryRun = false, budgets: given = {} }: MigrateArguments = {},
): Promise<MigrationResult> {
  const started = performance.now();
  const files = await readMigrations(settings.migrations);
  const budgets = { ...defaultBudgets, ...given };
  const outcome = await explaining(`the migrations of database ${settings.database}`, () =>
    connected(settings, "golive migrate", (client) => {
      if (dryRun) return rehearse(client, settings, files, log);
      return connected(settings, "golive migrate (looks on)", async (observer) => {
        const runner: Runner = { client, observer, pid: await backendPid(client), budgets, log };
        return await withRunnerLock(client, budgets, log, () => run(runner, settings, files));
      });
    }),
  );
  return { ...outcome, durationMs: Math.round(performance.now() - started) };
}

async function connected<T>(
  settings: ProgramSettings,
  name: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = await connect(settings, { login: settings.logins.migrator, name });
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function backendPid(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
  return rows[0]?.pid ?? 0;
}

type Outcome = Omit<MigrationResult, "durationMs">;

/** The plan in a transaction that PostgreSQL itself keeps from writing. */
async function rehearse(
  client: pg.Client,
  settings: ProgramSettings,
  files: readonly MigrationFile[],
  log: Log,
): Promise<Outcome> {
  await client.query("begin transaction read only");
  const ledger = (await readLedger(client)) ?? [];
  const { pending, held } = allowedPlan(planMigrations(files, ledger, settings.contract), settings);
  const found = await figures(client, newest(ledger));
  const holder = await lockHolder(client);
  await client.query("commit");
  if (holder !== undefined) log(`a run of the migrations goes on now: ${holder}`);
  for (const { name, phase } of pending) log(`would apply ${name} (${phase})`);
  sayHeld(held, log);
  if (pending.length === 0) log(upToDate(found.version));
  return { ...found, applied: {}, held: held.map(({ name }) => name), pending: pending.map(({ name }) => name) };
}

async function run(runner: Runner, settings: ProgramSettings, files: readonly MigrationFile[]): Promise<Outcome> {
  const { client, budgets, log } = runner;
  const ledger = await readLedger(client);
  const { pending, held } = allowedPlan(planMigrations(files, ledger ?? [], settings.contract), settings);
  if (ledger === undefined) await makeBookkeeping(client, settings);
  sayHeld(held, log);
  const applied = pending.length > 0 ? await recorded(runner, pending) : {};
  await resetSession(client);
  for (const done of await repairIndexes(client, budgets.aloneMs)) log(done);
  const found = await figures(client, newest([...(ledger ?? []), ...pending]));
  if (pending.length === 0) log(upToDate(found.version));
  return { ...found, applied, held: held.map(({ name }) => name) };
}

function allowedPlan(plan: MigrationPlan, settings: ProgramSettings): MigrationPlan {
  if (plan.problems.length === 0) return plan;
  throw listed(plan.problems, `with the migrations of database ${settings.database}; nothing was changed`);
}

/** Applies the files in order, and keeps a record of the run: it says failed, and where, when one fails. */
async function recorded(runner: Runner, pending: readonly MigrationFile[]): Promise<Readonly<Record<string, number>>> {
  const { client, log } = runner;
  const id = await beginOperation(client);
  const applied: Record<string, number> = {};
  try {
    for (const file of pending) {
      log(`applies ${file.name} (${file.phase})`);
      const ms = await (file.transaction ? applyInTransaction : applyAlone)(runner, file);
      applied[file.name] = Math.round(ms);
      log(`applied ${file.name} in ${duration(ms)}`);
    }
  } catch (error) {
    await resetSession(client)
      .then(() => endOperation(client, id, false, { applied, problem: messageOf(error) }))
      .catch((lost: unknown) => log(`the failure could not be recorded: ${messageOf(lost)}`));
    throw error;
  }
  await resetSession(client);
  await endOperation(client, id, true, { applied });
  return applied;
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** The newest version of these files; versions sort as text. */
function newest(applied: readonly { readonly name: string }[]): string {
  return applied.reduce((most, { name }) => ((versionOf(name) ?? "") > most ? (versionOf(name) ?? "") : most), "");
}

function sayHeld(held: readonly MigrationFile[], log: Log): void {
  for (const { name } of held) log(`held: ${name} (contract) waits until golive:contract names it or a later one`);
}

const upToDate = (version: string) =>
  version === "" ? "there is nothing to apply" : `up to date at version ${version}`;
