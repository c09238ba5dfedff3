import type { ClientBase } from "pg";
import { Problem } from "../problem.ts";

/** An index that PostgreSQL keeps up to date but does not use: what a CREATE INDEX CONCURRENTLY leaves that did not end. */
export interface InvalidIndex {
  /** As one writes it, with its schema. */
  readonly name: string;
  readonly table: string;
  /** Of a partitioned table: it becomes valid when each part has its own, and cannot be built again as a whole. */
  readonly partitioned: boolean;
  /** The copy of another index that a REINDEX CONCURRENTLY made, or was about to remove. */
  readonly copy: boolean;
}

/** Every invalid index of the application, or only those of a name as it is written in SQL. */
export async function invalidIndexes(client: ClientBase, written?: string): Promise<readonly InvalidIndex[]> {
  const { rows } = await client.query<InvalidIndex>(
    `select format('%I.%I', n.nspname, i.relname) as name, format('%I.%I', n.nspname, t.relname) as table,
       i.relkind = 'I' as partitioned, i.relname ~ '_cc(new|old)\\d*$' as copy
     from pg_index x
     join pg_class i on i.oid = x.indexrelid
     join pg_class t on t.oid = x.indrelid
     join pg_namespace n on n.oid = i.relnamespace
     where not (x.indisvalid and x.indisready) and n.nspname !~ '^pg_'
       and ($1::text is null or i.relname = (parse_ident($1))[1])
     order by 1`,
    [written ?? null],
  );
  return rows;
}

/** Removes the invalid indexes of a name, so that IF NOT EXISTS does not take one for a good one. Gives their names. */
export async function dropInvalid(client: ClientBase, written: string): Promise<readonly string[]> {
  const invalid = (await invalidIndexes(client, written)).filter(({ partitioned }) => !partitioned);
  for (const { name } of invalid) await client.query(`drop index concurrently if exists ${name}`);
  return invalid.map(({ name }) => name);
}

/**
 * Builds every invalid index of the application again, without hindering who reads or writes.
 * @param budgetMs for each index.
 * @returns what was done, a sentence each; empty: all indexes were valid.
 * @throws Problem that names the indexes that are still invalid, and why.
 */
export async function repairIndexes(client: ClientBase, budgetMs: number): Promise<readonly string[]> {
  await client.query(`set statement_timeout = ${budgetMs}`);
  const done: string[] = [];
  const failed: string[] = [];
  for (const index of await invalidIndexes(client)) {
    if (index.partitioned) {
      failed.push(
        `${index.name} of ${index.table}: a part of the table has no valid index of this kind; build and attach it`,
      );
      continue;
    }
    try {
      await client.query(
        index.copy ? `drop index concurrently if exists ${index.name}` : `reindex index concurrently ${index.name}`,
      );
      done.push(
        `${index.copy ? "dropped the unfinished copy" : "built again the invalid index"} ${index.name} of ${index.table}`,
      );
    } catch (error) {
      failed.push(`${index.name} of ${index.table}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  // A rebuild that failed leaves a copy.
  for (const { name } of (await invalidIndexes(client)).filter(({ copy }) => copy))
    await client.query(`drop index concurrently if exists ${name}`);
  if (failed.length === 0) return done;
  throw new Problem(
    [
      `${failed.length === 1 ? "1 index is" : `${failed.length} indexes are`} invalid and could not be built again; the files are applied:`,
      ...failed.map((each) => `  ${each}`),
      "put right what is in the way, or drop the index; then run again",
    ].join("\n"),
  );
}
