import type { ClientBase } from "pg";
import { afterwards } from "../afterwards.ts";
import { connect } from "../connection.ts";
import { explaining } from "../database-error.ts";
import type { ProgramSettings } from "../settings.ts";

/** The kinds of database_operations that are recorded here. */
export type OperationKind = "backup" | "drill";

/** What an operation comes to, and what its record says of it. */
export interface Operation<T> {
  readonly result: T;
  readonly detail: object;
}

/**
 * Does `work` and records it in database_operations as the backup login: begun and committed before it, finished after
 * it, also when it failed or was stopped. `id` is the row's, undefined when there is no such table yet.
 * @throws what `work` throws; Problem when the record cannot be written.
 */
export async function recorded<T>(
  settings: ProgramSettings,
  kind: OperationKind,
  work: (id: string | undefined) => Promise<Operation<T>>,
): Promise<T> {
  const id = await short(settings, `the record of this ${kind}`, (client) => begin(client, kind));
  let outcome: { succeeded: boolean; detail: object } = {
    succeeded: false,
    detail: { problem: "stopped before its end" },
  };
  const end = async () => {
    if (id === undefined) return;
    await short(settings, `the record of this ${kind}`, (client) =>
      finish(client, id, outcome.succeeded, outcome.detail),
    );
  };
  return await afterwards(end, async () => {
    try {
      const { result, detail } = await work(id);
      outcome = { succeeded: true, detail };
      return result;
    } catch (error) {
      outcome = { succeeded: false, detail: { problem: error instanceof Error ? error.message : String(error) } };
      throw error;
    }
  });
}

async function begin(client: ClientBase, kind: OperationKind): Promise<string | undefined> {
  const { rows: found } = await client.query<{ there: boolean }>(
    "select to_regclass('public.database_operations') is not null as there",
  );
  if (found[0]?.there !== true) return undefined;
  const { rows } = await client.query<{ id: string }>(
    "insert into public.database_operations (kind, started_at) values ($1, clock_timestamp()) returning id::text",
    [kind],
  );
  return rows[0]?.id;
}

async function finish(client: ClientBase, id: string, succeeded: boolean, detail: object): Promise<void> {
  await client.query(
    `update public.database_operations set finished_at = clock_timestamp(), succeeded = $2, detail = $3::jsonb
      where id = $1`,
    [id, succeeded, JSON.stringify(detail)],
  );
}

/** A connection for one statement or two: none is held while the work goes on for minutes. */
async function short<T>(settings: ProgramSettings, what: string, work: (client: ClientBase) => Promise<T>): Promise<T> {
  const client = await connect(settings, { login: settings.logins.backup, name: "golive backup" });
  try {
    return await explaining(`${what} in database_operations of ${settings.database}`, () => work(client));
  } finally {
    await client.end();
  }
}
