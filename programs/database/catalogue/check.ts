import type { ClientBase } from "pg";

/** Something in the catalogue of a database that breaks a rule. */
export interface Finding {
  /** Name of the check: a row of docs/operations/database.md. */
  readonly check: string;
  /** What it was found at: a table, a policy on a table, a function, a role. */
  readonly object: string;
  /** What was found, what is wanted, how to put it right. */
  readonly text: string;
}

/** Who may do more than others. */
export interface CatalogueOptions {
  /** The role that owns the database and all in it. */
  readonly owner: string;
  /** Roles, the owner among them, that row level security does not bind. */
  readonly allowedBypass: readonly string[];
}

/** One place that a query found. */
export interface Place {
  readonly object: string;
  readonly found: string;
  /** A statement, or what to do. */
  readonly remedy: string;
}

/** One rule. */
export interface Check {
  readonly name: string;
  /** What every database of ours has, as the end of "wanted: …". */
  readonly wanted: string;
  /** The places that break it. */
  readonly find: (client: ClientBase, options: CatalogueOptions) => Promise<readonly Place[]>;
}

/** A rule that one query answers: its rows are places, in the order of their names. */
export function queried(name: string, wanted: string, sql: string): Check {
  return {
    name,
    wanted,
    async find(client, options) {
      return (await ask<Place>(client, options, `select object, found, remedy from (${sql}) places order by 1, 2`)).map(
        ({ object, found, remedy }) => ({ object, found, remedy }),
      );
    },
  };
}

/**
 * Rows of a query that may use these names:
 *  * `tables`: every table, the parts of partitioned ones too, with `name` as one writes it;
 *  * `bound`: the roles that row level security binds;
 *  * `ours`: the schemas that are neither PostgreSQL's nor an extension's;
 *  * `settings`: one row with the `owner`.
 */
export async function ask<Row extends object>(
  client: ClientBase,
  { owner, allowedBypass }: CatalogueOptions,
  sql: string,
): Promise<readonly Row[]> {
  const { rows } = await client.query<Row>(`${names} ${sql}`, [owner, allowedBypass]);
  return rows;
}

const names = `
  with settings as (select $1::text as owner, $2::text[] as allowed),
  ours as (
    select oid, nspname, nspowner from pg_namespace
    where nspname !~ '^pg_' and nspname <> 'information_schema'
  ),
  bound as (
    select role.oid, rolname, pg_has_role(role.oid, 'pg_monitor', 'member') as monitors
    from pg_roles role cross join settings
    where not rolsuper and rolname <> owner and rolname <> all (allowed) and rolname !~ '^pg_'
  ),
  of_extensions as (select classid, objid from pg_depend where deptype = 'e'),
  tables as (
    select c.*, format('%I.%I', nspname, relname) as name
    from pg_class c join ours on ours.oid = relnamespace
    where relkind in ('r', 'p')
      and not exists (select from of_extensions e where e.classid = 'pg_class'::regclass and e.objid = c.oid)
  )`;
