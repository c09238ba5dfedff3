import { type Check, queried } from "./check.ts";

/** Code that runs with more rights than its caller, and relations that policies do not reach (checks 18 and 19). */
export const codeChecks: readonly Check[] = [
  queried(
    "definer-search-path",
    "SET search_path = '' on each SECURITY DEFINER function",
    `select format('function %s', f.oid::regprocedure) as object,
       'runs with its owner''s rights and its caller''s search_path: who calls it chooses the tables that it reads' as found,
       format('ALTER FUNCTION %s SET search_path = ''''', f.oid::regprocedure) as remedy
     from pg_proc f join ours on ours.oid = pronamespace
     where prosecdef
       and not coalesce(proconfig && array['search_path=""', 'search_path=pg_catalog', 'search_path=pg_catalog, pg_temp'], false)
       and not exists (select from of_extensions e where e.classid = 'pg_proc'::regclass and e.objid = f.oid)`,
  ),
  queried(
    "definer-for-everyone",
    "SECURITY DEFINER functions for the roles that need them",
    `select format('function %s', f.oid::regprocedure) as object,
       'runs with its owner''s rights, and PUBLIC may execute it' as found,
       format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', f.oid::regprocedure) as remedy
     from pg_proc f join ours on ours.oid = pronamespace
     where prosecdef
       and exists (
         select from aclexplode(coalesce(proacl, acldefault('f', proowner))) where grantee = 0 and privilege_type = 'EXECUTE')
       and not exists (select from of_extensions e where e.classid = 'pg_proc'::regclass and e.objid = f.oid)`,
  ),
  queried(
    "view-with-rights-of-its-owner",
    "security_invoker on each view",
    `select format('view %s', c.oid::regclass) as object,
       'reads with its owner''s rights: row level security does not reach through it' as found,
       format('ALTER VIEW %s SET (security_invoker = true)', c.oid::regclass) as remedy
     from pg_class c join ours on ours.oid = relnamespace
     where relkind = 'v'
       and not coalesce(
         (select option_value::boolean from pg_options_to_table(reloptions) where option_name = 'security_invoker'), false)
       and not exists (select from of_extensions e where e.classid = 'pg_class'::regclass and e.objid = c.oid)`,
  ),
  queried(
    "materialised-view-readable",
    "materialised views and foreign tables for their owner alone: they have no row level security",
    `select format('%s %s', case relkind when 'm' then 'materialised view' else 'foreign table' end, c.oid::regclass) as object,
       format('%s may read it', string_agg(rolname, ', ' order by rolname)) as found,
       format('REVOKE ALL ON %s FROM %s', c.oid::regclass, string_agg(rolname, ', ' order by rolname)) as remedy
     from pg_class c join ours on ours.oid = relnamespace
     join bound on has_any_column_privilege(bound.oid, c.oid, 'select')
     where relkind in ('m', 'f')
     group by c.oid, relkind`,
  ),
];
