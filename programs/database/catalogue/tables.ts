import { type Check, queried } from "./check.ts";

/** Row level security is on everywhere, for everyone, and says something (S0-19, S0-42, S0-54). */
export const tableChecks: readonly Check[] = [
  queried(
    "row-security-off",
    "row level security on every table, bookkeeping included",
    `select name as object, 'row level security is off: everyone with a grant sees every row' as found,
       format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', name) as remedy
     from tables where not relrowsecurity and not relispartition`,
  ),
  queried(
    "row-security-not-forced",
    "row level security that binds the owner, too",
    `select name as object, 'row level security is not forced: its owner sees every row' as found,
       format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', name) as remedy
     from tables where relrowsecurity and not relforcerowsecurity and not relispartition`,
  ),
  queried(
    "no-policy",
    "at least one policy on every table; for nobody: USING (false)",
    `select name as object, 'no policy: nobody sees a row, and nothing says whether that is meant' as found,
       format('CREATE POLICY … ON %s FOR SELECT TO … USING (…)', name) as remedy
     from tables where not relispartition and not exists (select from pg_policy where polrelid = tables.oid)`,
  ),
  queried(
    // The policies of a partitioned table do not bind who names its part.
    "partition-open",
    "row level security, forced, on each part of a partitioned table; without policies a part is closed, and is read through the whole",
    `select name as object,
       format('a part of %s without forced row level security, which %s may read or write directly',
         (select inhparent::regclass from pg_inherits where inhrelid = tables.oid), string_agg(rolname, ', ' order by rolname)) as found,
       format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name) as remedy
     from tables join bound on has_any_column_privilege(bound.oid, tables.oid, 'select, insert, update')
       or has_table_privilege(bound.oid, tables.oid, 'delete')
     where relispartition and not (relrowsecurity and relforcerowsecurity)
     group by tables.oid, name`,
  ),
  queried(
    "truncate-granted",
    "TRUNCATE for the owner alone: no policy holds it back",
    `select name as object, format('%s may TRUNCATE it', string_agg(rolname, ', ' order by rolname)) as found,
       format('REVOKE TRUNCATE ON %s FROM %s', name, string_agg(rolname, ', ' order by rolname)) as remedy
     from tables join bound on has_table_privilege(bound.oid, tables.oid, 'truncate')
     group by name`,
  ),
  queried(
    // PostgreSQL does not apply policies when it looks for a parent: only the key can say whose it must be.
    "foreign-key-across-tenants",
    "a foreign key to rows of a team or user that includes the target's team_id or user_id",
    `select format('%s on %s', quote_ident(conname), child.name) as object,
       format('points at %s by (%s), without its %s: a row can hang on a parent that its writer cannot see', parent.name,
         (select string_agg(quote_ident(attname), ', ' order by place) from unnest(confkey) with ordinality target (number, place)
            join pg_attribute on attrelid = confrelid and attnum = number),
         string_agg(tenant.attname, ', ')) as found,
       format('UNIQUE (id, %1$s) on %2$s and FOREIGN KEY (…, %1$s) REFERENCES %2$s (…, %1$s)',
         string_agg(tenant.attname, ', '), parent.name) as remedy
     from pg_constraint
     join tables child on child.oid = conrelid
     join tables parent on parent.oid = confrelid
     join pg_attribute tenant on tenant.attrelid = confrelid and tenant.attname in ('team_id', 'user_id')
       and not tenant.attisdropped
     where contype = 'f' and conparentid = 0 and not tenant.attnum = any (confkey)
     group by conname, child.name, parent.name, confkey, confrelid`,
  ),
];
