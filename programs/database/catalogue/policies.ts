import { ask, type Check, queried } from "./check.ts";
import { callsForEachRow } from "./expression.ts";

interface Policy {
  readonly object: string;
  readonly expression: string;
  readonly functions: readonly string[];
  readonly columns: readonly string[];
}

/** What a policy says, and that it stays fast on a large table (S0-53, checks 14 and 17). */
export const policyChecks: readonly Check[] = [
  queried(
    "policy-column-without-index",
    "an index that begins with each column that decides who sees a row",
    `select format('%s.%s', name, quote_ident(attname)) as object,
       format('policy %s reads it, and no index begins with it: each query reads the whole table',
         string_agg(distinct quote_ident(polname), ', ')) as found,
       format('CREATE INDEX IF NOT EXISTS idx_%s_%s ON %s (%s)', relname, attname, name, quote_ident(attname)) as remedy
     from pg_policy
     join tables on tables.oid = polrelid
     join pg_depend d on d.classid = 'pg_policy'::regclass and d.objid = pg_policy.oid
       and d.refclassid = 'pg_class'::regclass and d.refobjid = polrelid and d.refobjsubid > 0
     join pg_attribute on attrelid = polrelid and attnum = d.refobjsubid
     where polcmd <> 'a' and not exists (
       select from pg_index
       where indrelid = polrelid and indkey[0] = attnum and indpred is null and indisvalid)
     group by name, relname, attname`,
  ),
  {
    name: "claim-read-for-each-row",
    wanted: "(SELECT helper()): read once for a statement",
    async find(client, options) {
      const policies = await ask<Policy>(
        client,
        options,
        `select format('policy %s on %s', quote_ident(polname), name) as object,
           concat_ws(' AND ', pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)) as expression,
           array(
             select distinct format('%I.%I', f.nspname, proname)
             from pg_depend d join pg_proc on pg_proc.oid = d.refobjid join ours f on f.oid = pronamespace
             where d.classid = 'pg_policy'::regclass and d.objid = pg_policy.oid and d.refclassid = 'pg_proc'::regclass
           ) as functions,
           array(select attname::text from pg_attribute where attrelid = polrelid and attnum > 0) as columns
         from pg_policy join tables on tables.oid = polrelid order by 1`,
      );
      return policies.flatMap(({ object, expression, functions, columns }) =>
        [...new Set(callsForEachRow(expression, functions, columns))].map((call) => ({
          object,
          found: `calls ${call} for each row`,
          remedy: `write (SELECT ${call}) in its place`,
        })),
      );
    },
  },
  queried(
    "policy-always-true",
    "a condition in each policy of a role that row level security is to bind",
    `select format('policy %s on %s', quote_ident(polname), name) as object,
       format('lets %s see or write every row',
         coalesce((select string_agg(rolname, ', ' order by rolname) from bound where bound.oid = any (polroles)), 'everyone')) as found,
       'give it a condition on the claims; a role that must see all is one of the allowed' as remedy
     from pg_policy join tables on tables.oid = polrelid
     where polpermissive
       and 'true' in (pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
       and (0 = any (polroles) or exists (select from bound where bound.oid = any (polroles) and not monitors))`,
  ),
  queried(
    // `claim IS NULL OR …` opens every row to those without claims; so does IS NOT DISTINCT FROM, for rows with a null.
    "policy-open-without-claims",
    "policies that are false when there are no claims",
    `select format('policy %s on %s', quote_ident(polname), name) as object,
       format('a missing claim may make it true: %s', expression) as found,
       'compare with = and without IS NULL on a claim: what is compared with null is not seen' as remedy
     from pg_policy
     join tables on tables.oid = polrelid
     cross join lateral (
       select concat_ws(' AND ', pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)) as expression
     ) as said
     where expression ~ '\\) IS NULL' or expression ~ 'NOT \\(.* IS DISTINCT FROM'`,
  ),
];
