import { setTimeout as delay } from "node:timers/promises";
import type { ClientBase } from "pg";
import { Problem } from "../problem.ts";
import { type Budgets, duration } from "./budgets.ts";
import { describeSessions } from "./sessions.ts";

/** The advisory lock of the migrations of a database: two numbers that nobody else uses. */
export const lockKey = { space: 0x676f6c69, number: 1 } as const;

const isOurs = `locktype = 'advisory' and classid = ${lockKey.space} and objid = ${lockKey.number} and objsubid = 2 and granted
  and database = (select oid from pg_database where datname = current_database())`;

const pollMs = 250;

/**
 * Does `work` as the only runner of this database. The lock belongs to the session that also does the work, so neither
 * outlives the other. It is asked for again and again, and never waited for: a session that waits in a statement holds a
 * snapshot, and the CREATE INDEX CONCURRENTLY of another runner waits for that (research/database.md 1.2, row 1).
 * @throws Problem that names who holds it when `runnerMs` are over.
 */
export async function withRunnerLock<T>(
  client: ClientBase,
  { runnerMs, sayMs }: Budgets,
  log: (line: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  const deadline = Date.now() + runnerMs;
  let sayAt = Date.now();
  while (!(await tryLock(client))) {
    const holder = await lockHolder(client);
    const left = deadline - Date.now();
    if (left <= 0)
      throw new Problem(
        `another run of the migrations holds their lock, waited ${duration(runnerMs)}: ${holder ?? "unknown"}; ` +
          "nothing was changed; run again when it has ended, or end it with: select pg_terminate_backend(pid)",
      );
    if (Date.now() >= sayAt) {
      log(`waits for another run of the migrations, at most ${duration(left)} more: ${holder ?? "unknown"}`);
      sayAt = Date.now() + sayMs;
    }
    await delay(Math.min(pollMs, left));
  }
  await requireLock(client);
  const result = await work();
  await client.query("select pg_advisory_unlock($1, $2)", [lockKey.space, lockKey.number]);
  return result;
}

/**
 * Holds the session to its word: behind a pooler the lock would be another session's, and worth nothing.
 * @throws Problem when the lock is not this session's any more.
 */
export async function requireLock(client: ClientBase): Promise<void> {
  const { rows } = await client.query(`select from pg_locks where ${isOurs} and pid = pg_backend_pid()`);
  if (rows.length > 0) return;
  throw new Problem(
    "this session does not hold the lock of the migrations that it took: is there a pooler in between, or did a file release it? Connect to the server itself",
  );
}

/** Who runs the migrations of this database now, in words; undefined: nobody. */
export async function lockHolder(client: ClientBase): Promise<string | undefined> {
  const { rows } = await client.query<{ pid: number }>(`select pid from pg_locks where ${isOurs}`);
  const [holder] = await describeSessions(
    client,
    rows.map(({ pid }) => pid),
  );
  return holder;
}

async function tryLock(client: ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>("select pg_try_advisory_lock($1, $2) as locked", [
    lockKey.space,
    lockKey.number,
  ]);
  return rows[0]?.locked === true;
}
