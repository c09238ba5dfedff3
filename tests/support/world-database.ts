import type { MigrationFile } from "../../programs/database/migrations/file.ts";
import { type MigrationPlan, planMigrations } from "../../programs/database/migrations/plan.ts";
import type { SchemaRecord } from "../../rollout/schema/schema-record.ts";

/** The database of the small world (world.ts): what the checkout has, what is applied, and what was recorded of that. */
export interface Database {
  /** How many of `migrations` the checkout has. */
  readonly files: number;
  /** Names of what is applied, in the order of their application. */
  readonly ledger: readonly string[];
  readonly record: SchemaRecord | undefined;
  /** Releases that a contract migration left behind: kept here, and not by the code under test. */
  readonly stale: readonly string[];
}

const file = (name: string, phase: MigrationFile["phase"]): MigrationFile => ({
  name,
  version: name.slice(0, 3),
  phase,
  transaction: true,
  checksum: name.charAt(2).repeat(64),
  sql: "",
});

/** All that are ever written, in this order. */
export const migrations = [
  file("000_base.sql", "expand"),
  file("001_add_new.sql", "expand"),
  file("002_drop_old.sql", "contract"),
  file("003_add_newer.sql", "expand"),
  file("004_drop_new.sql", "contract"),
] as const;

const filesOf = ({ files }: Database) => migrations.slice(0, files);
const appliedOf = (ledger: readonly string[]) =>
  migrations
    .filter(({ name }) => ledger.includes(name))
    .map(({ name, phase, checksum }) => ({ name, phase, checksum }));

/** What a run plans: from the record. */
export const planned = (database: Database, contract: string | undefined): MigrationPlan =>
  planMigrations(filesOf(database), database.record?.applied ?? [], contract);

/** What the Job applies: from the ledger. */
export const applicable = (database: Database, contract: string | undefined): readonly MigrationFile[] =>
  planMigrations(filesOf(database), appliedOf(database.ledger), contract).pending;

/** Whether the Job would take something away from a database that has data. */
export const isContracted = (database: Database, contract: string | undefined): boolean =>
  database.ledger.length > 0 && applicable(database, contract).some(({ phase }) => phase === "contract");

/** The database after the Job; `left` are the releases that its contract migrations leave behind. */
export function migrated(database: Database, contract: string | undefined, left: readonly string[]): Database {
  const stale = isContracted(database, contract) ? [...new Set([...database.stale, ...left])] : database.stale;
  return {
    ...database,
    ledger: [...database.ledger, ...applicable(database, contract).map(({ name }) => name)],
    stale,
  };
}

export const recorded = (database: Database, outdated: readonly string[]): Database => ({
  ...database,
  record: {
    applied: appliedOf(database.ledger),
    job: `job of ${database.ledger.length}`,
    result: undefined,
    restored: database.record?.restored,
    outdated,
  },
});

/** A backup from when so many migrations were applied is restored; the first one always is. */
export function restored(database: Database, applied: number): Database {
  const ledger = database.ledger.slice(0, Math.max(1, applied));
  const { outdated = [] } = database.record ?? {};
  return {
    ...database,
    ledger,
    record: { applied: appliedOf(ledger), job: undefined, result: undefined, restored: `of ${applied}`, outdated },
  };
}
