import { access } from "node:fs/promises";
import { dirname, join } from "node:path";
import type pg from "pg";
import { type BackupKey, readKey } from "../backup/key.ts";
import { loadBackup } from "../backup/load.ts";
import { chooseBackup } from "../backup/store.ts";
import { explaining } from "../database-error.ts";
import { migrate } from "../migrations/migrate.ts";
import { Problem } from "../problem.ts";
import { type ScratchServer, withScratchServer } from "../scratch.ts";
import type { ProgramSettings } from "../settings.ts";
import { Mask, type Row } from "./mask.ts";
import { type Added, inTransaction, setTriggers } from "./rows.ts";
import { leftOut, rules, seededTables } from "./rules.ts";

/** Rows a statement. */
const batch = 1_000;

/**
 * Puts the masked rows of a backup in the place of the application's rows. The backup, mostly of another environment, is restored
 * into a scratch server that is gone afterwards; only what was masked comes near the database.
 * @throws Problem that names the backup, or a table or column that nobody has decided about.
 */
export async function loadMasked(
  settings: ProgramSettings,
  target: pg.Client,
  name: string,
  log: (line: string) => void,
): Promise<Added> {
  const key = await dumpKey(settings);
  const from = { ...settings, database: databaseOf(name) };
  const manifest = await chooseBackup(from, key, name);
  if (manifest.version === null)
    throw new Problem(`the backup ${manifest.file} is of a database without a schema; nothing was loaded`);
  const mask = new Mask(await readKey(settings.backup.key), rules);
  log(`restoring ${manifest.file} into a scratch server`);
  return await withScratchServer(from, (scratch, server) =>
    explaining(`masking the rows of ${manifest.file}`, async () => {
      const into = "the scratch server of this seed";
      await loadBackup(from, { manifest, key, access: server.access(from.logins.migrator), into });
      await bringUpToDate(from, server, await lastContract(target), log);
      const columns = await columnsToCarry(scratch, target, mask);
      return await inTransaction(target, () => carryOver(scratch, target, { columns, mask, log }));
    }),
  );
}

/**
 * The key of the dump: `from` beside the stack's own key, when somebody put the key of another environment there; else the own
 * one.
 */
async function dumpKey({ backup }: ProgramSettings): Promise<BackupKey> {
  const other = join(dirname(backup.key), "from");
  const there = await access(other).then(
    () => true,
    () => false,
  );
  return await readKey(there ? other : backup.key);
}

/** The database that a backup's name begins with. */
function databaseOf(name: string): string {
  const database = /^(.+)-\d{8}T\d{6}Z(?:\.dump\.enc|\.json)?$/.exec(name)?.[1];
  if (database !== undefined) return database;
  throw new Problem(`got the backup ${name}; allowed: a name such as taskflow-20261121T130000Z`);
}

/** Brings the copy to the schema that the target has: the dump may be older. */
async function bringUpToDate(
  settings: ProgramSettings,
  server: ScratchServer,
  contract: string | undefined,
  log: (line: string) => void,
): Promise<void> {
  const { PGHOST = "", PGPORT } = server.access(settings.logins.migrator);
  const scratch = { host: PGHOST, port: Number(PGPORT), tls: { mode: "off" } } as const;
  await migrate({ ...settings, server: scratch, contract }, log);
}

/** The last contract file that the target has: on a database that was empty they ran without being asked for. */
async function lastContract(target: pg.Client): Promise<string | undefined> {
  const { rows } = await target.query<{ name: string }>(
    "select name from schema_migrations where phase = 'contract' order by version desc limit 1",
  );
  return rows[0]?.name;
}

type Columns = ReadonlyMap<string, readonly string[]>;

