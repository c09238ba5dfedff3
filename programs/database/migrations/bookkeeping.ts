import pg from "pg";
import type { ProgramSettings } from "../settings.ts";
import type { MigrationFile } from "./file.ts";
import type { AppliedMigration } from "./plan.ts";

/** Tables that the runner makes itself, before any file: the ledger, and the record of backups, restores and drills. */
export const bookkeepingTables = ["schema_migrations", "database_operations"] as const;

/** What the database says that was applied; undefined: no run has been here yet. */
export async function readLedger(client: pg.ClientBase): Promise<readonly AppliedMigration[] | undefined> {
  const { rows: there } = await client.query("select where to_regclass('public.schema_migrations') is not null");
  if (there.length === 0) return undefined;
  const { rows } = await client.query<AppliedMigration>(
    "select name, phase, checksum from public.schema_migrations order by version",
  );
  return rows;
}

/** The ledger's row of a file: written in the file's own transaction, so that there is one exactly if the file ran (S4-48). */
export async function writeLedger(client: pg.ClientBase, file: MigrationFile, durationMs: number): Promise<void> {
  await client.query(
    `insert into public.schema_migrations (version, name, phase, checksum, applied_at, duration_ms)
     values ($1, $2, $3, $4, clock_timestamp(), $5)`,
    [file.version, file.name, file.phase, file.checksum, Math.round(durationMs)],
  );
}

/** Makes both tables, in a transaction of their own, closed to all who need not see them (S0-42). */
export async function makeBookkeeping(client: pg.ClientBase, settings: ProgramSettings): Promise<void> {
  await client.query("begin");
  try {
    for (const statement of bookkeepingStatements(settings)) await client.query(statement);
    await client.query("commit");
  } catch (error) {
    await client.query("rollback");
    throw error;
  }
}

function bookkeepingStatements({ roles, logins }: ProgramSettings): readonly string[] {
  const name = pg.escapeIdentifier;
  const [backup, exporter] = [name(logins.backup), name(logins.exporter)];
  // What they have by default privileges, and what others may be given one day.
  const others = [
    "public",
    ...roles.filter((role) => role.name !== logins.migrator).map((role) => name(role.name)),
  ].join(", ");
  return [
    `create table public.schema_migrations (
      version text primary key,
      name text not null unique,
      phase text not null check (phase in ('expand', 'contract')),
      checksum text not null check (checksum ~ '^[0-9a-f]{64}$'),
      applied_at timestamptz not null,
      duration_ms integer not null)`,
    // Null in succeeded: it goes on, or it was killed.
    `create table public.database_operations (
      id bigint generated always as identity primary key,
      kind text not null check (kind in ('backup', 'restore', 'drill', 'migration')),
      started_at timestamptz not null default clock_timestamp(),
      finished_at timestamptz,
      succeeded boolean,
      detail jsonb)`,
    ...bookkeepingTables.flatMap((table) => [
      `alter table public.${table} enable row level security`,
      `alter table public.${table} force row level security`,
      `revoke all on public.${table} from ${others}`,
      `grant select on public.${table} to ${backup}, ${exporter}`,
      `create policy ${table}_exporter on public.${table} for select to ${exporter} using (true)`,
    ]),
    `revoke all on sequence public.database_operations_id_seq from ${others}`,
    `grant select on sequence public.database_operations_id_seq to ${backup}`,
    `grant insert, update on public.database_operations to ${backup}`,
    `create policy schema_migrations_backup on public.schema_migrations for select to ${backup} using (true)`,
    `create policy database_operations_backup on public.database_operations to ${backup} using (true) with check (true)`,
  ];
}

/** Begins the record of a run; gives its id. */
export async function beginOperation(client: pg.ClientBase): Promise<string> {
  const { rows } = await client.query<{ id: string }>(
    "insert into public.database_operations (kind) values ('migration') returning id",
  );
  return rows[0]?.id ?? "";
}

/** Ends the record of a run. */
export async function endOperation(client: pg.ClientBase, id: string, succeeded: boolean, detail: object) {
  await client.query(
    "update public.database_operations set finished_at = clock_timestamp(), succeeded = $2, detail = $3 where id = $1",
    [id, succeeded, JSON.stringify(detail)],
  );
}
