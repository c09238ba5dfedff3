import type { ClientBase } from "pg";
import { type Fingerprints, fingerprints } from "./fingerprint.ts";
import type { Locale } from "./manifest.ts";

/** One moment of a database, as long as the transaction lasts in which it was taken. */
export interface Snapshot {
  /** What `pg_dump --snapshot` takes. */
  readonly id: string;
  readonly tables: Fingerprints;
  /** Newest version in schema_migrations; null when there is none. */
  readonly version: string | null;
  /** `15.18`. */
  readonly server: string;
  readonly locale: Locale;
}

/** Takes a snapshot and counts and hashes what is in it. The tables are locked against changes of their shape until the end. */
export async function takeSnapshot(client: ClientBase): Promise<Snapshot> {
  await client.query("begin isolation level repeatable read, read only");
  await client.query("set local idle_in_transaction_session_timeout = 0");
  const { rows } = await client.query<{ id: string; server: string } & Locale>(`
    select pg_export_snapshot() as id, current_setting('server_version') as server,
      pg_encoding_to_char(encoding) as encoding, datcollate as collate, datctype as ctype
    from pg_database where datname = current_database()`);
  const [found] = rows;
  if (found === undefined) throw new Error("the server does not know its own database");
  const { id, server, encoding, collate, ctype } = found;
  const tables = await fingerprints(client);
  const version = await schemaVersion(client, tables);
  return { id, tables, version, server: server.split(" ")[0] ?? server, locale: { encoding, collate, ctype } };
}

async function schemaVersion(client: ClientBase, tables: Fingerprints): Promise<string | null> {
  if (tables["public.schema_migrations"] === undefined) return null;
  const { rows } = await client.query<{ version: string | null }>(
    "select max(version) as version from public.schema_migrations",
  );
  return rows[0]?.version ?? null;
}