/** The columns of each table that both databases have. @throws Problem for what nobody has decided about, or what the target lacks. */
async function columnsToCarry(scratch: pg.Client, target: pg.Client, mask: Mask): Promise<Columns> {
  const given = await columnsOf(scratch);
  const taken = await columnsOf(target);
  const undecided = [...given.keys()].filter((table) => ![...seededTables, ...leftOut].includes(table));
  if (undecided.length > 0) {
    throw new Problem(
      `no rule says what becomes of the table ${undecided.join(", ")} when a dump is loaded elsewhere; nothing was loaded. Decide it in programs/database/seed/rules.ts`,
    );
  }
  const carried = new Map<string, readonly string[]>();
  for (const table of seededTables) {
    // A dump from before the table has none of its rows.
    const columns = given.get(table) ?? [];
    mask.requireRules(table, columns);
    const lacking = columns.filter((column) => !(taken.get(table) ?? []).includes(column));
    if (lacking.length > 0) {
      const names = lacking.map((column) => `${table}.${column}`).join(", ");
      throw new Problem(
        `the backup has ${names}, which this database has not: bring it up to date (golive pulumi up), then load the backup. Nothing was loaded`,
      );
    }
    carried.set(table, columns);
  }
  return carried;
}

async function columnsOf(client: pg.Client): Promise<Columns> {
  const { rows } = await client.query<{ table: string; columns: readonly string[] }>(`
    select c.table_name as table, array_agg(c.column_name::text order by c.ordinal_position) as columns
    from information_schema.columns c
      join information_schema.tables t on t.table_schema = c.table_schema and t.table_name = c.table_name
    where c.table_schema = 'public' and t.table_type = 'BASE TABLE' and c.is_generated = 'NEVER'
    group by c.table_name`);
  return new Map(rows.map(({ table, columns }) => [table, columns]));
}

interface Load {
  readonly columns: Columns;
  readonly mask: Mask;
  readonly log: (line: string) => void;
}

/** Empties the target's tables and fills them again. A column that only the target still has (its contract is held) gets its default. */
async function carryOver(scratch: pg.Client, target: pg.Client, { columns, mask, log }: Load): Promise<Added> {
  const added = new Map<string, number>();
  await setTriggers(target, "disable");
  for (const table of [...seededTables].reverse()) await target.query(`delete from ${table}`);
  for (const table of seededTables) {
    const names = columns.get(table) ?? [];
    let count = 0;
    for await (const rows of batches(scratch, table, names)) {
      await insert(
        target,
        table,
        names,
        rows.map((row) => mask.row(table, row)),
      );
      count += rows.length;
    }
    if (count > 0) await continueIds(target, table);
    added.set(table, count);
    log(`${count} masked rows into ${table}`);
  }
  await setTriggers(target, "enable");
  await target.query("analyze");
  return added;
}

async function* batches(client: pg.Client, table: string, columns: readonly string[]): AsyncGenerator<readonly Row[]> {
  if (columns.length === 0) return;
  await client.query("begin read only");
  await client.query(
    `declare carried no scroll cursor for select to_jsonb(each) as row from (select ${columns.join(", ")} from ${table}) each`,
  );
  for (;;) {
    const { rows } = await client.query<{ row: Row }>(`fetch ${batch} from carried`);
    if (rows.length === 0) break;
    yield rows.map(({ row }) => row);
  }
  await client.query("commit");
}

/** Ids come along: they are numbers, and other rows point at them. */
async function insert(
  target: pg.Client,
  table: string,
  columns: readonly string[],
  rows: readonly Row[],
): Promise<void> {
  const list = columns.join(", ");
  await target.query(
    `insert into ${table} (${list}) overriding system value select ${list} from jsonb_populate_recordset(null::${table}, $1::jsonb)`,
    [JSON.stringify(rows)],
  );
}

/** The next row that the application makes gets a number of its own. */
async function continueIds(target: pg.Client, table: string): Promise<void> {
  const { rows } = await target.query<{ sequence: string | null }>(
    `select case when exists (
       select from information_schema.columns
       where table_schema = 'public' and table_name = $1 and column_name = 'id' and is_identity = 'YES'
     ) then pg_get_serial_sequence('public.' || $1, 'id') end as sequence`,
    [table],
  );
  const sequence = rows[0]?.sequence;
  if (sequence) await target.query(`select setval($1, (select max(id) from ${table}))`, [sequence]);
}
