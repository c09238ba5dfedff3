import pg from "pg";
import { catalogueOptions, findings } from "../catalogue/findings.ts";
import { Problem } from "../problem.ts";
import { withScratchServer } from "../scratch.ts";
import type { ProgramSettings } from "../settings.ts";
import { resetSession, runStatements, StatementFailed } from "./apply.ts";
import { makeBookkeeping } from "./bookkeeping.ts";
import { type MigrationFile, readMigrations } from "./file.ts";
import { invalidIndexes } from "./invalid-indexes.ts";
import { schemaDifferences, schemaLines } from "./schema-lines.ts";
import { readShape, type Shape, takenAway } from "./taken-away.ts";

export interface CheckResult {
  /** Files that were tried. */
  readonly files: number;
}

type Log = (line: string) => void;

/**
 * Tries every migration on a scratch server, and refuses what the application's database must not get, before anything of it
 * is touched (S0-54).
 * @throws Problem that names the file and what was found.
 */
export async function check(settings: ProgramSettings, log: Log): Promise<CheckResult> {
  const files = await readMigrations(settings.migrations);
  return await withScratchServer(settings, (client) => checkFiles(client, settings, files, log));
}

/**
 * The same on a server that is there, as a superuser: in databases that are made for it and dropped again.
 *  * Each file runs. Once the schema has no finding of the catalogue, no file may bring one, and the end has none.
 *  * An expand file takes nothing away.
 *  * Expand files do not need the contract files before them, which may be held: in both orders the schema is the same.
 */
export async function checkFiles(
  client: pg.Client,
  settings: ProgramSettings,
  files: readonly MigrationFile[],
  log: Log,
): Promise<CheckResult> {
  const schema = await inDatabase(client, settings, "in_order", (own) => applyAll(own, settings, files));
  log(`${files.length} files run on an empty database, and leave nothing that the catalogue checks find`);
  const heldLast = [...files.filter(isExpand), ...files.filter((file) => !isExpand(file))];
  if (heldLast.some((file, at) => file !== files[at])) {
    const other = await inDatabase(client, settings, "held_last", (own) => runHeldLast(own, settings, heldLast));
    refuseOtherSchema(schema, other);
    log("the same with the contract files last");
  }
  return { files: files.length };
}

const isExpand = ({ phase }: MigrationFile) => phase === "expand";
const untouched = "Nothing was touched: the files were tried on an empty database of their own.";

async function applyAll(
  client: pg.Client,
  settings: ProgramSettings,
  files: readonly MigrationFile[],
): Promise<readonly string[]> {
  const options = catalogueOptions(settings);
  const migrator = pg.escapeIdentifier(settings.logins.migrator);
  await grantDefaults(client, settings);
  await client.query(`set session authorization ${migrator}`);
  await makeBookkeeping(client, settings);
  let shape = await readShape(client);
  let wasClean = false;
  for (const file of files) {
    await tryFile(client, file);
    shape = await refuseTaken(client, file, shape);
    const found = await findings(client, options);
    if (found.length > 0 && (wasClean || file === files.at(-1)))
      throw new Problem(
        [
          `${file.name} is refused: ${wasClean ? "it brings" : "with it, the last file, the schema still has"} ${found.length} that the catalogue checks find:`,
          ...found.map(({ check: name, object, text }) => `  ${object} (${name}): ${text}`),
          untouched,
        ].join("\n"),
      );
    wasClean = found.length === 0;
  }
  await client.query("reset session authorization");
  return await schemaLines(client);
}

/** Groups get at most these rights on whatever a migration makes: then the checks see what the application could do with it. */
async function grantDefaults(client: pg.Client, { roles, logins }: ProgramSettings): Promise<void> {
  const name = pg.escapeIdentifier;
  for (const { name: group } of roles.filter(({ login }) => !login)) {
    await client.query(`grant usage on schema public to ${name(group)}`);
    await client.query(
      `alter default privileges for role ${name(logins.migrator)} in schema public
         grant select, insert, update, delete on tables to ${name(group)}`,
    );
  }
}

async function tryFile(client: pg.Client, file: MigrationFile): Promise<void> {
  try {
    await resetSession(client);
    if (file.transaction) await client.query("begin");
    await runStatements(client, file);
    if (file.transaction) await client.query("commit");
    await resetSession(client);
  } catch (error) {
    const message = error instanceof StatementFailed ? error.message : `${file.name}: ${String(error)}`;
    throw new Problem(`${message}\n${untouched}`, { cause: error });
  }
  const [invalid] = await invalidIndexes(client);
  if (invalid)
    throw new Problem(`${file.name} leaves the invalid index ${invalid.name} of ${invalid.table}\n${untouched}`);
}

async function refuseTaken(client: pg.Client, file: MigrationFile, before: Shape): Promise<Shape> {
  const after = await readShape(client);
  const taken = isExpand(file) ? takenAway(before, after) : [];
  if (taken.length === 0) return after;
  throw new Problem(
    [
      `${file.name} is refused: an expand file runs beside the releases of before, and it takes from them:`,
      ...taken.map((each) => `  ${each}`),
      `Add the new shape beside the old one, and put this into a file with "-- golive: phase contract". ${untouched}`,
    ].join("\n"),
  );
}

async function runHeldLast(
  client: pg.Client,
  settings: ProgramSettings,
  files: readonly MigrationFile[],
): Promise<readonly string[]> {
  try {
    return await applyAll(client, settings, files);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const when = "with the contract files last, as a database that holds them runs the files:";
    throw new Problem(`${when}\n${error.message}`, { cause: error });
  }
}

function refuseOtherSchema(inOrder: readonly string[], heldLast: readonly string[]): void {
  const different = schemaDifferences(inOrder, heldLast);
  if (different.length === 0) return;
  throw new Problem(
    [
      "an expand file needs a contract file before it, which may be held when it runs: in the order of their numbers (-) and with the contract files last (+) the files make different schemas:",
      ...different.slice(0, 10).map((line) => `  ${line.split("\n")[0]}`),
      ...(different.length > 10 ? [`  and ${different.length - 10} more`] : []),
      untouched,
    ].join("\n"),
  );
}

/** Work in an empty database of its own on the same server, which the migrator owns. */
async function inDatabase<T>(
  client: pg.Client,
  settings: ProgramSettings,
  purpose: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const name = `${settings.database}_${purpose}`;
  const [database, owner] = [name, settings.logins.migrator].map((each) => pg.escapeIdentifier(each));
  await client.query(`create database ${database} template template0 owner ${owner}`);
  const { host, port, user, password } = client;
  const own = new pg.Client({ host, port, database: name, ...(user && { user }), ...(password && { password }) });
  // The server is stopped under its clients when this process is told to stop.
  own.on("error", () => undefined);
  try {
    await own.connect();
    return await work(own);
  } finally {
    await own.end();
    await client.query(`drop database ${database}`);
  }
}
