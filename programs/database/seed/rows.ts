import type pg from "pg";

/** One INSERT of rows that are not there yet: run a second time, it adds none. */
export interface Rows {
  readonly table: string;
  readonly sql: string;
  readonly parameters?: readonly unknown[];
  /** Rows by the hundred thousand: costly triggers are off for them. */
  readonly bulk?: boolean;
}

/** How many rows were added to each table. */
export type Added = ReadonlyMap<string, number>;

/** Adds all rows in one transaction: all of them or none. */
export async function addRows(
  client: pg.ClientBase,
  all: readonly Rows[],
  log: (line: string) => void,
): Promise<Added> {
  return await inTransaction(client, async () => {
    const added = new Map<string, number>();
    const bulk = all.some((rows) => rows.bulk === true);
    if (bulk) await setTriggers(client, "disable");
    for (const { table, sql, parameters = [] } of all) {
      const { rowCount } = await client.query(sql, [...parameters]);
      if (bulk) log(`${rowCount ?? 0} rows into ${table}`);
      added.set(table, (added.get(table) ?? 0) + (rowCount ?? 0));
    }
    if (bulk) await setTriggers(client, "enable");
    // The planner must know of the rows at once: a check of the plans, or a measurement, follows.
    if ([...added.values()].some((count) => count > 0)) await client.query("analyze");
    return added;
  });
}

/**
 * Triggers that cost more than the rows: those that write a row for each row, into the audit log and the notifications, and those
 * that look up a row's team, which is given here. The one that holds two columns equal is not among them.
 */
const costlyTriggers: readonly (readonly [table: string, trigger: string])[] = [
  ["users", "users_record_change"],
  ["teams", "teams_record_change"],
  ["team_members", "team_members_record_change"],
  ["projects", "projects_record_change"],
  ["tasks", "tasks_record_change"],
  ["tasks", "tasks_tell_assignee"],
  ["comments", "comments_tell"],
  ["tasks", "tasks_complete"],
  ["comments", "comments_take_team"],
  ["time_entries", "time_entries_take_team"],
];

/** Within the transaction: should it fail, they are as before. */
export async function setTriggers(client: pg.ClientBase, state: "enable" | "disable"): Promise<void> {
  for (const [table, trigger] of costlyTriggers) await client.query(`alter table ${table} ${state} trigger ${trigger}`);
}

/** How many rows each table holds. */
export async function countRows(
  client: pg.ClientBase,
  tables: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (const table of tables) {
    const { rows } = await client.query<{ count: number }>(`select count(*)::integer as count from ${table}`);
    counts.set(table, rows[0]?.count ?? 0);
  }
  return counts;
}

/** Does `work` in one transaction, and nothing of it when it fails. */
export async function inTransaction<T>(client: pg.ClientBase, work: () => Promise<T>): Promise<T> {
  await client.query("begin");
  try {
    const result = await work();
    await client.query("commit");
    return result;
  } catch (error) {
    // What went wrong is told, not that the connection it broke cannot roll back.
    await client.query("rollback").catch(() => undefined);
    throw error;
  }
}
