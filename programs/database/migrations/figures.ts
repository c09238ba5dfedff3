import type { ClientBase } from "pg";

/** What a schema comes to, in numbers (S0-18, S0-22, S0-25). */
export interface Figures {
  /** The newest version in the ledger; empty: none (S4-48). */
  readonly version: string;
  readonly indexes: number;
  readonly policies: number;
  readonly tables: number;
}

/** Counts of schema public, bookkeeping included. */
export async function figures(client: ClientBase, version: string): Promise<Figures> {
  const { rows } = await client.query<Omit<Figures, "version">>(
    `select (select count(*)::integer from pg_indexes where schemaname = 'public') as indexes,
       (select count(*)::integer from pg_policies where schemaname = 'public') as policies,
       (select count(*)::integer from pg_class
          where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')) as tables`,
  );
  return { version, indexes: 0, policies: 0, tables: 0, ...rows[0] };
}
