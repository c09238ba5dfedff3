import { setTimeout as delay } from "node:timers/promises";
import type { ClientBase } from "pg";

interface Session {
  readonly pid: number;
  readonly user: string | null;
  readonly name: string | null;
  /** Of these PostgreSQL tells only one's own role and the members of pg_read_all_stats. */
  readonly connected: Date | null;
  readonly transaction: Date | null;
}

const columns =
  "pid, usename as user, nullif(application_name, '') as name, backend_start as connected, xact_start as transaction";

/** Sessions by their process ids, in words: who they are and since when. */
export async function describeSessions(client: ClientBase, pids: readonly number[]): Promise<readonly string[]> {
  const { rows } = await client.query<Session>(
    `select ${columns} from pg_stat_activity where pid = any ($1::integer[]) order by xact_start nulls last, pid`,
    [pids],
  );
  return [...rows.map(describe), ...(pids.includes(0) ? ["a prepared transaction (see pg_prepared_xacts)"] : [])];
}

function describe({ pid, user, name, connected, transaction }: Session): string {
  const since = transaction
    ? `in a transaction since ${at(transaction)}`
    : connected
      ? `connected since ${at(connected)}`
      : undefined;
  return `pid ${pid} (${[name, user, since].filter((each) => each != null).join(", ")})`;
}

const at = (date: Date) => date.toISOString().replace(/\.\d+Z$/, "Z");

/** Who a session waits for, as it was last seen; empty: nobody was seen. */
export type Blockers = () => readonly string[];

/**
 * Does `work` while a second connection looks who the session `pid` waits for: once a wait is over, nobody can tell any more.
 */
export async function watchingBlockers<T>(
  observer: ClientBase,
  pid: number,
  everyMs: number,
  work: (blockers: Blockers) => Promise<T>,
): Promise<T> {
  const stop = new AbortController();
  let seen: readonly string[] = [];
  const watch = async () => {
    while (!stop.signal.aborted) {
      const { rows } = await observer.query<{ pids: number[] }>("select pg_blocking_pids($1) as pids", [pid]);
      const pids = rows[0]?.pids ?? [];
      if (pids.length > 0) seen = await describeSessions(observer, [...new Set(pids)]);
      await delay(everyMs, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  };
  const watched = watch().catch((error: unknown) => {
    // It only watches: the run goes on, and says what it could not see.
    seen = [`somebody unknown (${error instanceof Error ? error.message : String(error)})`];
  });
  try {
    return await work(() => seen);
  } finally {
    stop.abort();
    await watched;
  }
}
