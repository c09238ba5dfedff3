/** `node tests/support/migrate-process.ts SETTINGS`: a run of the migrations in a process of its own, which a test may kill. */
import { readFile } from "node:fs/promises";
import process from "node:process";
import { migrate } from "../../programs/database/migrations/migrate.ts";
import type { ProgramSettings } from "../../programs/database/settings.ts";

const settings = JSON.parse(await readFile(process.argv[2] ?? "", "utf8")) as ProgramSettings;
await migrate(settings, (line) => process.stdout.write(`${line}\n`));
