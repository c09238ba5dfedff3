import type { ClientBase } from "pg";
import pg from "pg";

/** What a table holds, whatever the order of its rows. */
export interface Fingerprint {
  readonly rows: number;
  /** Sum of the first 64 bits of each row's SHA-256, in decimal. */
  readonly hash: string;
}

/** By `schema.table`, in the order of the names. */
export type Fingerprints = Readonly<Record<string, Fingerprint>>;

// How a value is written must not depend on who asks, and the same value is written in the same way on any server.
const plainText = [
  "set local search_path = pg_catalog",
  "set local timezone = 'UTC'",
  "set local datestyle = 'ISO, YMD'",
  "set local intervalstyle = 'postgres'",
  "set local bytea_output = 'hex'",
  "set local extra_float_digits = 1",
  "set local lc_monetary = 'C'",
  // A role that row level security binds gets an error, never a part of the rows.
  "set local row_security = off",
  "set local statement_timeout = 0",
];

// Generated columns are left out: they are computed again on a restore, by the locale of the new server.
const tablesQuery = `
  select n.nspname as schema, c.relname as name,
    (select coalesce(array_agg(a.attname::text order by a.attnum), '{}') from pg_attribute a
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') as columns
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind = 'r' and c.relpersistence <> 't'
    and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and not exists (select from pg_depend d
      where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
  order by n.nspname, c.relname`;

interface Table {
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly string[];
}

/**
 * Counts and hashes every row of every table but those of extensions, inside the caller's transaction. The role must see
 * every row.
 */
export async function fingerprints(client: ClientBase): Promise<Fingerprints> {
  for (const statement of plainText) await client.query(statement);
  const { rows: tables } = await client.query<Table>(tablesQuery);
  const found: [string, Fingerprint][] = [];
  for (const table of tables) found.push([`${table.schema}.${table.name}`, await fingerprint(client, table)]);
  return Object.fromEntries(found);
}

async function fingerprint(client: ClientBase, { schema, name, columns }: Table): Promise<Fingerprint> {
  const row = `row(${columns.map((column) => pg.escapeIdentifier(column)).join(", ")})::text`;
  const hash = `('x' || encode(substr(sha256(convert_to(${row}, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint`;
  const from = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`;
  const { rows } = await client.query<{ rows: string; hash: string }>(
    `select count(*)::text as rows, coalesce(sum(${hash}), 0)::text as hash from only ${from}`,
  );
  return { rows: Number(rows[0]?.rows), hash: rows[0]?.hash ?? "" };
}

/** Rows of all tables together. */
export function totalRows(tables: Fingerprints): number {
  return Object.values(tables).reduce((sum, { rows }) => sum + rows, 0);
}

/** Each table that is not the same, in words; none when all are. */
export function differences(expected: Fingerprints, found: Fingerprints): readonly string[] {
  const tables = [...new Set([...Object.keys(expected), ...Object.keys(found)])].sort();
  return tables.flatMap((table) => {
    const [before, after] = [expected[table], found[table]];
    if (after === undefined) return [`${table} is missing`];
    if (before === undefined) return [`${table} is not in the backup`];
    if (before.rows !== after.rows) return [`${table} has ${after.rows} rows, the backup has ${before.rows}`];
    return before.hash === after.hash ? [] : [`${table} has other values in its ${after.rows} rows`];
  });
}
