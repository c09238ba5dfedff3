import { connect } from "../connection.ts";
import { explaining } from "../database-error.ts";
import { Problem } from "../problem.ts";
import type { ProgramSettings } from "../settings.ts";
import { loadMasked } from "./from-dump.ts";
import { generatedRows, leastTasks, mostTasks } from "./generated-rows.ts";
import { planRows } from "./plan-rows.ts";
import { type Added, addRows, countRows, type Rows } from "./rows.ts";
import { seededTables } from "./rules.ts";

export interface SeedOptions {
  /** Name of a backup whose rows are loaded instead, masked. */
  readonly fromDump?: string | undefined;
  /** How many tasks are generated. Default: 200. */
  readonly tasks?: number | undefined;
}

export interface SeedResult {
  /** Each table with rows of the application: what it holds now, and how many of them are new. */
  readonly tables: readonly { readonly table: string; readonly rows: number; readonly added: number }[];
  readonly durationMs: number;
}

/** The rows of each application that has some. */
const seeds: Readonly<Record<string, (tasks: number) => readonly Rows[]>> = {
  taskflow: (tasks) => [...planRows, ...generatedRows(tasks)],
};

/**
 * Fills a database of a staging or local environment: the rows of the plan (S0-08..12) and generated ones (S1-03), the same
 * on every run; rows that are there already are left alone. Or the masked rows of a backup (S0-01, S1-25), in place of
 * what is there. All of it in one transaction.
 * @throws Problem in production, for an application without rows, for a number of tasks that is not allowed.
 */
export async function seed(
  settings: ProgramSettings,
  log: (line: string) => void,
  { fromDump, tasks = leastTasks }: SeedOptions = {},
): Promise<SeedResult> {
  const started = performance.now();
  const rows = rowsFor(settings, tasks);
  if (fromDump !== undefined && tasks !== leastTasks) {
    throw new Problem("got a backup and a number of tasks; allowed: one of them");
  }
  const client = await connect(settings, { login: settings.logins.migrator, name: "golive seed" });
  try {
    const added = await explaining(`seeding ${settings.database}`, () =>
      fromDump === undefined ? addRows(client, rows, log) : loadMasked(settings, client, fromDump, log),
    );
    const counts = await countRows(client, seededTables);
    for (const [table, count] of counts) log(`${table}: ${count} rows, ${added.get(table) ?? 0} of them new`);
    const { environment } = settings;
    // S0-08: "Staging data seeded successfully".
    log(`${environment.charAt(0).toUpperCase()}${environment.slice(1)} data seeded successfully`);
    return { tables: resultOf(counts, added), durationMs: Math.round(performance.now() - started) };
  } finally {
    await client.end();
  }
}

function rowsFor({ application, environment, database }: ProgramSettings, tasks: number): readonly Rows[] {
  if (environment === "production") {
    throw new Problem(`${database} is a production database; seeding is for staging and local ones`);
  }
  const rows = Object.hasOwn(seeds, application) ? seeds[application] : undefined;
  if (rows === undefined) {
    throw new Problem(`there are no seed rows of ${application}; allowed: ${Object.keys(seeds).join(", ")}`);
  }
  if (!Number.isInteger(tasks) || tasks < leastTasks || tasks > mostTasks) {
    throw new Problem(`got ${tasks} tasks; allowed: a whole number from ${leastTasks} to ${mostTasks}`);
  }
  return rows(tasks);
}

const resultOf = (counts: ReadonlyMap<string, number>, added: Added): SeedResult["tables"] =>
  [...counts].map(([table, rows]) => ({ table, rows, added: added.get(table) ?? 0 }));
