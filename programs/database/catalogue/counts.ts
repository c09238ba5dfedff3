import type { ClientBase } from "pg";

/** What stands in schema public, counted (S0-18..20, S0-22). */
export interface SchemaCounts {
  /** Partitioned tables and their parts each count as one. */
  readonly tables: number;
  /** Names of tables without row level security, or with one that does not bind the owner. */
  readonly unprotected: readonly string[];
  readonly indexes: number;
  readonly policies: number;
  /** Names of the indexes that PostgreSQL does not use. */
  readonly invalidIndexes: readonly string[];
}

export async function schemaCounts(client: ClientBase): Promise<SchemaCounts> {
  const { rows } = await client.query<SchemaCounts>(
    `with tables as (
       select * from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
     )
     select
       (select count(*)::int from tables) as tables,
       array(select relname::text from tables where not (relrowsecurity and relforcerowsecurity) order by 1) as unprotected,
       (select count(*)::int from pg_indexes where schemaname = 'public') as indexes,
       (select count(*)::int from pg_policies where schemaname = 'public') as policies,
       array(
         select indexrelid::regclass::text from pg_index join tables on tables.oid = indrelid
         where not (indisvalid and indisready) order by 1
       ) as "invalidIndexes"`,
  );
  const [counts] = rows;
  if (counts === undefined) throw new Error("the count of the schema gave no row");
  return counts;
}
