import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { sqlState } from "../database-error.ts";
import { Problem } from "../problem.ts";
import { writeLedger } from "./bookkeeping.ts";
import { type Budgets, duration } from "./budgets.ts";
import type { MigrationFile } from "./file.ts";
import { requireLock } from "./lock.ts";
import { type Blockers, watchingBlockers } from "./sessions.ts";
import { splitStatements } from "./statements.ts";

/** Two connections of one run: one does the work and holds the runner's lock, the other looks on. */
export interface Runner {
  readonly client: pg.Client;
  readonly observer: pg.Client;
  /** Server process of `client`. */
  readonly pid: number;
  readonly budgets: Budgets;
  readonly log: (line: string) => void;
}

/** A statement of a file that the server refused. */
export class StatementFailed extends Error {
  /** SQLSTATE. */
  readonly state: string | undefined;
  /** The connection is gone, and with it the session. */
  readonly lost: boolean;

  constructor(file: MigrationFile, line: number, error: Error) {
    const hint = error instanceof pg.DatabaseError && error.hint !== undefined ? `\n  hint: ${error.hint}` : "";
    super(`${file.name}, line ${line}: ${error.message}${hint}`, { cause: error });
    this.name = "StatementFailed";
    this.state = sqlState(error);
    this.lost = isLost(error);
  }
}

/**
 * Runs the statements of a file one by one, as psql does.
 * @throws StatementFailed with the line that the server points at, or else the line of the statement.
 */
export async function runStatements(client: pg.ClientBase, file: MigrationFile): Promise<void> {
  const split = splitStatements(file.sql);
  if ("unfinished" in split) throw new Problem(`${file.name}, line ${split.line}: ${split.unfinished} has no end`);
  for (const { line, sql } of split.statements) {
    try {
      await client.query(sql);
    } catch (error) {
      if (error instanceof Error) throw new StatementFailed(file, line + linesBefore(sql, error), error);
      throw error;
    }
  }
}

function isLost(error: unknown): boolean {
  const state = sqlState(error);
  return state === undefined || /^(?:57P|08)/.test(state);
}

/** Lines of a statement before the place that the server points at; it counts characters, from 1. */
function linesBefore(sql: string, error: Error): number {
  const position = error instanceof pg.DatabaseError ? Number(error.position ?? 1) : 1;
  return [...sql].slice(0, position - 1).filter((character) => character === "\n").length;
}

/** Locks that were not to be had in time, and a deadlock: the transaction is gone, and may be tried again. */
const retried = new Set(["55P03", "40P01"]);
const firstPauseMs = 100;
const longestPauseMs = 10_000;

/**
 * Applies a file in one transaction with its row of the ledger. It waits only shortly for a lock, because whoever comes
 * later waits behind it; then it lets all go, and tries again after a pause that grows and is never the same for two.
 * @returns milliseconds of the try that succeeded.
 * @throws Problem that names file, line and what the server says, or who held the lock; nothing of the file remains then.
 */
export async function applyInTransaction(runner: Runner, file: MigrationFile): Promise<number> {
  const { observer, pid, budgets } = runner;
  return await watchingBlockers(observer, pid, budgets.lockMs / 5, (blockers) => tryUntilFree(runner, file, blockers));
}

async function tryUntilFree(runner: Runner, file: MigrationFile, blockers: Blockers): Promise<number> {
  const { client, budgets, log } = runner;
  const deadline = Date.now() + budgets.triesMs;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await tryOnce(client, file, budgets);
    } catch (error) {
      if (!(error instanceof StatementFailed) || !retried.has(error.state ?? "")) throw undone(error, file);
      const failed = waitedFor(error, blockers);
      const pause = pauseMs(attempt);
      if (Date.now() + pause > deadline)
        throw new Problem(
          `${failed}; tried ${attempt} times in ${duration(budgets.triesMs)}. Nothing of ${file.name} remains. ` +
            "Run again when that transaction has ended, or end it with: select pg_terminate_backend(pid)",
          { cause: error },
        );
      log(`${failed}; lets all go and tries again in ${duration(pause)} (attempt ${attempt})`);
      await delay(pause);
    }
  }
}

/** Twice as long after each attempt, less up to a half. */
function pauseMs(attempt: number): number {
  const most = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(attempt, 10));
  return most * (0.5 + Math.random() / 2);
}

async function tryOnce(client: pg.Client, file: MigrationFile, { lockMs }: Budgets): Promise<number> {
  const started = performance.now();
  await resetSession(client);
  await requireLock(client);
  await client.query("begin");
  try {
    await client.query(`set local lock_timeout = ${lockMs}; set local statement_timeout = 0`);
    await runStatements(client, file);
    const durationMs = performance.now() - started;
    await client.query("reset role");
    await writeLedger(client, file, durationMs);
    await commit(client, file);
    return durationMs;
  } catch (error) {
    // Without a connection the server has undone it already, and the first error says what happened.
    await client.query("rollback").catch(() => undefined);
    throw error;
  }
}

/** Deferred constraints fail here; and a connection that is lost here leaves the outcome to the ledger. */
async function commit(client: pg.Client, file: MigrationFile): Promise<void> {
  try {
    await client.query("commit");
  } catch (error) {
    if (!isLost(error)) throw new StatementFailed(file, lastLine(file), error as Error);
    throw new Problem(
      `${file.name}: the connection was lost while the file was committed (${(error as Error).message}). ` +
        "Whether it was applied, schema_migrations knows, and so does the next run: run again",
      { cause: error },
    );
  }
}

const lastLine = ({ sql }: MigrationFile) => sql.trimEnd().split("\n").length;

function waitedFor(error: StatementFailed, blockers: Blockers): string {
  const [first, ...more] = blockers();
  return `${error.message}${first === undefined ? "" : `; the lock is held by ${[first, ...more].join(" and ")}`}`;
}

function undone(error: unknown, file: MigrationFile): unknown {
  if (!(error instanceof StatementFailed)) return error;
  return new Problem(
    `${error.message}\nNothing of ${file.name} remains: the database is as it was before it. ${adviceFor(error)}, then run again`,
    { cause: error },
  );
}

function adviceFor({ lost, state }: StatementFailed): string {
  if (lost) return "See why the connection was lost";
  if (state === "25001")
    return `What may not run in a transaction stands alone in a file with "-- golive: no-transaction"; change the file`;
  return "Put the file right";
}

/**
 * What a file may leave behind in its session, back to what it was: an empty database, where all files share a session, must
 * become the same as one that got them one by one. Not DISCARD ALL, which would release the runner's lock.
 */
export async function resetSession(client: pg.ClientBase): Promise<void> {
  await client.query("reset role; reset all; close all; unlisten *; deallocate all; discard temp");
}
