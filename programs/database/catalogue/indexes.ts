import { type Check, queried } from "./check.ts";

/** Indexes that cost and do not serve (S0-25, S4-17). */
export const indexChecks: readonly Check[] = [
  queried(
    "index-invalid",
    "indexes that PostgreSQL uses",
    `select format('index %s', indexrelid::regclass) as object,
       'invalid: left by a CREATE INDEX CONCURRENTLY that did not end; IF NOT EXISTS takes it for a good one' as found,
       format('REINDEX INDEX CONCURRENTLY %s', indexrelid::regclass) as remedy
     from pg_index join tables on tables.oid = indrelid
     where not (indisvalid and indisready)`,
  ),
  queried(
    "index-duplicate",
    "each index once",
    `select format('index %s', again.indexrelid::regclass) as object,
       format('the same as %s', first.indexrelid::regclass) as found,
       format('DROP INDEX %s', again.indexrelid::regclass) as remedy
     from pg_index first
     join pg_class a on a.oid = first.indexrelid
     join pg_index again on again.indrelid = first.indrelid and again.indexrelid <> first.indexrelid
       and again.indkey::text = first.indkey::text and again.indclass::text = first.indclass::text
       and again.indcollation::text = first.indcollation::text and again.indoption::text = first.indoption::text
       and coalesce(pg_get_expr(again.indexprs, again.indrelid), '') = coalesce(pg_get_expr(first.indexprs, first.indrelid), '')
       and coalesce(pg_get_expr(again.indpred, again.indrelid), '') = coalesce(pg_get_expr(first.indpred, first.indrelid), '')
     join pg_class b on b.oid = again.indexrelid and b.relam = a.relam
     join tables on tables.oid = first.indrelid
     -- The one that also keeps rows unique is the one that stays.
     where (first.indisunique, b.relname) > (again.indisunique, a.relname)`,
  ),
];
