import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import type pg from "pg";
import { afterAll, afterEach, beforeAll } from "vitest";
import { type MigrateArguments, type MigrationResult, migrate } from "../../programs/database/migrations/migrate.ts";
import { Problem } from "../../programs/database/problem.ts";
import type { ProgramSettings } from "../../programs/database/settings.ts";
import { type MigrationDirectory, migrationDirectory } from "./migration-files.ts";
import { names, startServer, type TestDatabase, type TestServer } from "./postgres.ts";

/** An empty database and a directory of migrations for one test. */
export interface MigrationRun {
  readonly database: TestDatabase;
  readonly directory: MigrationDirectory;
  /** Its `migrations` are `directory`. */
  readonly settings: ProgramSettings;
  /** The owner's connection, for looking on. */
  readonly owner: pg.Client;
  /** What the runs said so far. */
  readonly lines: readonly string[];
  /** Runs the migrations here. */
  up(given?: MigrateArguments, contract?: string): Promise<MigrationResult>;
  /** Runs the migrations, which must be refused: the message. */
  refusal(given?: MigrateArguments, contract?: string): Promise<string>;
  /** Runs them in a process of its own; it is killed after the test if it still runs. */
  start(): Promise<RunnerProcess>;
  /** The first column of each row. */
  column(sql: string): Promise<readonly unknown[]>;
}

export interface RunnerProcess {
  /** SIGKILL: no handler of its own is asked. Returns when it is dead. */
  kill(): Promise<void>;
}

/** A server for the tests of a file, and what each of them needs on it; all is taken down after them. */
export function migrationRuns(): {
  fresh(files?: Readonly<Record<string, string>>): Promise<MigrationRun>;
  server(): TestServer;
} {
  let server: TestServer | undefined;
  const undo: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server?.stop());
  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step();
  });
  const started = () => {
    if (!server) throw new Error("the server is started before the first test");
    return server;
  };
  return {
    server: started,
    async fresh(files = {}) {
      const directory = await migrationDirectory(files);
      undo.push(directory.remove);
      const database = await started().database();
      undo.push(database.drop);
      return migrationRun(database, directory, await database.connect(names.owner), undo);
    },
  };
}

function migrationRun(
  database: TestDatabase,
  directory: MigrationDirectory,
  owner: pg.Client,
  undo: (() => Promise<void>)[],
): MigrationRun {
  const settings: ProgramSettings = { ...database.settings, migrations: directory.path };
  const lines: string[] = [];
  const up: MigrationRun["up"] = (given = {}, contract = undefined) =>
    migrate({ ...settings, contract }, (line) => lines.push(line), given);
  return {
    database,
    directory,
    settings,
    owner,
    lines,
    up,
    async refusal(given, contract) {
      const error = await up(given, contract).then(
        (result) => new Error(`it was not refused: ${JSON.stringify(result)}`),
        (thrown: unknown) => thrown,
      );
      if (error instanceof Problem) return error.message;
      throw error;
    },
    async start() {
      const file = join(settings.work, "settings.json");
      await writeFile(file, JSON.stringify(settings));
      const program = join(import.meta.dirname, "migrate-process.ts");
      const child = spawn(process.execPath, [program, file], { stdio: ["ignore", "ignore", "inherit"] });
      const kill = () => killed(child);
      undo.push(kill);
      return { kill };
    },
    async column(sql) {
      const { rows } = await owner.query<Record<string, unknown>>(sql);
      return rows.map((row) => Object.values(row)[0]);
    },
  };
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}
