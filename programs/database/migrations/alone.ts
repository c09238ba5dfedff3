import pg from "pg";
import { Problem } from "../problem.ts";
import { type Runner, resetSession, runStatements, StatementFailed } from "./apply.ts";
import { writeLedger } from "./bookkeeping.ts";
import { duration } from "./budgets.ts";
import type { MigrationFile } from "./file.ts";
import { dropInvalid } from "./invalid-indexes.ts";
import { requireLock } from "./lock.ts";
import { builtIndex } from "./permitted.ts";
import { type Blockers, watchingBlockers } from "./sessions.ts";

/**
 * Applies a file of one statement that may not run in a transaction. It may wait long: it hinders nobody, and a lock_timeout
 * would end a CREATE INDEX CONCURRENTLY that waits for old transactions, and leave an invalid index (research/database.md
 * 1.2, row 5). Killed before its row of the ledger is written, it runs again next time: only statements that can are allowed.
 * @returns its milliseconds.
 * @throws Problem that names file, line and what the server says; a half-built index is gone then.
 */
export async function applyAlone(runner: Runner, file: MigrationFile): Promise<number> {
  const { client, observer, pid, budgets, log } = runner;
  const index = builtIndex(file.sql);
  await resetSession(client);
  await requireLock(client);
  await client.query("set lock_timeout = 0");
  await client.query(`set statement_timeout = ${budgets.aloneMs}`);
  if (index !== undefined)
    for (const name of await dropInvalid(client, index))
      log(`${file.name}: dropped ${name}, which an earlier run left half built`);
  const started = performance.now();
  await watchingBlockers(observer, pid, budgets.lockMs, async (blockers) => {
    const say = setInterval(() => {
      const [first] = blockers();
      log(
        `${file.name}: goes on for ${duration(performance.now() - started)}${first === undefined ? "" : `; waited last for ${first}`}`,
      );
    }, budgets.sayMs);
    try {
      await runStatements(client, file);
    } catch (error) {
      throw await undone(runner, file, index, error, blockers);
    } finally {
      clearInterval(say);
    }
  });
  const durationMs = performance.now() - started;
  await writeLedger(client, file, durationMs);
  await resetSession(client);
  return durationMs;
}

async function undone(
  { client, budgets }: Runner,
  file: MigrationFile,
  index: string | undefined,
  error: unknown,
  blockers: Blockers,
): Promise<unknown> {
  if (!(error instanceof StatementFailed)) return error;
  const [first] = blockers();
  const waited = first === undefined ? "" : `; it waited last for ${first}`;
  const why = error.state === "57014" ? ` (allowed: ${duration(budgets.aloneMs)}${waited})` : "";
  if (error.lost)
    return new Problem(
      `${error.message}\nSee why the connection was lost, then run again: what is half built is dropped first`,
      {
        cause: error,
      },
    );
  const state = await withoutIndex(client, index);
  return new Problem(
    `${error.message}${why}\n${state}, and there is no row of ${file.name} in schema_migrations. Put right what is in the way, then run again`,
    { cause: error },
  );
}

/** Removes what a failed build left, and says what is there now. */
async function withoutIndex(client: pg.ClientBase, index: string | undefined): Promise<string> {
  try {
    const left = index === undefined ? [] : await dropInvalid(client, index);
    return `${left.length > 0 ? `The half-built index ${left.join(", ")} was dropped: the` : "The"} database is as it was before it`;
  } catch (error) {
    // What kept the index from being built may keep it from being dropped.
    if (!(error instanceof pg.DatabaseError)) throw error;
    return `The half-built index ${index} is left, invalid: the next run drops it first (${error.message})`;
  }
}
