import type { ClientBase } from "pg";

/** A column of a table or view. */
interface Column {
  readonly type: string;
  readonly notNull: boolean;
  /** Left out of an INSERT it gets a value by itself, or null. */
  readonly fills: boolean;
}

/** What a release that runs may use of a schema. */
export interface Shape {
  /** Columns by table and by name. */
  readonly tables: ReadonlyMap<string, ReadonlyMap<string, Column>>;
  /** Functions with their arguments. */
  readonly functions: ReadonlySet<string>;
}

interface ColumnRow extends Column {
  readonly table: string;
  readonly name: string;
}

const ours = "nspname !~ '^pg_' and nspname <> 'information_schema'";

/** Reads the shape of every schema of the application. */
export async function readShape(client: ClientBase): Promise<Shape> {
  const { rows: columns } = await client.query<ColumnRow>(
    `select format('%I.%I', nspname, relname) as table, quote_ident(attname) as name, format_type(atttypid, atttypmod) as type,
       attnotnull as "notNull", not attnotnull or atthasdef or attidentity <> '' as fills
     from pg_attribute join pg_class c on c.oid = attrelid join pg_namespace n on n.oid = relnamespace
     where attnum > 0 and not attisdropped and relkind in ('r', 'p', 'v', 'm') and ${ours}`,
  );
  const { rows: functions } = await client.query<{ name: string }>(
    `select format('%I.%I(%s)', nspname, proname, pg_get_function_identity_arguments(p.oid)) as name
     from pg_proc p join pg_namespace n on n.oid = pronamespace where prokind in ('f', 'p') and ${ours}`,
  );
  const tables = [...Map.groupBy(columns, ({ table }) => table)].map(
    ([table, of]) => [table, new Map(of.map((column) => [column.name, column]))] as const,
  );
  return { tables: new Map(tables), functions: new Set(functions.map(({ name }) => name)) };
}

/**
 * What a migration took from the releases that run now: each a sentence. Such a file is of the phase `contract`, which waits
 * until nobody uses the old shape any more. Triggers' functions are nobody's to call, so they may go.
 */
export function takenAway(before: Shape, after: Shape): readonly string[] {
  const found: string[] = [];
  for (const [table, columns] of before.tables) {
    const now = after.tables.get(table);
    if (now) found.push(...columnsTaken(table, columns, now));
    else found.push(`${table} is gone`);
  }
  for (const name of before.functions) if (!after.functions.has(name)) found.push(`function ${name} is gone`);
  return found;
}

function columnsTaken(
  table: string,
  before: ReadonlyMap<string, Column>,
  after: ReadonlyMap<string, Column>,
): readonly string[] {
  const found: string[] = [];
  for (const [name, was] of before) {
    const is = after.get(name);
    if (!is) found.push(`${table}.${name} is gone`);
    else if (is.type !== was.type) found.push(`${table}.${name} was ${was.type} and is ${is.type}`);
    else if (is.notNull && !was.notNull) found.push(`${table}.${name} takes no null any more`);
  }
  for (const [name, is] of after)
    if (!before.has(name) && !is.fills) found.push(`${table}.${name} is new, and an INSERT without it fails`);
  return found;
}
