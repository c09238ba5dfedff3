import type { ClientBase } from "pg";
import { schemaCounts } from "./catalogue/counts.ts";
import { connect } from "./connection.ts";
import { explaining } from "./database-error.ts";
import { readLedger } from "./migrations/bookkeeping.ts";
import { readMigrations, versionOf } from "./migrations/file.ts";
import { planMigrations } from "./migrations/plan.ts";
import type { ProgramSettings } from "./settings.ts";

/** A backup, restore or drill as it was recorded. */
export interface OperationStatus {
  /** When it ended, or, of one that runs or was killed, began; ISO 8601. */
  readonly at: string;
  /** Null: it still runs, or was killed. */
  readonly succeeded: boolean | null;
  /** What it said of itself: file and size, or the problem. */
  readonly detail: unknown;
}

/** The newest of a kind, and the newest that succeeded when that is another; null: never. */
export interface LastOperations {
  readonly last: OperationStatus | null;
  readonly lastSucceeded: OperationStatus | null;
}

/** What `golive database status` says. */
export interface StatusResult {
  readonly database: string;
  /** Version of schema_migrations (S4-48); null: nothing was applied. */
  readonly version: string | null;
  readonly applied: number;
  readonly pending: readonly FileStatus[];
  /** Contract files that wait for config to ask for them. */
  readonly held: readonly FileStatus[];
  /** Edited, missing and late files. */
  readonly problems: readonly string[];
  readonly tables: number;
  readonly indexes: number;
  readonly policies: number;
  /** Tables without forced row level security. */
  readonly rowSecurityGaps: readonly string[];
  readonly invalidIndexes: readonly string[];
  readonly backup: LastOperations;
  readonly drill: LastOperations;
}

interface FileStatus {
  readonly name: string;
  readonly phase: "expand" | "contract";
}

/**
 * The state of the database and of its migrations, read and not changed (S0-22, S4-48).
 * @throws Problem when the server cannot be reached or a migration file cannot be read
 */
export async function status(settings: ProgramSettings, _log: (line: string) => void): Promise<StatusResult> {
  const files = await readMigrations(settings.migrations);
  const client = await connect(settings, { login: settings.logins.migrator, name: "golive status" });
  try {
    return await explaining(`the status of ${settings.database}`, async () => {
      const applied = (await readLedger(client)) ?? [];
      const { pending, held, problems } = planMigrations(files, applied, settings.contract);
      const { tables, indexes, policies, unprotected, invalidIndexes } = await schemaCounts(client);
      return {
        database: settings.database,
        version: versionOf(applied.at(-1)?.name ?? "") ?? null,
        applied: applied.length,
        pending: pending.map(asStatus),
        held: held.map(asStatus),
        problems,
        tables,
        indexes,
        policies,
        rowSecurityGaps: unprotected,
        invalidIndexes,
        backup: await lastOperations(client, "backup"),
        drill: await lastOperations(client, "drill"),
      };
    });
  } finally {
    await client.end();
  }
}

const asStatus = ({ name, phase }: FileStatus): FileStatus => ({ name, phase });

async function lastOperations(client: ClientBase, kind: string): Promise<LastOperations> {
  const { rows: there } = await client.query("select where to_regclass('public.database_operations') is not null");
  if (there.length === 0) return { last: null, lastSucceeded: null };
  const newest = async (condition: string) => {
    const { rows } = await client.query<{ at: Date; succeeded: boolean | null; detail: unknown }>(
      `select coalesce(finished_at, started_at) as at, succeeded, detail from public.database_operations
       where kind = $1 and ${condition} order by started_at desc limit 1`,
      [kind],
    );
    return rows.map(({ at, ...rest }) => ({ at: at.toISOString(), ...rest }))[0] ?? null;
  };
  return { last: await newest("true"), lastSucceeded: await newest("succeeded") };
}
